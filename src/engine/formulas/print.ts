// A formula as plain text and as LaTeX, with the names of a network.
import { type Equation, type Expression, isRange, keyOf, type ReductionName, type Target } from './ast';
import { scalarFunctions } from './functions';

export interface Printed {
  readonly text: string;
  readonly latex: string;
}

/** What a name of a formula stands for in a network; by default, itself. */
export type Naming = (name: string) => string | undefined;

const ADD = 2;
const MULTIPLY = 3;
const FACTOR = 4;
const POSTFIX = 6;

const GREEK: Readonly<Record<string, string>> = {
  alpha: 'α',
  beta: 'β',
  gamma: 'γ',
  delta: 'δ',
  mu: 'μ',
  sigma: 'σ',
  pi: 'π',
};
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

interface Style {
  symbol(name: string): string;
  number(value: number): string;
  gradient(name: string): string;
  index(object: string, parts: readonly string[]): string;
  parentheses(inner: string): string;
  fraction(left: string, right: string): string | null;
  power(base: string, exponent: string): string;
  call(name: string, args: readonly string[]): string;
  transpose(inner: string): string;
  reduce(name: ReductionName | 'total', over: readonly string[], body: string): string;
  readonly times: string;
  readonly elementwise: string;
  readonly atMost: string;
  readonly atLeast: string;
}

