// The encoding of numbers and sections in a WebAssembly module. Source: WebAssembly Core Specification 2.0, chapter 5.
import { F64, I32 } from './instructions';

/** An unsigned integer below 2^32, 7 bits at a time, lowest first. */
export function unsignedLeb128(n: number): number[] {
  const bytes: number[] = [];
  for (; n >= 128; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
  bytes.push(n);
  return bytes;
}

/** A 32-bit integer; values from 2^31 on are encoded as the signed integer with the same bits. */
export function signedLeb128(n: number): number[] {
  const bytes: number[] = [];
  for (let rest = n | 0; ; rest >>= 7) {
    const low = rest & 127;
    if (rest >> 6 === 0 || rest >> 6 === -1) return [...bytes, low];
    bytes.push(low | 128);
  }
}

export const float32Bytes = (x: number): number[] => [...new Uint8Array(new Float32Array([x]).buffer)];
export const float64Bytes = (x: number): number[] => [...new Uint8Array(new Float64Array([x]).buffer)];

const encodeName = (text: string): number[] => [
  ...unsignedLeb128(text.length),
  ...Array.from(text, (letter) => letter.charCodeAt(0)),
];
const encodeSection = (id: number, items: readonly (readonly number[])[]): number[] => {
  const content = [...unsignedLeb128(items.length), ...items.flat()];
  return [id, ...unsignedLeb128(content.length), ...content];
};

/** A function that a module imports: its number of integer parameters, and of float64 parameters after those. */
export interface WasmImport {
  readonly name: string;
  readonly ints: number;
  readonly doubles: number;
  /** Whether it returns a float64. */
  readonly returnsValue: boolean;
}

/**
 * A module that imports functions and a shared memory of up to `pages` from `env`. It exports one function, `run`, with
 * this body, which takes three integers and returns one.
 */
export function encodeModule(imports: readonly WasmImport[], body: readonly number[], maxPages: number): Uint8Array {
  const types = [
    [0x60, 3, I32, I32, I32, 1, I32],
    ...imports.map(({ ints, doubles, returnsValue }) => [
      0x60,
      ...unsignedLeb128(ints + doubles),
      ...Array<number>(ints).fill(I32),
      ...Array<number>(doubles).fill(F64),
      ...(returnsValue ? [1, F64] : [0]),
    ]),
  ];
  const memory = [
    ...encodeName('env'),
    ...encodeName('memory'),
    0x02,
    0x03,
    ...unsignedLeb128(1),
    ...unsignedLeb128(maxPages),
  ];
  const functions = imports.map((each, i) => [
    ...encodeName('env'),
    ...encodeName(each.name),
    0x00,
    ...unsignedLeb128(i + 1),
  ]);
  // Spreading a long list into `push` would overflow the stack.
  return Uint8Array.from(
    [
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      encodeSection(1, types),
      encodeSection(2, [memory, ...functions]),
      encodeSection(3, [[0x00]]),
      encodeSection(7, [[...encodeName('run'), 0x00, ...unsignedLeb128(imports.length)]]),
      encodeSection(10, [[...unsignedLeb128(body.length), ...body]]),
    ].flat(),
  );
}
