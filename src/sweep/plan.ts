// Plans the runs of a sweep: every combination of the listed values, each as its own spec.
import type { Problem } from '../protocol/problem';
import type { Settings } from '../protocol/sweep';
import {
  type ParseResult,
  type SweepOption,
  checkVariant,
  findSweepIssues,
  withoutSweep,
  withValue,
} from '../model-spec';

export interface PlannedRun {
  readonly settings: Settings;
  /** The spec of this run alone. */
  readonly text: string;
}

export interface SweepPlan {
  readonly options: readonly SweepOption[];
  /** The spec without its sweep section. */
  readonly spec: unknown;
  /** The last option varies fastest. */
  readonly runs: readonly PlannedRun[];
}

export interface PlanResult {
  /** Undefined if a problem is an error, or if the spec has no sweep. */
  readonly plan?: SweepPlan;
  readonly problems: readonly Problem[];
  /** Problems of options that were given in addition to the spec. */
  readonly optionErrors: readonly { readonly option: string; readonly message: string; readonly remedy: string }[];
}

/** The options of a spec, with others replacing or extending them. */
export function mergeOptions(specOptions: readonly SweepOption[], extraOptions: readonly SweepOption[]): SweepOption[] {
  const merged = specOptions.map((option) => extraOptions.find(({ path }) => path === option.path) ?? option);
  return [...merged, ...extraOptions.filter(({ path }) => !specOptions.some((option) => option.path === path))];
}

/** The text of a run with these settings. */
export const variantText = (spec: unknown, settings: Settings): string =>
  JSON.stringify(
    Object.entries(settings).reduce((value, [path, chosen]) => withValue(value, path, chosen), spec),
    null,
    2,
  );

const combinations = (options: readonly SweepOption[]): Settings[] =>
  options.reduce<Settings[]>(
    (all, { path, values }) => all.flatMap((settings) => values.map((value) => ({ ...settings, [path]: value }))),
    [{}],
  );

/** A spec, unless it has errors, and its problems. */
export type SweepSource = Pick<ParseResult, 'spec' | 'problems'>;

/** @param extraOptions options in addition to those of the spec, or instead of them. */
export function planSweep({ spec, problems }: SweepSource, extraOptions: readonly SweepOption[] = []): PlanResult {
  if (!spec) return { problems, optionErrors: [] };
  const options = mergeOptions(spec.sweep, extraOptions);
  const faults = extraOptions.length === 0 ? [] : findSweepIssues(spec.source.value, options, checkVariant);
  if (faults.length > 0) {
    return {
      problems,
      optionErrors: faults.map(({ option, message, remedy }) => ({ option: options[option]!.path, message, remedy })),
    };
  }
  if (options.length === 0) return { problems, optionErrors: [] };
  const base = withoutSweep(spec.source.value);
  const runs = combinations(options).map((settings): PlannedRun => ({
    settings,
    // Computed on demand: a spec may contain its data, and there may be thousands of runs.
    get text() {
      return variantText(base, settings);
    },
  }));
  return { plan: { options, spec: base, runs }, problems, optionErrors: [] };
}
