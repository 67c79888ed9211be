// How a layer or a loss states its formulas.
import type { Shape } from '../kernels/tensor';
import type { Reading, Value } from './evaluate';

/** Names: `x`, `x2`, … are a layer's inputs, `y` its output; parameters and buffers have their own. */
export interface LayerFormulas {
  /** One sample by default. */
  readonly reading?: Reading;
  /** `y = …`, then `d(x) = …` for each input and `d(weight) = …` for each parameter that the layer may have. */
  readonly equations: readonly string[];
  /** What names mean that the equations do not define. */
  readonly symbols?: Readonly<Record<string, string>>;
}

export interface FormulaContext<Options> {
  readonly options: Options;
  /** `x`, `x2`, …: one for each input. */
  readonly inputs: readonly string[];
  /** Of one sample, for each input. */
  readonly shapes: readonly Shape[];
}

/**
 * Of a loss, on matrices with one row per sample or position. Names: `yhat` is the prediction, `y` the target, `N` the
 * number of rows, `K` the number of columns.
 */
export interface LossFormulas {
  /** `l = …`, `d(yhat) = …` and, for the target, `d(y) = …`. */
  readonly equations: readonly string[];
  readonly constants?: Readonly<Record<string, Value>>;
  readonly symbols?: Readonly<Record<string, string>>;
}

/** The names of a layer's inputs in its formulas. */
export const inputNames = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => (i === 0 ? 'x' : `x${i + 1}`));
