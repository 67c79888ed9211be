// Reads a spec's text as far as it can be judged without running it: all but the data in files, which the
// engine process reads when the spec is opened.
import { specRules } from '../health/rules';
import { checkSpec, parseSpec, type Problem } from '../spec';
import type { SpecText } from './run-options';

/** Characters. Reading more would hold up everything else in the editor. */
const MOST = 1_000_000;

/** Thrown to leave the check where it asks for a file. */
class NeedsFile extends Error {}

const refused = (): never => {
  throw new NeedsFile();
};
const refuseFiles = { open: refused, unpack: refused };

export function readSpecText(text: string): SpecText {
  if (text.length > MOST) return { text, problems: [tooLong(text)] };
  try {
    const { spec, resolved, problems } = checkSpec(text, refuseFiles, { rules: specRules });
    const broken = problems.some(({ severity }) => severity === 'error');
    return { text, spec: broken ? undefined : spec, resolved, problems };
  } catch (error) {
    if (!(error instanceof NeedsFile)) throw error;
    return { text, ...parseSpec(text) };
  }
}

function tooLong(text: string): Problem {
  return {
    code: 'too-long',
    severity: 'error',
    start: MOST,
    end: text.length,
    message: `This spec has ${(text.length / 1e6).toFixed(1)} million characters; the editor reads up to one million.`,
    remedy: 'Put the data into a CSV file, and name it in "data".',
  };
}
