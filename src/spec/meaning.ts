// What a spec says, without how it is written: two texts of equal meaning are the same run.
import type { Spec } from './spec';

export interface Meaning {
  /** Equal for texts that differ in comments, order of keys with defaults, and white space only. */
  readonly whole: string;
  /** Equal as long as every step of training stays what it was; the length of the run may differ. */
  readonly trajectory: string;
}

export function meaningOf({ name, data, transforms, augment, layers, loss, optimizer, schedule, epochs, gradientCheck, source: _, sweep: __, ...rest }: Spec): Meaning {
  const trajectory = JSON.stringify({
    ...rest,
    data: { ...data, range: undefined },
    transforms: transforms.map((transform) => ({ ...transform, range: undefined })),
    augment: augment.map((augmentation) => ({ ...augmentation, range: undefined })),
    layers: layers.map((layer) => ({ ...layer, range: undefined, path: undefined })),
    loss: { ...loss, range: undefined },
    optimizer: { ...optimizer, range: undefined },
    schedule: { ...schedule, range: undefined },
    // Some schedules stretch over the whole run.
    ...(schedule.spansRun && { epochs }),
  });
  return { trajectory, whole: JSON.stringify({ name, epochs, gradientCheck, trajectory }) };
}
