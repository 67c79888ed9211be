// All initializers. To add one, add a file to this folder and a line to the table.
import type * as z from 'zod/mini';
import { constant, zeros } from './constant';
import { fanInUniform } from './fan-in-uniform';
import { kaimingNormal, kaimingUniform } from './kaiming';
import { lecunNormal, lecunUniform } from './lecun';
import { normal } from './normal';
import { orthogonal } from './orthogonal';
import { uniform } from './uniform';
import { xavierNormal, xavierUniform } from './xavier';

export const initializers = {
  fan_in_uniform: fanInUniform,
  xavier_uniform: xavierUniform,
  xavier_normal: xavierNormal,
  kaiming_uniform: kaimingUniform,
  kaiming_normal: kaimingNormal,
  lecun_uniform: lecunUniform,
  lecun_normal: lecunNormal,
  orthogonal,
  normal,
  uniform,
  constant,
  zeros,
} as const;

export type InitializerKind = keyof typeof initializers;

/** An initializer with its options, as in a spec: `{ "type": "normal", "std": 0.1 }`. */
export type InitializerOptions = {
  [K in InitializerKind]: { readonly type: K } & z.output<(typeof initializers)[K]['options']>;
}[InitializerKind];
