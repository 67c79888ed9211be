// The first NaN or infinity of a run.
import type { NonFinite } from '../protocol/frame';
import { formatIndex } from './tensor-index';

/** `linear2, output [3, 0]`. */
export const nonFiniteLocation = ({ where, tensor, index }: NonFinite): string =>
  `${where}, ${tensor}${index.length > 0 ? ` ${formatIndex(index)}` : ''}`;

/** Where the value occurred, and what to do. */
export const describeNonFinite = (found: NonFinite): string =>
  `${nonFiniteLocation(found)} was the first to become ${found.value}. ${found.remedy}`;
