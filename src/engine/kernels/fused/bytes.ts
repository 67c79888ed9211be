// Numbers and sections as a WebAssembly module holds them. Source: WebAssembly Core Specification 2.0, chapter 5.
import { F64, I32 } from './instructions';

/** An unsigned integer below 2^32, 7 bits at a time, the lowest first. */
export function unsigned(n: number): number[] {
  const bytes: number[] = [];
  for (; n >= 128; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
  bytes.push(n);
  return bytes;
}

/** An integer of 32 bits; from 2^31 on, it stands for the one with the same bits. */
export function signed(n: number): number[] {
  const bytes: number[] = [];
  for (let rest = n | 0; ; rest >>= 7) {
    const low = rest & 127;
    if (rest >> 6 === 0 || rest >> 6 === -1) return [...bytes, low];
    bytes.push(low | 128);
  }
}

export const floatBytes = (x: number): number[] => [...new Uint8Array(new Float32Array([x]).buffer)];
export const doubleBytes = (x: number): number[] => [...new Uint8Array(new Float64Array([x]).buffer)];

const name = (text: string): number[] => [...unsigned(text.length), ...[...text].map((letter) => letter.charCodeAt(0))];
const section = (id: number, items: readonly (readonly number[])[]): number[] => {
  const content = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
};

/** A function that a module imports: how many integers it takes, and how many doubles after those. */
export interface Import {
  readonly name: string;
  readonly words: number;
  readonly doubles: number;
  /** Whether it returns a double, or nothing. */
  readonly returns: boolean;
}

/**
 * A module that imports functions and a shared memory of up to `pages` from `env`, and exports one function, `run`, with
 * this body, which takes three integers and returns one.
 */
export function moduleOf(imports: readonly Import[], body: readonly number[], pages: number): Uint8Array {
  const types = [
    [0x60, 3, I32, I32, I32, 1, I32],
    ...imports.map(({ words, doubles, returns }) => [0x60, ...unsigned(words + doubles), ...Array<number>(words).fill(I32), ...Array<number>(doubles).fill(F64), ...(returns ? [1, F64] : [0])]),
  ];
  const memory = [...name('env'), ...name('memory'), 0x02, 0x03, ...unsigned(1), ...unsigned(pages)];
  const functions = imports.map((each, i) => [...name('env'), ...name(each.name), 0x00, ...unsigned(i + 1)]);
  // Spread into `push` a long list would overflow the stack.
  return Uint8Array.from(
    [
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(1, types),
      section(2, [memory, ...functions]),
      section(3, [[0x00]]),
      section(7, [[...name('run'), 0x00, ...unsigned(imports.length)]]),
      section(10, [[...unsigned(body.length), ...body]]),
    ].flat(),
  );
}
