// The tree of an expression. Offsets are UTF-16 units in its text.

/** An expression that cannot be read or evaluated. The message is one sentence for people. */
export class ExpressionError extends Error {
  override name = 'ExpressionError';

  /** @param start and `end`: the part of the text at fault; start <= end */
  constructor(
    message: string,
    readonly start: number,
    readonly end: number,
  ) {
    super(message);
  }
}

interface At {
  readonly start: number;
  readonly end: number;
}

/** Python's slice `start:stop:step`; null where it is left out. */
export interface Slice {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;
}

export type UnaryOperator = '-' | 'not';
export type BinaryOperator = '+' | '-' | '*' | '/' | '**' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'and' | 'or';

export type NameNode = { readonly type: 'name'; readonly name: string } & At;
export type IndexNode = {
  readonly type: 'index';
  readonly object: Expression;
  /** One for each of the leading dimensions. */
  readonly parts: readonly (number | Slice)[];
} & At;
export type CallNode = { readonly type: 'call'; readonly name: string; readonly args: readonly Expression[] } & At;

export type Expression =
  | ({ readonly type: 'number' | 'boolean'; readonly value: number } & At)
  | NameNode
  | IndexNode
  | CallNode
  | ({ readonly type: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression } & At)
  | ({
      readonly type: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    } & At);
