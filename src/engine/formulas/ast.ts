// The tree of a formula: an equation over the tensors of a layer or a loss, such as `d(W) = T(x) @ dy`.

/** A formula that cannot be read or evaluated. The message says why, and may be part of a sentence. */
export class FormulaError extends Error {
  override name = 'FormulaError';
}

export type BinaryOperator = '+' | '-' | '*' | '.*' | '/' | '@' | '^' | '<' | '<=' | '>' | '>=' | '==';
export type ReductionName = 'sum' | 'mean' | 'max' | 'argmax';

/** A range of an axis, with the end excluded. */
export interface Range {
  readonly from: Expression;
  readonly to: Expression;
}

/** A variable that a reduction runs over; without a bound, the axis that it indexes says how far. */
export interface Variable {
  readonly name: string;
  readonly bound?: Expression;
}

export type Expression =
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'name'; readonly name: string }
  /** The gradient of the loss with respect to what the name stands for. */
  | { readonly type: 'gradient'; readonly name: string }
  | { readonly type: 'index'; readonly object: Expression; readonly parts: readonly (Expression | Range)[] }
  | { readonly type: 'negative'; readonly operand: Expression }
  | {
      readonly type: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly type: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | {
      readonly type: 'reduce';
      readonly name: ReductionName;
      readonly over: readonly Variable[];
      readonly body: Expression;
    };

/** What an equation defines: a tensor or its gradient, for each value of its indices. */
export interface Target {
  readonly name: string;
  readonly isGradient: boolean;
  readonly indices: readonly string[];
}

export interface Equation {
  readonly target: Target;
  readonly value: Expression;
  /** What it uses besides, in the order of the text. */
  readonly where: readonly Equation[];
}

export const isRange = (part: Expression | Range): part is Range => 'from' in part;

/** The key of a tensor or a gradient in scopes. */
export const keyOf = ({ name, isGradient }: Pick<Target, 'name' | 'isGradient'>): string =>
  isGradient ? `d(${name})` : name;
