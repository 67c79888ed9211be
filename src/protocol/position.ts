// The position of a run, and the names of a step's phases and of the data's splits.

/** `step` updates are done, and `phase` phases of the next step. */
export interface Position {
  readonly step: number;
  readonly phase: number;
}

/** A part of a training step after which it can stop; layers by index. */
export type Phase =
  | { readonly kind: 'zero_grad' }
  | { readonly kind: 'forward'; readonly layer: number }
  | { readonly kind: 'loss' }
  | { readonly kind: 'loss_backward' }
  | { readonly kind: 'backward'; readonly layer: number }
  | { readonly kind: 'update' };

export const SPLIT_NAMES = ['train', 'validation', 'test'] as const;
export type SplitName = (typeof SPLIT_NAMES)[number];

/** The step in progress, or at the end of a step, the step just done. Counted from 1; 0 before the first. */
export interface BatchPosition {
  readonly epoch: number;
  readonly batch: number;
  readonly samples: number;
  /** Index in the data of its first sample; before the first step, of the first training sample. */
  readonly firstSample: number;
}
