// Whether the network can learn a few samples by heart; one that cannot has a bug or too few units.
import type { CompiledRun } from '../model-spec';
import type { OverfitResult } from '../protocol/doctor-report';
import { affordableSteps, type DoctorContext, openTrial, trainTrial } from './trial';

/** Schoop, Huang, Hartmann, "UMLAUT", 2021, and Karpathy's recipe: a handful of samples. */
const SAMPLES = 16;
const [MIN_STEPS, MAX_STEPS] = [150, 500];
/** From one point of the curve to the next. */
const CURVE_INTERVAL = 10;

export async function overfitBatch(run: CompiledRun, text: string, context: DoctorContext): Promise<OverfitResult> {
  const { train } = run.split;
  const samples = Math.min(SAMPLES, train.length);
  const few = Uint32Array.from({ length: samples }, (_, i) => train[Math.floor((i * train.length) / samples)]!);
  const none = new Uint32Array();
  const session = openTrial(
    {
      ...run,
      split: { train: few, validation: none, test: none },
      augmentations: [],
      batchSize: samples,
      shuffle: false,
      epochs: MAX_STEPS,
    },
    text,
  );
  const steps = Math.max(MIN_STEPS, Math.min(MAX_STEPS, affordableSteps(session)));
  const firstLoss = session.evaluate().train?.loss ?? NaN;
  const curve: { step: number; loss: number }[] = [];
  const isFinite = await trainTrial(session, steps, context, 'overfitting one batch', (step) => {
    if (step === 1 || step % CURVE_INTERVAL === 0) curve.push({ step, loss: session.loss ?? NaN });
  });
  const last = isFinite ? session.evaluate().train : undefined;
  return {
    samples,
    steps: session.position.step,
    firstLoss,
    lastLoss: last?.loss ?? NaN,
    accuracy: last?.accuracy ?? null,
    curve,
  };
}
