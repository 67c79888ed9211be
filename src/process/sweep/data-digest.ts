import { createHash } from 'node:crypto';
import { type CompiledRun, givenValues } from '../../model-spec';

/** A digest of the values that a run is trained on: equal data, in an equal split, has an equal digest. */
export function dataDigest({ dataset, split, model }: CompiledRun): string {
  const hash = createHash('sha256');
  for (const values of [dataset.inputs, dataset.targets, split.train, ...givenValues(model)])
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return hash.digest('hex').slice(0, 16);
}
