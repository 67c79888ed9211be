// The one way from a spec's text to a run for everybody who has a session: parsing, data, shapes and the
// rules of health together.
import { specRules } from '../health/rules';
import { type LayerCode, loadRun, type LoadedRun, type ReadText } from '../spec';

/** Everything that is wrong or doubtful about a spec, and the run unless there is an error. @param code its own layers. */
export const openSpec = (text: string, readText: ReadText, code?: LayerCode): LoadedRun =>
  loadRun(text, readText, { rules: specRules, code });
