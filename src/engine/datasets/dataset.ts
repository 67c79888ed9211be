// What a dataset is: samples as flat arrays, and how they are made. Files are read through a function
// that the caller gives, so that the engine itself touches no file system.
import type * as z from 'zod/mini';
import type { Precision, Shape, TensorData } from '../kernels/tensor';
import type { InPieces } from '../pieces';
import type { Random } from '../random';
import type { DataFiles } from './files';

/** Path below `data` in the spec, such as ['path'] or ['inputs', 3]. */
export type OptionPath = readonly (string | number)[];

/** Values, or what belongs to classes: indexes, or rows of 0 and 1. */
export type TargetData = Float64Array | Int32Array | Uint8Array;

export interface Dataset {
  readonly samples: number;
  /** Shape of one input. */
  readonly inputShape: Shape;
  /** [samples, ...inputShape], row-major. */
  readonly inputs: TensorData;
  /** Class names; absent when the targets are values. */
  readonly classes?: readonly string[];
  /** Numbers in one target; 1 for classes, which are stored as their index. */
  readonly targetSize: number;
  /** [samples, targetSize]. */
  readonly targets: TargetData;
  readonly featureNames?: readonly string[];
}

/** What is known of a dataset from its options alone. */
export interface DataShape {
  readonly inputShape: Shape;
  readonly targetSize: number;
  /** Number of classes; absent when the targets are values. */
  readonly classes?: number;
  readonly samples: number;
  /** Of a number in an input, as it is stored; 8 unless told. */
  readonly bytesPerInput?: number;
}

/** Something is wrong with the data: where (a path into the options), what, and what to do. */
export class DataError extends Error {
  constructor(
    message: string,
    readonly remedy: string,
    readonly path: OptionPath = [],
  ) {
    super(message);
    this.name = 'DataError';
  }
}

export interface GenerateContext<Options> {
  readonly options: Options;
  readonly random: Random;
  /** The files that the spec names. */
  readonly files: DataFiles;
  /** What the network computes in: numbers from files are kept no wider than that. */
  readonly precision: Precision;
}

export interface Split {
  readonly validation: number;
  readonly test: number;
}

export interface DatasetDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  readonly summary: string;
  readonly options: z.ZodMiniType<Options>;
  /** Shares held out when the spec does not say. */
  readonly split: Split;
  /** Undefined where only the file tells. Throws DataError. */
  shape(options: Options): DataShape | undefined;
  /** In pieces where files are read. Throws DataError. */
  generate(context: GenerateContext<Options>): Dataset | InPieces<Dataset>;
}

export const defineDataset = <const Kind extends string, Options>(
  definition: DatasetDefinition<Kind, Options>,
): DatasetDefinition<Kind, Options> => definition;
