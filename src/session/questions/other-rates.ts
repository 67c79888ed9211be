// What other learning rates would have done at this step: the loss of the same batch after the same update, made longer or
// shorter. Every optimizer here moves the weights in proportion to its rate, so nothing has to be trained again.
import { kernelsOf } from '../../engine/kernels/create';
import { Network } from '../../engine/network';
import type { TrainingSession } from '../session';
import { defineQuestion } from './question';

export interface OtherRatesAnswer {
  /** The rate of the step. */
  readonly lr: number;
  /** Rising; with the rate of the step among them. */
  readonly rates: Float64Array;
  /** Loss of the step's batch after an update at each rate, in float64; penalty included. */
  readonly losses: Float64Array;
  /** Before the update. */
  readonly before: number;
}

/** A third of a decade apart, over two decades on either side. */
const FACTORS = Array.from({ length: 13 }, (_, i) => 10 ** ((i - 6) / 3));
/** Multiply-adds for all of them: a few tens of milliseconds. */
const MOST_WORK = 3e7;

export const otherRates = defineQuestion({
  about: 'other_rates',
  /** Null before the update, where the network is large, and where an update at rate 0 says nothing of others. */
  answer(session: TrainingSession, _asked: object): OtherRatesAnswer | null {
    const { network, updateRatios, pass, model, shownStep, edits } = session;
    const moved = network.parameters.filter(({ frozen }) => !frozen);
    const lr = session.rateOf(shownStep);
    // What was set by hand after the update is no part of it.
    if (shownStep === 0 || lr === 0 || edits.length > 0 || moved.length === 0 || !moved.every(({ name }) => updateRatios.has(name))) return null;
    if (model.parameterCount * pass.batch * FACTORS.length > MOST_WORK) return null;
    const copy = new Network(network.model, kernelsOf('reference', 'float64'), { batch: pass.batch, evaluationBatch: 0, optimizerTensors: 0 });
    const own = copy.pass(pass.batch);
    own.input.data.set(pass.input.data);
    own.target.data.set(pass.target.data);
    own.drawn.forEach((mask, i) => mask?.data.set(pass.drawn[i]?.data ?? []));
    const lossAt = (factor: number): number => {
      copy.parameters.forEach(({ value, name }, p) => {
        const { value: after, previous: step } = network.parameters[p];
        const share = updateRatios.has(name) ? factor - 1 : 0;
        value.data.forEach((_, i, data) => (data[i] = after.data[i] + share * step.data[i]));
      });
      return own.evaluate();
    };
    return {
      lr,
      rates: Float64Array.from(FACTORS, (factor) => lr * factor),
      losses: Float64Array.from(FACTORS, lossAt),
      before: lossAt(0),
    };
  },
});
