// The current parameters and running statistics as a .safetensors file, which a spec can begin with.
import { writeSafetensors } from '../engine/datasets/safetensors-format';
import type { TrainingSession } from './session';

/** Tensors of the file. Buffers whose values follow from the shape of the network are no weights. */
const weights = ({ network: { parameters, buffers } }: TrainingSession) =>
  [...parameters, ...buffers.filter(({ values }) => !values)].map(({ name, value }) => ({ name, ...value }));

export const weightBytes = (session: TrainingSession): number =>
  weights(session).reduce((sum, { data }) => sum + data.byteLength, 0);

/** Whether a spec can begin with them. */
export const hasFiniteWeights = (session: TrainingSession): boolean =>
  weights(session).every(({ data }) => data.every(Number.isFinite));

export const writeWeights = (session: TrainingSession): Uint8Array => writeSafetensors(weights(session));
