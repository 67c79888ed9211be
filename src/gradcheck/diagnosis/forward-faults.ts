// Faults of a custom layer's forward pass, found before any derivative is taken.
import type { ForwardContext, LayerDefinition } from '../../engine/layers/layer';
import type { Cause } from '../../protocol/check-report';
import { areSamplesIndependent, runForward } from './output-derivatives';
import { maxAbs } from './gradient-comparison';

export interface ForwardFault {
  readonly cause: Extract<Cause, 'not_repeatable' | 'samples_mixed' | 'not_finite'>;
  /** Continues "The forward pass of mine". */
  readonly description: string;
}

/** The number of calls with the same input that must give the same output. */
const CALLS = 3;
/** Sums in another order may differ by this share of the largest output. */
const REORDERING_TOLERANCE = 1e-9;

/** A cooperative task. */
export function* detectRandomness(
  context: ForwardContext<unknown>,
  definition: LayerDefinition,
): Generator<undefined, ForwardFault | null> {
  const first = runForward(context, definition);
  for (let call = 1; call < CALLS; call++) {
    yield;
    const now = runForward(context, definition);
    const at = now.findIndex((value, i) => !Object.is(value, first[i]));
    if (at < 0) continue;
    return {
      cause: 'not_repeatable',
      description:
        `returns different outputs for the same input: ${formatShort(first[at]!)}, then ${formatShort(now[at]!)}. ` +
        'No gradient can be checked. Keep no state between calls, and draw random numbers with `random` in a layer that declares `random: true`',
    };
  }
  return null;
}

/**
 * Detects a layer that mixes samples depending on their order in the batch. Mixing them regardless of order is allowed,
 * as in batch normalization: when samples are reordered, the outputs must follow. A cooperative task.
 */
export function* detectMixedSamples(
  context: ForwardContext<unknown>,
  definition: LayerDefinition,
): Generator<undefined, ForwardFault | null> {
  const { data, shape } = context.input;
  const samples = shape[0]!;
  if (samples < 2 || (yield* areSamplesIndependent(context, definition))) return null;
  const outputs = runForward(context, definition);
  const [inputWidth, outputWidth] = [data.length / samples, outputs.length / samples];
  const start = data.slice();
  // Rotated by one, so that every sample changes its place.
  for (let i = 0; i < data.length; i++) data[i] = start[(i + inputWidth) % data.length]!;
  const rotated = runForward(context, definition);
  data.set(start);
  if (rotated.some(Number.isNaN) || outputs.some(Number.isNaN)) return null;
  const tolerance = REORDERING_TOLERANCE * maxAbs(outputs);
  const at = rotated.findIndex(
    (value, i) => Math.abs(value - outputs[(i + outputWidth) % outputs.length]!) > tolerance,
  );
  if (at < 0) return null;
  return {
    cause: 'samples_mixed',
    description:
      `mixes samples: the output of one sample depends on other samples, and on their order in the batch ` +
      `(seen at sample ${Math.floor(at / outputWidth)}). A reduced axis was probably dropped, so that the batch axis ` +
      `was broadcast instead; keep the axis, such as ops.mean(x, 1, true)`,
  };
}

const formatShort = (value: number): string => String(Number(value.toPrecision(6)));
