// Inputs with names: parts of each sample that layers read by name. The samples stay rows of numbers, one part after
// the other.
import * as z from 'zod/mini';
import { numel, type Shape } from '../kernels/tensor';
import type { InputGroup } from './dataset';

/** Each becomes a layer. */
const MAX_INPUTS = 100;

/** As long as that of a layer. */
const inputName = z.string().check(
  z.minLength(1),
  z.maxLength(100),
  z.refine((name) => name !== 'input', {
    error: '"input" is all inputs together.',
    params: { code: 'duplicate-name', remedy: 'Choose another name.' },
  }),
);

/** An object from names to what each of them takes. */
export const namedInputs = <Value>(value: z.ZodMiniType<Value>) =>
  z.record(inputName, value).check(
    z.refine((given) => Object.keys(given).length > 0, {
      error: 'There is no input.',
      params: { code: 'missing-option', remedy: 'Name at least one.' },
    }),
    z.refine((given) => Object.keys(given).length <= MAX_INPUTS, {
      error: `There are more than ${MAX_INPUTS} named inputs.`,
      params: { code: 'out-of-range', remedy: 'Join some of them.' },
    }),
  );

/** The names of inputs that are given as an object. */
export const inputNamesOf = (inputs: unknown): readonly string[] =>
  typeof inputs === 'object' && inputs !== null && !Array.isArray(inputs) ? Object.keys(inputs) : [];

/** One after the other. */
export function inputGroups(parts: readonly { readonly name: string; readonly shape: Shape }[]): InputGroup[] {
  let end = 0;
  return parts.map(({ name, shape }) => {
    const start = end;
    end += numel(shape);
    return { name, start, shape };
  });
}
