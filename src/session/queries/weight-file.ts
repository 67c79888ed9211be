// The current parameters and running statistics as a .safetensors file, which a spec can begin with.
import { writeSafetensors } from '../../engine/datasets/safetensors-format';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';

/** Bytes; a larger message would hold up the panel. */
const MAX_BYTES = 2 ** 28;

export const weightFile = defineQuery({
  type: 'weight_file',
  /** Null if the network is too large. */
  resolve({ network: { parameters, buffers } }: TrainingSession, _request: object): Uint8Array | null {
    const tensors = [...parameters, ...buffers].map(({ name, value }) => ({ name, ...value }));
    const bytes = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
    return bytes <= MAX_BYTES ? writeSafetensors(tensors) : null;
  },
});
