// The one way from a spec's text to a run for everybody who has a session: parsing, data, shapes and the
// rules of health together.
import { specRules } from '../health/rules';
import { checkSpec, loadRun, type CheckedSpec, type LoadedRun, type ReadText } from '../spec';

/** Everything that is wrong or doubtful about a spec, and the run unless there is an error. */
export const openSpec = (text: string, readText: ReadText): LoadedRun => loadRun(text, readText, { rules: specRules });

/** The same problems without making the data, for text that is being typed. */
export const lintSpec = (text: string, readText: ReadText): CheckedSpec => checkSpec(text, readText, { rules: specRules });
