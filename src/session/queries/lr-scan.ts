// The effect of other learning rates at this step: the loss of the same batch after the same update, scaled. Every
// optimizer here moves the weights in proportion to its rate, so nothing needs to be trained again.
import type { LrScan } from '../../protocol/queries';
import { createBackend } from '../../engine/kernels/create-kernels';
import { Network } from '../../engine/network';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';

/** A third of a decade apart, over two decades in each direction. */
const LR_FACTORS = Array.from({ length: 13 }, (_, i) => 10 ** ((i - 6) / 3));
/** Maximum number of multiply-adds for all of them: a few tens of milliseconds. */
const MAX_MACS = 3e7;

export const lrScan = defineQuery({
  type: 'lr_scan',
  /** Null before the update, if the network is large, and if the update had rate 0. */
  resolve(session: TrainingSession, _request: object): LrScan | null {
    const { network, updateRatios, pass, model, shownStep, edits } = session;
    const trainable = network.parameters.filter(({ frozen }) => !frozen);
    const lr = session.learningRateOf(shownStep);
    // Manual changes after the update are not part of it.
    if (
      shownStep === 0 ||
      lr === 0 ||
      edits.length > 0 ||
      trainable.length === 0 ||
      !trainable.every(({ name }) => updateRatios.has(name))
    )
      return null;
    if (model.parameterCount * pass.batchSize * LR_FACTORS.length > MAX_MACS) return null;
    const copy = new Network(network.model, createBackend('reference', 'float64'), {
      batchSize: pass.batchSize,
      evaluationBatchSize: 0,
      optimizerStateTensors: 0,
    });
    const copyPass = copy.trainingPass(pass.batchSize);
    copyPass.input.data.set(pass.input.data);
    copyPass.target.data.set(pass.target.data);
    copyPass.masks.forEach((mask, i) => mask?.data.set(pass.masks[i]?.data ?? []));
    const lossAt = (factor: number): number => {
      copy.parameters.forEach(({ value, name }, p) => {
        const { value: after, previous: step } = network.parameters[p]!;
        const share = updateRatios.has(name) ? factor - 1 : 0;
        value.data.forEach((_, i, data) => (data[i] = after.data[i]! + share * step.data[i]!));
      });
      return copyPass.evaluate();
    };
    return {
      lr,
      rates: Float64Array.from(LR_FACTORS, (factor) => lr * factor),
      losses: Float64Array.from(LR_FACTORS, lossAt),
      lossBefore: lossAt(0),
    };
  },
});
