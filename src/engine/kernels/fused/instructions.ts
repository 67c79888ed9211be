// The opcodes of the instructions in a fused step. Source: WebAssembly Core Specification 3.0 (the first with relaxed
// SIMD), section 5.4.

/** Types of locals. */
export const I32 = 0x7f;
export const F64 = 0x7c;
export const V128 = 0x7b;

export const LOCAL_GET = 0x20;
export const LOCAL_SET = 0x21;
export const LOCAL_TEE = 0x22;
export const SIMD = 0xfd;

/** Opcodes of instructions on vectors of four float32; on two float64 where the name ends in Doubles. */
export const BINARY_OPERATIONS = {
  notEqual: 0x42,
  less: 0x43,
  lessOrEqual: 0x45,
  and: 0x4e,
  andnot: 0x4f,
  or: 0x50,
  add: 0xe4,
  subtract: 0xe5,
  multiply: 0xe6,
  divide: 0xe7,
  min: 0xe8,
  max: 0xe9,
  pmin: 0xea,
  pmax: 0xeb,
  equalDoubles: 0x47,
  addDoubles: 0xf0,
  subtractDoubles: 0xf1,
  multiplyDoubles: 0xf2,
  divideDoubles: 0xf3,
  pmaxDoubles: 0xf7,
} as const;
export const UNARY_OPERATIONS = {
  absolute: 0xe0,
  negate: 0xe1,
  squareRoot: 0xe3,
  absoluteDoubles: 0xec,
  promote: 0x5f,
  demote: 0x5e,
} as const;
export const SHIFTS = { left: 0xab } as const;
export const LOAD = 0x00;
export const LOAD_SPLAT = 0x09;
export const STORE = 0x0b;
export const V128_CONST = 0x0c;
export const SHUFFLE = 0x0d;
export const STORE32_LANE = 0x5a;
export const STORE64_LANE = 0x5b;
export const F64X2_EXTRACT_LANE = 0x21;
export const RELAXED_MADD = 0x105;

/** Latency in cycles, by opcode, where it is not the default. */
export const LATENCIES = new Map<number, number>([
  [LOAD, 7],
  [LOAD_SPLAT, 7],
  [BINARY_OPERATIONS.multiply, 4],
  [BINARY_OPERATIONS.multiplyDoubles, 4],
  [RELAXED_MADD, 5],
  [BINARY_OPERATIONS.divide, 11],
  [UNARY_OPERATIONS.squareRoot, 15],
  [BINARY_OPERATIONS.divideDoubles, 14],
  [UNARY_OPERATIONS.promote, 4],
  [UNARY_OPERATIONS.demote, 4],
]);
export const DEFAULT_LATENCY = 3;