const text: Style = {
  symbol: (name) => GREEK[name] ?? name,
  number: String,
  gradient: (name) => `∂l/∂${name}`,
  index: (object, parts) => `${object}[${parts.join(', ')}]`,
  parentheses: (inner) => `(${inner})`,
  fraction: () => null,
  power: (base, exponent) =>
    /^\d+$/.test(exponent)
      ? base + exponent.replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)]!)
      : `${base}^${exponent}`,
  call(name, args) {
    if (name === 'when') return `[${args[0]}]`;
    if (name === 'floor') return `⌊${args[0]}⌋`;
    if (name === 'ceil') return `⌈${args[0]}⌉`;
    if (name === 'concat') return `[${args.join('; ')}]`;
    if (name === 'xlogy') return `${args[0]} log(${args[1]})`;
    if (name === 'outer') return `${args[0]} ${args[1]}ᵀ`;
    if (name === 'jacobian') return `∂y/∂${args[0]}`;
    return `${scalarFunctions[name]?.text ?? name.replace('_', ' ')}(${args.join(', ')})`;
  },
  transpose: (inner) => `${inner}ᵀ`,
  reduce: (name, over, body) =>
    name === 'sum' || name === 'total'
      ? `Σ${over.length > 0 ? `_{${over.join(', ')}}` : ''} ${body}`
      : `${name}_{${over.join(', ')}} ${body}`,
  times: ' ',
  elementwise: ' ⊙ ',
  atMost: '≤',
  atLeast: '≥',
};

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': String.raw`\textbackslash{}`,
  '^': String.raw`\textasciicircum{}`,
  '~': String.raw`\textasciitilde{}`,
};
/** A name of a user as text, whatever it holds. */
const escapeLatex = (name: string): string =>
  name.replace(/[\\^~]/g, (each) => ESCAPES[each]!).replace(/[{}$&#_%](?!\})/g, (each) => `\\${each}`);

function latexSymbol(name: string): string {
  if (Object.hasOwn(GREEK, name)) return `\\${name}`;
  const [, letter, digits] = /^([A-Za-zα-ω])(\d*)$/u.exec(name) ?? [];
  if (letter) return digits ? `${letter}_{${digits}}` : letter;
  if (name === 'ŷ') return String.raw`\hat{y}`;
  return String.raw`\text{${escapeLatex(name)}}`;
}

const latex: Style = {
  symbol: latexSymbol,
  number(value) {
    const [digits, exponent] = String(value).split('e');
    return exponent ? String.raw`${digits} \cdot 10^{${Number(exponent)}}` : String(value);
  },
  gradient: (name) => String.raw`\frac{\partial l}{\partial ${name}}`,
  index: (object, parts) => `{${object}}_{${parts.join(',')}}`,
  parentheses: (inner) => String.raw`\left(${inner}\right)`,
  fraction: (left, right) => String.raw`\frac{${left}}{${right}}`,
  power: (base, exponent) => `{${base}}^{${exponent}}`,
  call(name, args) {
    const all = args.join(', ');
    if (name === 'when') return `[${all}]`;
    if (name === 'floor') return String.raw`\lfloor ${all} \rfloor`;
    if (name === 'ceil') return String.raw`\lceil ${all} \rceil`;
    if (name === 'concat') return String.raw`\left[${args.join('; ')}\right]`;
    if (name === 'xlogy') return String.raw`${args[0]} \log ${args[1]}`;
    if (name === 'outer') return String.raw`${args[0]} \, {${args[1]}}^{\top}`;
    if (name === 'jacobian') return String.raw`\frac{\partial y}{\partial ${args[0]}}`;
    if (name === 'sqrt') return String.raw`\sqrt{${all}}`;
    if (name === 'exp') return `e^{${all}}`;
    const known = scalarFunctions[name]?.latex ?? String.raw`\operatorname{${name.replace('_', String.raw`\,`)}}`;
    return String.raw`${known}\left(${all}\right)`;
  },
  transpose: (inner) => String.raw`{${inner}}^{\top}`,
  reduce(name, over, body) {
    const operator = name === 'sum' || name === 'total' ? String.raw`\sum` : String.raw`\operatorname{${name}}`;
    const below = over.map((each) => (each.startsWith('samples') ? String.raw`\text{samples}` : each)).join(', ');
    return over.length > 0 ? `${operator}_{${below}} ${body}` : `${operator} ${body}`;
  },
  times: String.raw` \, `,
  elementwise: String.raw` \odot `,
  atMost: String.raw`\le`,
  atLeast: String.raw`\ge`,
};

class Printer {
  constructor(
    readonly style: Style,
    readonly naming: Naming,
  ) {}

  equation({ target, value }: Equation): readonly [left: string, right: string] {
    return [this.target(target), this.print(value, 0)];
  }

  target({ name, isGradient, indices }: Target): string {
    const object: Expression = { type: isGradient ? 'gradient' : 'name', name };
    return indices.length === 0
      ? this.print(object, 0)
      : this.print({ type: 'index', object, parts: indices.map((each) => ({ type: 'name', name: each })) }, 0);
  }

  symbol(name: string): string {
    return this.style.symbol(this.naming(name) ?? name);
  }

  /** @param least the precedence below which it needs parentheses */
  print(node: Expression, least: number): string {
    const [printed, precedence] = this.#part(node);
    return precedence < least ? this.style.parentheses(printed) : printed;
  }

  #part(node: Expression): readonly [printed: string, precedence: number] {
    const { style } = this;
    switch (node.type) {
      case 'number':
        return [style.number(node.value), node.value < 0 ? ADD : POSTFIX];
      case 'name':
        return [this.symbol(node.name), POSTFIX];
      case 'gradient':
        return [style.gradient(this.symbol(node.name)), POSTFIX - 1];
      case 'index':
        return [this.#index(node), node.object.type === 'gradient' ? POSTFIX - 1 : POSTFIX];
      case 'negative':
        return [`-${this.print(node.operand, MULTIPLY)}`, ADD];
      case 'binary':
        return this.#binary(node);
      case 'call': {
        if (node.name === 'T') return [style.transpose(this.print(node.args[0]!, POSTFIX)), POSTFIX - 1];
        if (node.name === 'total') return [style.reduce('total', [], this.print(node.args[0]!, MULTIPLY)), MULTIPLY];
        const least = node.name === 'outer' ? FACTOR : node.name === 'xlogy' ? FACTOR : 0;
        const isProduct = node.name === 'outer' || node.name === 'xlogy';
        return [
          style.call(
            node.name,
            node.args.map((arg) => this.print(arg, least)),
          ),
          isProduct ? MULTIPLY : POSTFIX,
        ];
      }
      case 'reduce': {
        const over = node.over.map(({ name, bound }) =>
          bound ? `${name} < ${this.print(bound, 0)}` : this.symbol(name),
        );
        return [style.reduce(node.name, over, this.print(node.body, MULTIPLY)), MULTIPLY];
      }
    }
  }

  #index({ object, parts }: Extract<Expression, { type: 'index' }>): string {
    const printed = parts.map((part) =>
      isRange(part) ? `${this.print(part.from, 0)}:${this.print(part.to, 0)}` : this.print(part, 0),
    );
    // The index belongs to what the derivative is with respect to.
    if (object.type === 'gradient') return this.style.gradient(this.style.index(this.symbol(object.name), printed));
    return this.style.index(this.print(object, POSTFIX), printed);
  }

  #binary({ operator, left, right }: Extract<Expression, { type: 'binary' }>): readonly [string, number] {
    const { style } = this;
    switch (operator) {
      case '+':
      case '-':
        return [`${this.print(left, ADD)} ${operator} ${this.print(right, ADD + 1)}`, ADD];
      case '/': {
        const fraction = style.fraction(this.print(left, 0), this.print(right, 0));
        return [fraction ?? `${this.print(left, MULTIPLY)} / ${this.print(right, FACTOR)}`, MULTIPLY];
      }
      case '^':
        return [style.power(this.print(left, POSTFIX), this.print(right, style === latex ? 0 : POSTFIX)), FACTOR + 1];
      case '*':
      case '.*':
      case '@': {
        const [a, b] = [this.print(left, MULTIPLY), this.print(right, FACTOR)];
        const sign = operator === '.*' ? style.elementwise : /^\d/.test(b) ? ' · ' : style.times;
        return [`${a}${sign}${b}`, MULTIPLY];
      }
      case '<':
      case '>':
      case '<=':
      case '>=':
      case '==': {
        const sign = { '<': '<', '>': '>', '<=': style.atMost, '>=': style.atLeast, '==': '=' }[operator];
        return [`${this.print(left, ADD)} ${sign} ${this.print(right, ADD)}`, 1];
      }
    }
  }
}

