// What layers that join several inputs have in common.
import { formatShape, type Shape, type Tensor } from '../kernels/tensor';
import type { BackwardContext, ForwardContext, InputsMismatch } from './layer';

/** For joins that take two inputs or more. */
export const TWO_OR_MORE = { min: 2, max: Infinity } as const;

export const allInputs = ({ input, otherInputs }: ForwardContext<unknown>): readonly Tensor[] => [
  input,
  ...otherInputs,
];

export const allInputGradients = ({
  gradInput,
  gradOtherInputs,
}: BackwardContext<unknown>): readonly (Tensor | null)[] => [gradInput, ...gradOtherInputs];

/** For joins that work element by element. @param verb in the third person: "adds" */
export const checkEqualShapes =
  (verb: string) =>
  (inputs: readonly Shape[]): InputsMismatch | undefined => {
    const other = inputs.findIndex((shape) => formatShape(shape) !== formatShape(inputs[0]!));
    return other < 0
      ? undefined
      : { requirement: `${verb} inputs of one shape`, positions: [0, other], remedy: 'Give both the same shape.' };
  };
