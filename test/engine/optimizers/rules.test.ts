// The rule of each optimizer, read as the formula that it is, gives what its update computes, for all options.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBackend } from '../../../src/engine/kernels/create-kernels';
import { createTensors, MemoryPlan } from '../../../src/engine/kernels/tensor';
import { optimizers } from '../../../src/engine/optimizers';
import type { OptimizerDefinition } from '../../../src/engine/optimizers/optimizer';
import { stepCoefficients } from '../../../src/engine/update-parameters';

const STEPS = 4;

const SYMBOLS: readonly (readonly [RegExp, string])[] = [
  [/\\beta_1/g, 'beta1'],
  [/\\beta_2/g, 'beta2'],
  [/\\(eta|mu|lambda|alpha|gamma|varepsilon)/g, '$1'],
];

/** Replaces `\name{…}` with as many arguments as `write` takes. */
function replaceCommand(text: string, name: string, write: (...args: string[]) => string): string {
  const at = text.indexOf(`\\${name}{`);
  if (at < 0) return text;
  const args: string[] = [];
  let end = at + name.length + 1;
  while (args.length < write.length) {
    let depth = 0;
    const from = end;
    do {
      if (text[end] === '{') depth++;
      if (text[end] === '}') depth--;
      end++;
    } while (depth > 0);
    args.push(text.slice(from + 1, end - 1));
  }
  return replaceCommand(text.slice(0, at) + write(...args) + text.slice(end), name, write);
}

/** An expression of the rules as one of JavaScript: products are written by juxtaposition. */
function toJavaScript(latex: string): string {
  let text = replaceCommand(latex, 'frac', (a, b) => `((${a})/(${b}))`);
  text = replaceCommand(text, 'sqrt', (a) => `((${a})^0.5)`);
  for (const [symbol, name] of SYMBOLS) text = text.replace(symbol, name);
  const tokens = text.match(/[a-z]+\d?|\d+(?:\.\d+)?|[-+/^()]/g) ?? [];
  return tokens
    .flatMap((token, i) => (i > 0 && /[\w)]$/.test(tokens[i - 1]) && /^[\w(]/.test(token) ? ['*', token] : [token]))
    .join('')
    .replaceAll('^', '**');
}

type Values = Record<string, number>;

/** Runs the assignments of a rule in order, like a reader with a pencil. */
function follow(rule: readonly string[], values: Values): void {
  for (const assignment of rule) {
    const [target, expression] = assignment.split(String.raw` \leftarrow `);
    const names = Object.keys(values);
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const compute = new Function(...names, `return ${toJavaScript(expression)}`) as (...all: number[]) => number;
    values[target] = compute(...names.map((name) => values[name]));
  }
}

// No tiny numbers: with them, wrong rules agree.
const share = fc.integer({ min: 1, max: 99 }).map((i) => i / 100);
const positive = share;
const maybe = (arbitrary: fc.Arbitrary<number>) => fc.oneof(fc.constant(0), arbitrary);

/** All options that optimizers have; each takes its own. */
const anyOptions = fc.record({
  lr: positive,
  momentum: maybe(share),
  nesterov: fc.boolean(),
  weight_decay: maybe(positive),
  alpha: share,
  betas: fc.tuple(share, share),
  eps: positive,
  lr_decay: maybe(positive),
});

describe.each(Object.values(optimizers) as unknown as OptimizerDefinition[])('$kind', (definition) => {
  it('states the rule that it follows', () => {
    fc.assert(
      fc.property(
        anyOptions,
        fc.array(
          fc.integer({ min: -20, max: 20 }).map((i) => i / 10),
          { minLength: STEPS + 1, maxLength: STEPS + 1 },
        ),
        ({ nesterov, ...given }, [start, ...gradients]) => {
          const all = { ...given, nesterov: nesterov && given.momentum > 0 };
          const defaults = definition.options.parse({}) as object;
          const options = definition.options.parse(
            Object.fromEntries(Object.entries(all).filter(([name]) => name in defaults)),
          );
          const kernels = createBackend('reference', 'float64');
          const plan = new MemoryPlan('float64');
          const names = definition.state(options);
          for (let i = 0; i < 3 + names.length; i++) plan.reserve([1]);
          const [value, gradient, scratch, ...state] = createTensors(plan, new ArrayBuffer(plan.bytes), 0);
          value.data[0] = start;
          const { betas, ...scalars } = all;
          const values: Values = {
            ...{ w: start, v: 0, s: 0, m: 0, eta: options.lr, beta1: betas[0], beta2: betas[1] },
            ...{ mu: scalars.momentum, lambda: scalars.weight_decay, alpha: scalars.alpha },
            ...{ gamma: scalars.lr_decay, varepsilon: scalars.eps },
          };
          gradients.forEach((g, i) => {
            gradient.data[0] = g;
            const coefficients = stepCoefficients({ definition, options, clip: {} }, options.lr, i + 1);
            const { lr } = options;
            definition.update({ kernels, options, lr, step: i + 1, coefficients, value, gradient, scratch, state });
            Object.assign(values, { g, t: i + 1 });
            follow(definition.rule(options), values);
            expect(values.w).toBeCloseTo(value.data[0], 9);
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});
