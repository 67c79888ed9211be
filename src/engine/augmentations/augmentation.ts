// The definition of an augmentation: a random change of training samples, drawn at every step. Not applied in
// evaluation.
import type * as z from 'zod/mini';
import type { Shape, Tensor, TensorData } from '../kernels/tensor';
import { Random } from '../random';

export interface AugmentContext<Options> {
  readonly options: Options;
  /** The images; the one to change in place begins at `from`. */
  readonly data: TensorData;
  readonly from: number;
  /** The shape of the image: channels, height, width. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Scratch memory for one image. */
  readonly scratch: TensorData;
  readonly random: Random;
}

export interface AugmentationDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  /** Names that other libraries use, for "Did you mean …?". */
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly options: z.ZodMiniType<Options>;
  apply(context: AugmentContext<Options>): void;
  /** For one that removes part of an image: the share that is lost on average. */
  lostShare?(options: Options, height: number, width: number): number;
  /** For one whose strength depends on the size of the image: the usual options. */
  usualOptions?(height: number, width: number): Options;
}

export const defineAugmentation = <const Kind extends string, Options>(
  definition: AugmentationDefinition<Kind, Options>,
): AugmentationDefinition<Kind, Options> => definition;

export interface Augmentation {
  readonly definition: AugmentationDefinition;
  readonly options: unknown;
}

/** Whether samples of this shape are images: height × width, or channels × height × width. */
export const isImage = (shape: Shape): boolean => shape.length === 2 || shape.length === 3;

/** Augments every sample of a batch: a pure function of the seed, the step (counted from 0) and the row. */
export function augment(
  augmentations: readonly Augmentation[],
  { shape: [rows, ...shape], data }: Tensor,
  seed: number,
  step: number,
): void {
  const [width, height, channels = 1] = shape.toReversed() as [number, number, number?];
  const size = data.length / rows!;
  const scratch = data.slice(0, size);
  augmentations.forEach(({ definition, options }, index) => {
    const random = new Random(seed, 'augment').stream(String(index)).stream(String(step));
    for (let from = 0; from < data.length; from += size) {
      definition.apply({ options, data, from, channels, height, width, scratch, random });
    }
  });
}
