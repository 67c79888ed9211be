// Reading a large file makes many short-lived strings. By default, V8's young generation grows to 128 MB for them.
import v8 from 'node:v8';

// Bound here, so that a custom layer cannot replace it.
const setFlags = v8.setFlagsFromString.bind(v8);

/** @param canGrow as by default */
export const setYoungGeneration = ({ canGrow }: { readonly canGrow: boolean }): void =>
  setFlags(`--semi-space-growth-factor=${canGrow ? 2 : 1}`);
