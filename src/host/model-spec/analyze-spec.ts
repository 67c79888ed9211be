// Analyzes a spec's text as far as possible without running it: everything but the data in files, which the engine
// process reads when the spec is opened.
import { l10n } from 'vscode';
import type { Problem, RuleSettings } from '../../protocol/problem';
import { specRules } from '../../diagnostics';
import { checkSpecTask, type CooperativeTask, getJsonSchema, parseSpecTask, runToCompletion } from '../../model-spec';
import type { SpecAnalysis } from '../run/run-options';

/** Characters. Analyzing more would block the extension host for too long. */
const MAX_LENGTH = 1_000_000;

/** Leaves the check at the point where it would read a file. */
class FileRequiredError extends Error {}

const rejectFile = (): never => {
  throw new FileRequiredError();
};
const rejectingFiles = { open: rejectFile, decompress: rejectFile };

export const analyzeSpec = (text: string, ruleSettings: RuleSettings = {}): SpecAnalysis =>
  runToCompletion(analyzeSpecTask(text, ruleSettings));

export function* analyzeSpecTask(text: string, ruleSettings: RuleSettings = {}): CooperativeTask<SpecAnalysis> {
  if (text.length > MAX_LENGTH) return { text, problems: [createTooLongProblem(text)] };
  const parsed = yield* parseSpecTask(text);
  yield 'parsed';
  try {
    const checked = yield* checkSpecTask(parsed, rejectingFiles, { rules: specRules, ruleSettings });
    const { spec, resolved, problems } = checked;
    const hasErrors = problems.some(({ severity }) => severity === 'error');
    return { text, spec: hasErrors ? undefined : spec, resolved, problems };
  } catch (error) {
    if (!(error instanceof FileRequiredError)) throw error;
    return { text, ...parsed };
  }
}

/** Builds what explains the first mistake, so that the key that makes it does not wait for that. */
export const prepareExplanations = (): void => void getJsonSchema();

function createTooLongProblem(text: string): Problem {
  return {
    code: 'too-long',
    severity: 'error',
    start: MAX_LENGTH,
    end: text.length,
    message: l10n.t('This spec has {0} million characters. The limit is one million.', (text.length / 1e6).toFixed(1)),
    remedy: l10n.t('Move the data to a CSV file and name it in "data".'),
  };
}
