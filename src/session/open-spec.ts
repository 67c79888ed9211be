// Opens the text of a spec as a run: parsing, data, shapes and diagnostics. Every client that has a session uses this.
import type { DataFiles } from '../engine/datasets/data-file';
import { runToCompletion, type CooperativeTask } from '../engine/cooperative-task';
import type { RuleSettings } from '../protocol/problem';
import { specRules } from '../diagnostics';
import { type CustomLayerProvider, type LoadedRun, loadRunTask, type SpecSource } from '../model-spec';

/**
 * All problems of a spec, and the run unless one is an error. A cooperative task.
 * @param customLayers the loaded custom layers
 * @param ruleSettings the user's; those of the spec take precedence
 */
export const openSpecTask = (
  source: SpecSource,
  files: DataFiles,
  customLayers?: CustomLayerProvider,
  ruleSettings?: RuleSettings,
): CooperativeTask<LoadedRun> => loadRunTask(source, files, { rules: specRules, customLayers, ruleSettings });

/** The same without interruption. */
export const openSpec = (source: SpecSource, files: DataFiles, customLayers?: CustomLayerProvider): LoadedRun =>
  runToCompletion(openSpecTask(source, files, customLayers));
