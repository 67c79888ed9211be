import type { WasmEmitter } from './wasm-emitter';

/**
 * Emits the code of one kernel for these addresses, sizes and numbers, with the same bits as the kernel; returns false
 * if a call is as good.
 */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- most emitters return nothing
export type KernelEmitter = (emitter: WasmEmitter, ints: Operands, doubles: Operands) => boolean | void;

/** The integers or doubles of a call. A kernel reads as many as it has parameters, which are at most eight. */
export type Operands = readonly [number, number, number, number, number, number, number, number, ...number[]];
