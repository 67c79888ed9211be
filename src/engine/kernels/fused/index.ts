// A module made for one tape: the kernels on it with their addresses and sizes written into the code, one after the other,
// without loops where they are small. Same operations in the same order as the kernels, hence the same bits. What no unit
// writes is a call of the kernel.
import type { Operation } from '../tape';
import { type Import, moduleOf } from './bytes';
import { Code, type Source, type Varying } from './code';
import * as elementwise from './elementwise';
import * as losses from './losses';
import * as products from './products';
import * as rows from './rows';
import type { Unit } from './unit';

/** By the kernel's name. */
const units: Readonly<Record<string, Unit>> = { ...elementwise, ...losses, ...products, ...rows };

/** Bytes of code from which on the machine would no longer read it fast enough. */
const MOST_BYTES = 60_000;

/** Kernels whose units hand on their numbers as they are. */
const HANDING_ON: readonly string[] = ['scale', 'combine', 'combineSquares', 'addQuotient'];

export interface Fused {
  readonly bytes: Uint8Array;
  /** Kernels that it calls. */
  readonly imports: readonly Import[];
}

/** The module for what is on a tape of float32 kernels, again and again; null where it would be too large. @param sources what it copies from, and nothing else */
export function fuse(operations: readonly Operation[], sources: readonly Source[], relaxed: boolean, pages: number, varying: Varying | null = null): Fused | null {
  const imports = [...new Map(operations.map(({ name, words, doubles, returns }) => [name, { name, words: words.length, doubles: doubles.length, returns }])).values()];
  const code = new Code(relaxed, sources, varying);
  for (const { name, words, doubles, returns } of operations) {
    if (varying && !HANDING_ON.includes(name) && doubles.some((double) => varying.standIns.includes(double))) return null;
    const written = name in units && units[name](code, words, doubles) !== false;
    if (!written) code.call(imports.findIndex((each) => each.name === name), words, doubles, returns);
    if (code.size > MOST_BYTES) return null;
  }
  return { bytes: moduleOf(imports, code.bytes(), pages), imports };
}
