// The precision that a module computes in. The build compiles every module twice: with this file as it is,
// and with f64 in place of f32.
export type real = f32;
