// The one way from a spec's text to a run for everybody who has a session: parsing, data, shapes and the
// rules of health together.
import type { DataFiles } from '../engine/datasets/files';
import { finish, type InPieces } from '../engine/pieces';
import { specRules } from '../health/rules';
import { type LayerCode, type LoadedRun, loadingRun } from '../spec';

/**
 * Everything that is wrong or doubtful about a spec, and the run unless there is an error; in pieces of work.
 * @param code its own layers.
 */
export const openingSpec = (text: string, files: DataFiles, code?: LayerCode): InPieces<LoadedRun> =>
  loadingRun(text, files, { rules: specRules, code });

/** The same at once. */
export const openSpec = (text: string, files: DataFiles, code?: LayerCode): LoadedRun => finish(openingSpec(text, files, code));