/**
 * One equation, or the sum of the right sides of several with one left side.
 * @param addition what is added to it, in words
 */
export function printFormula(
  equations: readonly { readonly equation: Equation; readonly naming: Naming }[],
  addition?: string,
): Printed {
  const parts = (style: Style) =>
    equations.map(({ equation, naming }) => {
      const printer = new Printer(style, naming);
      const [left, right] = printer.equation(equation);
      const isSum = equation.value.type === 'binary' && '+-'.includes(equation.value.operator);
      return {
        left,
        right: equations.length > 1 && isSum ? style.parentheses(right) : right,
        where: equation.where.map((local) => printer.equation(local)),
      };
    });
  const join = (all: ReturnType<typeof parts>) => ({
    left: all[0]!.left,
    right: all.map(({ right }) => right).join(' + '),
    where: all.flatMap(({ where }) => where),
  });
  const [plain, math] = [join(parts(text)), join(parts(latex))];
  if (addition !== undefined) {
    plain.right += ` + ${addition}`;
    math.right += String.raw` + \text{${escapeLatex(addition)}}`;
  }
  const where = plain.where.map(([left, right]) => `${left} = ${right}`).join('; ');
  return {
    text: `${plain.left} = ${plain.right}${where && `, where ${where}`}`,
    latex:
      math.where.length === 0
        ? `${math.left} = ${math.right}`
        : String.raw`\begin{aligned} ${[[math.left, math.right], ...math.where]
            .map(([left, right]) => `${left} &= ${right}`)
            .join(String.raw` \\ `)} \end{aligned}`,
  };
}

/** Whether two equations index their left sides alike, so that their right sides can be added. */
export const haveSameTarget = (a: Equation, b: Equation): boolean =>
  keyOf(a.target) !== '' && a.target.indices.join() === b.target.indices.join();
