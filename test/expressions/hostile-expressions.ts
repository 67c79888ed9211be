// 500 expressions that are not valid for the tensors of scope.ts: deep, long, of unknown names, of wrong types and
// shapes.
import { functions } from '../../src/expressions';

const repeat = (n: number, make: (i: number) => string): string[] => Array.from({ length: n }, (_, i) => make(i));
const names = [...functions.keys()];

export const hostileExpressions: readonly string[] = [
  // Deep.
  ...repeat(30, (i) => '('.repeat(61 + 13 * i) + '1' + ')'.repeat(61 + 13 * i)),
  ...repeat(30, (i) => 'abs('.repeat(61 + 5 * i) + 'a' + ')'.repeat(61 + 5 * i)),
  ...repeat(30, (i) => `${'-'.repeat(70 + 10 * i)}1`),
  ...repeat(20, (i) => 'a' + '[0'.repeat(61 + i)),
  ...repeat(20, (i) => `${'not '.repeat(70 + i)}true`),
  // Long.
  ...repeat(20, (i) => `1${' + 1'.repeat(250 + 100 * i)}`),
  ...repeat(20, (i) => 'x'.repeat(1001 + 10_000 * i)),
  ...repeat(20, (i) => `1${' + a'.repeat(70 + i)} + nothing`),
  // Unknown names, one for each function, and names of JavaScript.
  ...names.map((name) => `${name}(nothing.weight)`),
  ...names.map((name) => `${name}()`),
  ...names.map((name) => `${name}(a, a, a)`),
  ...names.map((name) => `${name}(a`),
  ...names.map((name) => `a.${name}(1)`),
  ...names,
  ...[
    'constructor',
    '__proto__',
    'toString',
    'process.exit',
    'globalThis',
    'this',
    'eval',
    'Function',
    'require',
  ].flatMap((name) => [name, `${name}()`, `a.${name}`, `grad(${name})`, `a[${name}]`]),
  // Wrong types and shapes.
  ...repeat(20, (i) => `a[${i + 2}]`),
  ...repeat(20, (i) => `a[-${i + 3}, 0]`),
  ...repeat(10, (i) => `a${'[0]'.repeat(3 + i)}`),
  ...repeat(10, (i) => `a[0:${-2 - i}]`),
  ...repeat(10, (i) => `a[:, ${i + 3}:]`),
  ...repeat(10, (i) => `a[::${-i}]`),
  ...['+', '-', '*', '/', '**', '<', '<=', '>', '>=', '==', '!='].flatMap((operator) => [
    `a ${operator} a[:, 0]`,
    `true ${operator} 1`,
    `1 ${operator}`,
    `${operator} 2 ${operator}`,
    `1 ${operator} ${operator === '-' ? '+' : operator} 1`,
  ]),
  ...['and', 'or'].flatMap((operator) => [
    `1 ${operator} true`,
    `true ${operator} a`,
    `${operator} true`,
    `a ${operator}`,
  ]),
  ...['sum(huge)', 'huge[0:600000000]', 'norm(huge * huge)', 'quantile(huge[:30000000], 0.5)', 'huge + huge'],
  ...['a[', 'a]', 'a[]', 'a[,]', 'a[0,,1]', 'a[0 1]', 'a[b]', 'a[1e300]', 'a[0.5]', 'a["0"]', 'a[1:2:3:4]', 'a[(0:1)]'],
  ...['', ' ', '\n', '.', '..', '1.2.3', '1e', '0x10', '1_000', '"', '"a"', "'", '`', '[1, 2]', '{}', 'a;b', 'a = 1'],
  ...[
    'a ? b : b',
    'a?.b',
    '!true',
    'a && a',
    'a || a',
    'a // b',
    '# a',
    'a @ b',
    'a % 2',
    '\0',
    'λ',
    '😀',
    '1, 2',
    '0:1',
  ],
]
  .filter((text, i, all) => all.indexOf(text) === i)
  .slice(0, 500);
