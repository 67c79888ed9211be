// The precision of a module. The build compiles every module twice: with this file unchanged, and with f64 instead of
// f32.
export type real = f32;
