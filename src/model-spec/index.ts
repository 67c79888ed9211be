// From a spec's text to a run. docs/spec.md describes specs.
export type { CompiledRun, GradientCheckOptions } from './compiled-run';
export {
  type CustomLayerProvider,
  type CustomLayerReference,
  type CustomRole,
  codeNotAllowedProblems,
  listCustomLayers,
} from './custom-layers';
export {
  checkSpec,
  checkSpecTask,
  loadRunTask,
  loadRun,
  type CheckedSpec,
  type LoadedRun,
  type LoadOptions,
  type SpecSource,
  dataErrorToProblem,
} from './load';
export { type CooperativeTask, runToCompletion } from '../engine/cooperative-task';
export { ownParameters } from '../engine/network-model';
export { EVALUATION_BATCH, formatBytes, MEMORY_LIMIT } from './memory';
export { type SpecFingerprint, fingerprintSpec } from './fingerprint';
export { givenValues } from './initial-weights';
export { createEditorSchema, editorSchemaToText } from './editor-schema';
export { explainIssues } from './explain-issues';
export { getJsonSchema, toJsonSchema } from './json-schema';
export { checkVariant, parseSpec, parseSpecTask, type ParseResult } from './parse';
export { isNamedInput } from './infer-shapes';
export { type LayerMention, listLayerMentions, renamableAt, renameLayer } from './layer-names';
export { locationAt, type SpecLocationAt } from './location-at';
export { componentSummary, specReferenceAnchor } from './spec-docs';
export { applyTextEdit, editSpec, type TextEdit } from './edit-spec';
export { didYouMean, plainNames } from './name-suggestions';
export { openSourceTask } from './read-data';
export { resolve, type Resolved } from './resolve';
export { effectiveThreshold, type SpecRule, type Threshold } from './spec-rule';
export { createProblem, parseSource, type Path, type Range, type Source } from './spec-source';
export { summarize } from './summary';
export { findSweepIssues, withoutSweep, withValue, type SweepOption } from './sweep';
export type { Spec, SpecLayer, SpecComponent } from './spec';
