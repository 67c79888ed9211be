// From three answers to a spec that trains: what the data is, what to predict, which kind of network.
export { builtInData, type BuiltInData } from './built-in-data';
export { type FileChoice, lookAtFile } from './look-at-file';
export type { Goal, ModelData, Target } from './model-data';
export { networksFor, type NetworkKind } from './networks';
export { writeSpec } from './write-spec';
