// What the answers to "New Model" are about: the data of a new spec, and what the network is to predict from it.

/** What the network predicts. */
export type Goal =
  | { readonly kind: 'class'; readonly classes: number }
  /** Over all samples, to scale the output to them. */
  | { readonly kind: 'number'; readonly mean: number; readonly std: number }
  /** The next token at each position. */
  | { readonly kind: 'next'; readonly unit: 'characters' | 'words'; readonly vocabulary: number };

/** Data with one choice of what to predict: all that the rest of a spec follows from. */
export interface ModelData {
  /** The name of the spec. */
  readonly name: string;
  /** The comment at the beginning of the spec: sentences. */
  readonly about: string;
  /** The value of "data". */
  readonly data: string | Readonly<Record<string, unknown>>;
  readonly transforms: readonly (string | Readonly<Record<string, unknown>>)[];
  readonly samples: number;
  /** Of one sample: [features], [channels, height, width], [steps, features] or [tokens]. */
  readonly inputShape: readonly number[];
  readonly goal: Goal;
}

/** Something that the data can predict. */
export interface Target {
  /** A column of a table, as the file writes it; empty where there is only one thing to predict. */
  readonly column: string;
  readonly model: ModelData;
}
