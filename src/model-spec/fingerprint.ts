// Fingerprints of a spec: equal for texts that differ in formatting only.
import type { Spec } from './spec';

export interface SpecFingerprint {
  /** Equal for texts that differ only in comments, white space, key order and written-out defaults. */
  readonly full: string;
  /** Equal if all training steps are the same; the length of the run may differ. */
  readonly trajectory: string;
}

export function fingerprintSpec({
  name,
  data,
  transforms,
  augment,
  layers,
  loss,
  auxiliaryLosses,
  optimizer,
  schedule,
  epochs,
  gradientCheck,
  rules,
  source: _,
  sweep: __,
  ...rest
}: Spec): SpecFingerprint {
  const trajectory = JSON.stringify({
    ...rest,
    data: { ...data, range: undefined },
    transforms: transforms.map((transform) => ({ ...transform, range: undefined })),
    augment: augment.map((augmentation) => ({ ...augmentation, range: undefined })),
    layers: layers.map((layer) => ({
      ...layer,
      range: undefined,
      path: undefined,
      block: undefined,
      blocks: undefined,
    })),
    loss: { ...loss, range: undefined },
    ...(auxiliaryLosses.length > 0 && {
      auxiliaryLosses: auxiliaryLosses.map((auxiliary) => ({ ...auxiliary, range: undefined })),
    }),
    optimizer: { ...optimizer, range: undefined },
    schedule: { ...schedule, range: undefined },
    // Some schedules depend on the length of the run.
    ...(schedule.spansRun && { epochs }),
  });
  return { trajectory, full: JSON.stringify({ name, epochs, gradientCheck, rules, trajectory }) };
}
