// The formulas that the file of a custom layer or loss states.
import { FormulaError } from '../formulas/ast';
import { parseFormula } from '../formulas/parse';
import type { CustomCode } from './custom-code';
import { deepFreeze } from './custom-code';
import { readTexts } from './foreign-value';

const REMEDY = "Write a list such as ['y = x @ W', 'd(x) = dy @ T(W)', 'd(W) = T(x) @ dy'].";

/** A list, or a function that returns one. */
export class OwnFormulas {
  readonly #byArguments = new Map<string, readonly string[]>();

  /** @throws CustomLayerError if it is a list that cannot be read */
  constructor(
    readonly code: CustomCode,
    readonly given: unknown,
  ) {
    if (typeof given !== 'function') this.#parse(given);
  }

  /** @throws CustomLayerError */
  equations(...args: readonly unknown[]): readonly string[] {
    const key = JSON.stringify(args);
    let equations = this.#byArguments.get(key);
    if (equations) return equations;
    const { given, code } = this;
    equations = this.#parse(
      typeof given === 'function'
        ? code.observe('load', () =>
            readTexts(code.call(given as (...all: unknown[]) => unknown, ...deepFreeze(JSON.parse(key) as unknown[]))),
          )
        : given,
    );
    this.#byArguments.set(key, equations);
    return equations;
  }

  #parse(given: unknown): readonly string[] {
    const equations = this.code.guard('load', () => readTexts(given));
    if (!equations) throw this.code.createError('load', 'has "formulas" that are no list of texts', REMEDY);
    for (const equation of equations) {
      try {
        parseFormula(equation);
      } catch (error) {
        if (!(error instanceof FormulaError)) throw error;
        throw this.code.createError('load', `has a formula that cannot be read: ${error.message}`, REMEDY);
      }
    }
    return equations;
  }
}
