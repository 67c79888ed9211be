// From the text of a formula to its tree. From loose to tight: comparisons, + -, * .* / @, minus, ^, indices.
import {
  type BinaryOperator,
  type Equation,
  type Expression,
  FormulaError,
  isRange,
  type Range,
  type ReductionName,
  type Target,
  type Variable,
} from './ast';
import { isTensorFunction, scalarFunctions } from './functions';

/** UTF-16 units. */
const MAX_LENGTH = 20_000;
const MAX_DEPTH = 40;

const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  '<': 1,
  '<=': 1,
  '>': 1,
  '>=': 1,
  '==': 1,
  '+': 2,
  '-': 2,
  '*': 3,
  '.*': 3,
  '/': 3,
  '@': 3,
  '^': 5,
};
const REDUCTIONS: ReadonlySet<string> = new Set<ReductionName>(['sum', 'mean', 'max', 'argmax']);
const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?(?:e[+-]?\d+)?)|([\p{L}_][\p{L}\p{M}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)*)|(\.\*|<=|>=|==|[-+*/@^<>=()[\],:;]))/uy;

const zero: Expression = { type: 'number', value: 0 };
const isNumber = (node: Expression, value?: number): node is Extract<Expression, { type: 'number' }> =>
  node.type === 'number' && (value === undefined || node.value === value);

/** Without factors of 1 and terms of 0, which come from options. */
function binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
  if (isNumber(left) && isNumber(right) && '+-*'.includes(operator)) {
    const [a, b] = [left.value, right.value];
    return { type: 'number', value: operator === '+' ? a + b : operator === '-' ? a - b : a * b };
  }
  if ((operator === '*' || operator === '.*') && isNumber(left, 1)) return right;
  if (['*', '.*', '/', '^'].includes(operator) && isNumber(right, 1)) return left;
  if ((operator === '+' || operator === '-') && isNumber(right, 0)) return left;
  if (operator === '+' && isNumber(left, 0)) return right;
  if (operator === '*' && (isNumber(left, 0) || isNumber(right, 0))) return zero;
  if ((operator === '+' || operator === '-') && isNumber(right) && right.value < 0)
    return {
      type: 'binary',
      operator: operator === '+' ? '-' : '+',
      left,
      right: { type: 'number', value: -right.value },
    };
  return { type: 'binary', operator, left, right };
}

class Parser {
  readonly #tokens: string[] = [];
  #at = 0;
  #depth = 0;

  constructor(readonly text: string) {
    if (text.length > MAX_LENGTH) throw new FormulaError(`it has more than ${MAX_LENGTH} characters`);
    const pattern = new RegExp(TOKEN);
    const end = text.trimEnd().length;
    while (pattern.lastIndex < end) {
      const from = pattern.lastIndex;
      const match = pattern.exec(text);
      if (!match) throw new FormulaError(`${JSON.stringify(text.slice(from).trim()[0])} is not part of formulas`);
      this.#tokens.push(match[0].trim());
    }
  }

  equation(): Equation {
    const first = this.#definition();
    const where: Equation[] = [];
    if (this.#accept('where')) {
      do where.push({ ...this.#definition(), where: [] });
      while (this.#accept(';'));
    }
    if (this.#at < this.#tokens.length) this.#fail(`there is a ${this.#peek()} too much`);
    return { ...first, where };
  }

  #definition(): Omit<Equation, 'where'> {
    const target = this.#target();
    this.#expect('=');
    return { target, value: this.#expression(0) };
  }

  #target(): Target {
    const node = this.#postfix();
    const object = node.type === 'index' ? node.object : node;
    const indices = node.type === 'index' ? node.parts : [];
    if (object.type !== 'name' && object.type !== 'gradient') return this.#fail('the left side must be a name');
    return {
      name: object.name,
      isGradient: object.type === 'gradient',
      indices: indices.map((part) =>
        !isRange(part) && part.type === 'name' ? part.name : this.#fail('an index on the left side must be a name'),
      ),
    };
  }

  #expression(minimum: number): Expression {
    if (++this.#depth > MAX_DEPTH) this.#fail('it is nested too deeply');
    let left: Expression;
    if (this.#accept('-')) {
      const operand = this.#expression(4);
      left = isNumber(operand) ? { type: 'number', value: -operand.value } : { type: 'negative', operand };
    } else left = this.#postfix();
    for (;;) {
      const operator = this.#peek() as BinaryOperator | undefined;
      const precedence = operator && PRECEDENCE[operator];
      if (!precedence || precedence <= minimum) break;
      this.#at++;
      // A power groups to the right.
      left = binary(operator, left, this.#expression(operator === '^' ? precedence - 1 : precedence));
    }
    this.#depth--;
    return left;
  }

  #postfix(): Expression {
    let node = this.#primary();
    while (this.#accept('[')) {
      const parts: (Expression | Range)[] = [];
      do {
        const from = this.#expression(0);
        parts.push(this.#accept(':') ? { from, to: this.#expression(0) } : from);
      } while (this.#accept(','));
      this.#expect(']');
      node = { type: 'index', object: node, parts };
    }
    return node;
  }

  #primary(): Expression {
    const token = this.#tokens[this.#at++];
    if (token === undefined) return this.#fail('it ends too early');
    if (/^\d/.test(token)) return { type: 'number', value: Number(token) };
    if (token === '(') {
      const inner = this.#expression(0);
      this.#expect(')');
      return inner;
    }
    if (!/^[\p{L}_]/u.test(token)) return this.#fail(`${token} is not expected here`);
    if (token === 'dx' || token === 'dy') return { type: 'gradient', name: token.slice(1) };
    if (!this.#accept('(')) return { type: 'name', name: token };
    if (token === 'd') {
      const name = this.#tokens[this.#at++];
      if (name === undefined || !/^[\p{L}_]/u.test(name)) return this.#fail('d( ) takes a name');
      this.#expect(')');
      return { type: 'gradient', name };
    }
    return this.#call(token);
  }

  #call(name: string): Expression {
    const over = REDUCTIONS.has(name) ? this.#variables() : null;
    if (over) {
      const body = this.#expression(0);
      this.#expect(')');
      return { type: 'reduce', name: name as ReductionName, over, body };
    }
    if (!Object.hasOwn(scalarFunctions, name) && !isTensorFunction(name)) this.#fail(`there is no function ${name}`);
    const args: Expression[] = [];
    do args.push(this.#expression(0));
    while (this.#accept(','));
    this.#expect(')');
    return { type: 'call', name, args };
  }

  /** `i, j < 4:` of a reduction; null, and nothing is read, if this is a list of arguments. */
  #variables(): Variable[] | null {
    const start = this.#at;
    const found: Variable[] = [];
    do {
      const name = this.#tokens[this.#at++];
      if (name === undefined || !/^[\p{L}_]/u.test(name)) break;
      found.push(this.#accept('<') ? { name, bound: this.#expression(1) } : { name });
    } while (this.#accept(','));
    if (this.#accept(':')) return found;
    this.#at = start;
    return null;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #accept(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#accept(token)) this.#fail(`${token} is missing before ${this.#peek() ?? 'its end'}`);
  }

  #fail(reason: string): never {
    throw new FormulaError(`${reason} in "${this.text}"`);
  }
}

const cache = new Map<string, Equation>();
const MAX_CACHED = 2000;

/** @throws FormulaError */
export function parseFormula(text: string): Equation {
  const known = cache.get(text);
  if (known) return known;
  const equation = new Parser(text).equation();
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(text, equation);
  return equation;
}
