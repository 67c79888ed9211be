// Which learning rates lower the loss: a short training from the start with each of several rates.
import { schedules } from '../engine/schedules';
import type { CompiledRun } from '../model-spec';
import type { RangeTest } from '../protocol/doctor-report';
import { type DoctorContext, openTrial, trainTrial } from './trial';

/** Half a decade apart. */
const RATES = [1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1, 3];
const MAX_STEPS = 300;
/** Part of a trial that one rate takes. */
const SHARE_OF_TRIAL = 0.1;
const MIN_STEPS = 20;
/** A rate lowers the loss if it falls below this part of the first one. */
const LOWERED = 0.98;

/** @param trialSteps steps of a whole trial */
export async function testRates(
  run: CompiledRun,
  text: string,
  trialSteps: number,
  context: DoctorContext,
): Promise<RangeTest> {
  const steps = Math.max(MIN_STEPS, Math.min(MAX_STEPS, Math.round(SHARE_OF_TRIAL * trialSteps)));
  const losses: number[] = [];
  const first = openTrial(run, text).evaluate().train?.loss ?? NaN;
  for (const lr of RATES) {
    const session = openTrial(
      {
        ...run,
        optimizer: { ...run.optimizer, options: { ...run.optimizer.options, lr } },
        schedule: { definition: schedules.constant, options: {}, per: 'epoch', warmup: 0 },
      },
      text,
      steps,
    );
    const isFinite = await trainTrial(session, steps, context, `testing lr ${lr}`);
    losses.push(isFinite ? (session.evaluate().train?.loss ?? NaN) : NaN);
  }
  const lowest = Math.min(...losses.filter(Number.isFinite));
  return {
    steps,
    firstLoss: first,
    lr: run.optimizer.options.lr,
    rates: RATES,
    losses,
    suggested: lowest < first - (1 - LOWERED) * Math.abs(first) ? (RATES[losses.indexOf(lowest)] ?? null) : null,
  };
}
