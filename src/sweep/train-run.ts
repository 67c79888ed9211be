// One run of a sweep, from its first step to its last: what `nablascope train` does with its spec alone, and the losses and
// accuracies on the way.
import { evaluationInterval, PARTS } from '../session/evaluation';
import type { Part } from '../session/frame';
import { describeNonFinite, locateNonFinite } from '../session/non-finite';
import { TrainingSession } from '../session/session';
import type { CompiledRun } from '../spec';

/** Loss and accuracy of a part of the data, one value for each entry of `epochs`. */
export interface Curve {
  readonly loss: readonly number[];
  /** Null where targets are values. */
  readonly accuracy: readonly number[] | null;
}

export interface Trained {
  readonly outcome: 'finished' | 'diverged';
  /** What became NaN or infinite first, and what to do; null where it finished. */
  readonly message: string | null;
  /** Steps done. */
  readonly steps: number;
  /** The kernels that computed it; null in files from before this was kept. */
  readonly backend: string | null;
  /** Of all parameters and the optimizer's state at the end; equal for runs that are equal to the bit. */
  readonly hash: string;
  /** Epochs after which the parts were evaluated, from 0; a diverged run was evaluated up to there. */
  readonly epochs: readonly number[];
  readonly parts: Readonly<Partial<Record<Part, Curve>>>;
}

// Points of a curve that are worth their time in a short run, and that can be told apart in a long one.
const FEW = 20;
const MANY = 200;
// Needed only to find where a value became NaN or infinite.
const CHECKPOINT_BYTES = 8 * 2 ** 20;

/** Epochs from one evaluation to the next: each in a short run, in a long one as rarely as training alone would. */
export const curveInterval = (run: CompiledRun): number =>
  Math.max(1, Math.min(evaluationInterval(run), Math.floor(run.epochs / FEW)), Math.ceil(run.epochs / MANY));

/** Yields after every step. */
export function* trainRun(run: CompiledRun, text: string): Generator<{ readonly step: number; readonly total: number }, Trained> {
  const session = new TrainingSession(run, text, { checkpointBudget: CHECKPOINT_BYTES });
  const { totalSteps: total, model } = session;
  const interval = curveInterval(run) * model.batchesPerEpoch;
  const epochs: number[] = [];
  const curves = PARTS.filter((part) => model.samples[part] > 0).map((part) => ({ part, loss: [] as number[], accuracy: [] as number[] }));
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
  const trained = (message: string | null): Trained => ({
    outcome: message === null ? 'finished' : 'diverged', message, steps: session.position.step, backend: model.backend, hash: session.hash(), epochs,
    parts: Object.fromEntries(curves.map(({ part, loss, accuracy }) => [part, { loss, accuracy: accuracy.length > 0 ? accuracy : null }])),
  });
  evaluate();
  while (session.position.step < total) {
    session.step();
    const { step } = session.position;
    if (session.loss !== null && !Number.isFinite(session.loss)) {
      const nonFinite = locateNonFinite(session);
      const why = nonFinite ? `${describeNonFinite(nonFinite)} was the first to become ${nonFinite.value}. ${nonFinite.remedy}` : 'The loss is not finite.';
      return trained(`Diverged in step ${step}: ${why}`);
    }
    if (step % interval === 0 || step === total) evaluate();
    yield { step, total };
  }
  return trained(null);
}
