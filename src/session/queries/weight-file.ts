// The current parameters and running statistics as a .safetensors file, which a spec can begin with.
import type { TrainingSession } from '../session';
import { weightBytes, writeWeights } from '../write-weights';
import { defineQuery } from './query';

/** Bytes; a larger message would hold up the panel. */
const MAX_BYTES = 2 ** 28;

export const weightFile = defineQuery({
  type: 'weight_file',
  /** Null if the network is too large. */
  resolve(session: TrainingSession, _request: object): Uint8Array | null {
    return weightBytes(session) <= MAX_BYTES ? writeWeights(session) : null;
  },
});
