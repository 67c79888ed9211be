import type { Code } from './code';

/**
 * Writes the code of one kernel for these addresses, sizes and numbers, which computes what the kernel does to the bit; false
 * where a call to it is as good.
 */
export type Unit = (code: Code, words: readonly number[], doubles: readonly number[]) => boolean | void;
