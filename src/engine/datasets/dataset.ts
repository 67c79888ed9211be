// The definition of a dataset: samples as flat arrays, and how to generate them. Files are read through functions that
// the caller passes in, so the engine accesses no file system.
import type * as z from 'zod/mini';
import type { Precision, Shape, TensorData } from '../kernels/tensor';
import type { CooperativeTask } from '../cooperative-task';
import type { Random } from '../random';
import type { DataFiles } from './data-file';
import type { DataNote } from './data-error';
import type { SampleSource } from './sample-source';

/** Values, or classes as indices or as rows of 0 and 1. */
export type TargetData = Float64Array | Int32Array | Uint8Array;

/** Some of the numbers of an input, which layers read by name. */
export interface InputGroup {
  readonly name: string;
  /** The first number in the input, which is a row. */
  readonly start: number;
  readonly shape: Shape;
}

export interface Dataset {
  readonly samples: number;
  /** Named inputs, in the order of the options. */
  readonly groups?: readonly InputGroup[];
  /** Shape of one sample's input. */
  readonly inputShape: Shape;
  /** [samples, ...inputShape], row-major. */
  readonly inputs: TensorData;
  /** Class names; undefined if targets are values. */
  readonly classes?: readonly string[];
  /** Numbers per target; 1 for classes, which are stored as indices. */
  readonly targetSize: number;
  /** [samples, targetSize]. */
  readonly targets: TargetData;
  readonly featureNames?: readonly string[];
  /** The text of each token, where inputs are the indices of tokens and targets are the tokens that follow. */
  readonly tokens?: readonly string[];
  /** Whether inputs contain NaN that must be filled with the mean of the training samples. */
  readonly fillMissing?: boolean;
  readonly notes?: readonly DataNote[];
}

/** What the options alone determine about a dataset. */
export interface DataShape {
  readonly inputShape: Shape;
  readonly targetSize: number;
  /** Number of classes; undefined if targets are values. */
  readonly classes?: number;
  readonly samples: number;
  readonly groups?: readonly InputGroup[];
  /** Bytes per stored input number; 8 by default. */
  readonly bytesPerInput?: number;
}

export interface GenerateContext<Options> {
  readonly options: Options;
  readonly random: Random;
  /** The files that the spec names. */
  readonly files: DataFiles;
  /** The precision of the network: numbers from files are stored no wider. */
  readonly precision: Precision;
  /** The loss and what it predicts. It decides where a target could be read as a value or as a class. */
  readonly loss?: { readonly kind: string; readonly target: 'values' | 'classes' | 'binary' };
}

export interface SplitFractions {
  readonly validation: number;
  readonly test: number;
}

export interface DatasetDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  /** Names that other libraries use, for "Did you mean …?". */
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly options: z.ZodMiniType<Options>;
  /** Fractions of the data held out for validation and test by default. */
  readonly defaultSplit: SplitFractions;
  /** Names that the options give to parts of the inputs; none by default. */
  inputNames?(options: Options): readonly string[];
  /** Undefined if only the file tells. Throws DataError. */
  shape(options: Options, precision: Precision): DataShape | undefined;
  /** Generates or reads the data; a cooperative task if it reads files. @throws DataError */
  generate(context: GenerateContext<Options>): Dataset | CooperativeTask<Dataset>;
  /** The samples as the files hold them, including ones that cannot be used. By default, what `generate` returns. */
  source?(context: GenerateContext<Options>): CooperativeTask<SampleSource>;
}

export const defineDataset = <const Kind extends string, Options>(
  definition: DatasetDefinition<Kind, Options>,
): DatasetDefinition<Kind, Options> => definition;
