// What an augmentation is: a random change of a training sample, new at every step. Never applied in evaluation.
import type * as z from 'zod/mini';
import type { Shape, Tensor, TensorData } from '../kernels/tensor';
import { Random } from '../random';

export interface AugmentContext<Options> {
  readonly options: Options;
  /** The image that begins at `from`; changed in place. */
  readonly data: TensorData;
  readonly from: number;
  /** Of the image: channels, height, width. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Room for an image, to work in. */
  readonly scratch: TensorData;
  readonly random: Random;
}

export interface AugmentationDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  readonly summary: string;
  readonly options: z.ZodMiniType<Options>;
  apply(context: AugmentContext<Options>): void;
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

/** Changes every sample of a batch; a pure function of the seed, the step (counted from 0) and the place in the batch. */
export function augment(augmentations: readonly Augmentation[], { shape: [rows, ...shape], data }: Tensor, seed: number, step: number): void {
  const [width, height, channels = 1] = shape.toReversed();
  const size = data.length / rows;
  const scratch = data.slice(0, size);
  augmentations.forEach(({ definition, options }, index) => {
    const random = new Random(seed, 'augment').stream(String(index)).stream(String(step));
    for (let from = 0; from < data.length; from += size) {
      definition.apply({ options, data, from, channels, height, width, scratch, random });
    }
  });
}
