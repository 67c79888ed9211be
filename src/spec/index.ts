// From a spec's text to a run. See docs/spec.md for what a spec may say.
export type { CompiledRun, GradientCheckOptions } from './compiled';
export { type LayerCode, notAllowed } from './layer-code';
export { checkSpec, loadingRun, loadRun, type CheckedSpec, type LoadedRun, type LoadOptions } from './load';
export { formatBytes, MEMORY_LIMIT } from './memory';
export { type Meaning, meaningOf } from './meaning';
export { parseSpec, type ParseResult } from './parse';
export type { Problem } from './problem';
export { resolve, type Resolved, type SpecRule } from './resolve';
export type { Path, Range } from './source';
export { type LayerFigures, type ReceptiveField, summarize } from './summary';
export type { SweepOption } from './sweep';
export type { Spec, SpecLayer, SpecUnit } from './spec';
