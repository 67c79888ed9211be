// Rules that warn about a spec that can run but will hardly do what its author wants, and the settings that silence or
// tune them.
import type { Problem, RuleSettings } from '../protocol/problem';
import type { CompiledRun } from './compiled-run';
import type { Resolved } from './resolve';

export interface Threshold {
  readonly value: number;
  /** The quantity that is compared with it. */
  readonly quantity: string;
  readonly source: string;
}

export interface SpecRule {
  /** Stable, in kebab case; the code of its problems. */
  readonly id: string;
  /** The codes of its problems, if they differ from its id. */
  readonly codes?: readonly string[];
  /** When it fires, in one sentence. */
  readonly summary: string;
  readonly threshold?: Threshold;
  /** Problems that follow from the text and the shapes. @param threshold NaN for a rule without one */
  check?(resolved: Resolved, threshold: number): readonly Problem[];
  /** Problems of the data, after it is read and transformed. */
  checkData?(resolved: Resolved, run: CompiledRun, threshold: number): readonly Problem[];
}

/** The threshold to use; null for a rule that is off. */
export function effectiveThreshold(
  { id, threshold }: { readonly id: string; readonly threshold?: Threshold },
  settings: RuleSettings,
): number | null {
  const setting = Object.hasOwn(settings, id) ? settings[id] : undefined;
  return setting === 'off' ? null : (setting ?? threshold?.value ?? NaN);
}

/** The problems that the rules find, without those that the settings silence by rule or by code. */
export const applyRules = (
  rules: readonly SpecRule[],
  settings: RuleSettings,
  find: (rule: SpecRule, threshold: number) => readonly Problem[] | undefined,
): Problem[] =>
  rules.flatMap((rule) => {
    const threshold = effectiveThreshold(rule, settings);
    if (threshold === null) return [];
    return (find(rule, threshold) ?? []).filter(
      ({ code }) => !Object.hasOwn(settings, code) || settings[code] !== 'off',
    );
  });
