// Reads a spec's text as far as it can be judged without running it: all but the data in files, which the
// engine process reads when the spec is opened.
import { specRules } from '../health/rules';
import { checkSpec, parseSpec } from '../spec';
import type { SpecText } from './run-options';

/** Thrown to leave the check where it asks for a file. */
class NeedsFile extends Error {}

function refuseFiles(): never {
  throw new NeedsFile();
}

export function readSpecText(text: string): SpecText {
  try {
    const { spec, resolved, problems } = checkSpec(text, refuseFiles, { rules: specRules });
    return { text, spec: resolved && spec, problems };
  } catch (error) {
    if (!(error instanceof NeedsFile)) throw error;
    return { text, ...parseSpec(text) };
  }
}
