// Trains one run of a sweep from its first step to its last, as `nablascope train` does with its spec, and records
// losses and accuracies.

import { SPLIT_NAMES, type SplitName } from '../protocol/position';
import type { FittedFunction } from '../protocol/sweep';
import { evaluationInterval } from '../session/evaluation';
import { locateNonFinite } from '../session/locate-non-finite';
import { describeNonFinite } from '../presentation/non-finite';
import { runQuery } from '../session/queries';
import { TrainingSession } from '../session/session';
import type { CompiledRun } from '../model-spec';

/** Loss and accuracy of a split, one value for each entry of `epochs`. */
export interface Curve {
  readonly loss: readonly number[];
  /** Null if targets are values. */
  readonly accuracy: readonly number[] | null;
  /** Share of the most frequent class; null if targets are values, and in files of earlier versions. */
  readonly largestClass: number | null;
}

export interface TrainingResult {
  readonly outcome: 'finished' | 'diverged';
  /** What became NaN or infinite first, and what to do; null if it finished. */
  readonly message: string | null;
  /** Number of steps done. */
  readonly steps: number;
  /** The backend that computed it; null in files of earlier versions. */
  readonly backend: string | null;
  /** Hash of all parameters and the optimizer state at the end; equal for runs that are equal bit for bit. */
  readonly hash: string;
  /** Epochs after which the splits were evaluated, from 0; for a diverged run, up to that point. */
  readonly epochs: readonly number[];
  readonly parts: Readonly<Partial<Record<SplitName, Curve>>>;
  /** Set for a finished regression with one input and one output. */
  readonly fit?: FittedFunction;
}

// The fewest and the most points of a curve in a long run.
const MIN_POINTS = 20;
const MAX_POINTS = 200;
// Needed only to locate the first NaN or infinity.
const CHECKPOINT_BYTES = 8 * 2 ** 20;

/**
 * Epochs between evaluations: 1 in a short run; in a long one as many as in training without a sweep, within limits.
 */
export const curveInterval = (run: CompiledRun): number =>
  Math.max(
    1,
    Math.min(evaluationInterval(run), Math.floor(run.epochs / MIN_POINTS)),
    Math.ceil(run.epochs / MAX_POINTS),
  );

/** Yields after every step. */
export function* trainRun(
  run: CompiledRun,
  text: string,
): Generator<{ readonly step: number; readonly total: number }, TrainingResult> {
  const session = new TrainingSession(run, text, { checkpointBudget: CHECKPOINT_BYTES });
  const { totalSteps: total, model } = session;
  const interval = curveInterval(run) * model.batchesPerEpoch;
  const epochs: number[] = [];
  const curves = SPLIT_NAMES.filter((part) => model.samples[part] > 0).map((part) => ({
    part,
    loss: [] as number[],
    accuracy: [] as number[],
  }));
  const evaluate = (): void => {
    const evaluation = session.evaluate();
    epochs.push(session.position.step / model.batchesPerEpoch);
    for (const { part, loss, accuracy } of curves) {
      const values = evaluation[part];
      if (!values) continue;
      loss.push(values.loss);
      if (values.accuracy !== null) accuracy.push(values.accuracy);
    }
  };
  const result = (message: string | null): TrainingResult => ({
    outcome: message === null ? 'finished' : 'diverged',
    message,
    steps: session.position.step,
    backend: model.backend,
    hash: session.stateHash(),
    epochs,
    parts: Object.fromEntries(
      curves.map(({ part, loss, accuracy }) => [
        part,
        {
          loss,
          accuracy: accuracy.length > 0 ? accuracy : null,
          largestClass: model.largestClass?.[part] ?? null,
        },
      ]),
    ),
  });
  evaluate();
  while (session.position.step < total) {
    session.step();
    const { step } = session.position;
    if (session.loss !== null && !Number.isFinite(session.loss)) {
      const nonFinite = locateNonFinite(session);
      const cause = nonFinite ? describeNonFinite(nonFinite) : 'The loss is not finite.';
      return result(`Diverged in step ${step}: ${cause}`);
    }
    if (step % interval === 0 || step === total) evaluate();
    yield { step, total };
  }
  const fit = fittedFunction(session);
  return { ...result(null), ...(fit && { fit }) };
}

/** Points of a fitted function: enough for a smooth line, few enough for a file with thousands of runs. */
const FIT_POINTS = 65;

function fittedFunction(session: TrainingSession): FittedFunction | undefined {
  const { labels, targetWidth } = session.run;
  if (labels || targetWidth !== 1) return undefined;
  const { value } = runQuery(session, { type: 'decision_surface' });
  const axis = value?.axes[0];
  if (!value?.predictions || value.axes.length !== 1 || !axis) return undefined;
  const { columns, predictions } = value;
  const outputs = Array.from(
    { length: FIT_POINTS },
    (_, i) => predictions[Math.round((i * (columns - 1)) / (FIT_POINTS - 1))]!,
  );
  return { input: axis.name, from: axis.min, to: axis.max, outputs };
}
