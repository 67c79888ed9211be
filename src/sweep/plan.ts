// From a spec to the runs of its sweep: every combination of the values that it lists, each a spec of its own.
import { parseSpec, type Problem, type SweepOption } from '../spec';
import { judgeVariant } from '../spec/parse';
import { sweepFaults, withoutSweep, withValue } from '../spec/sweep';

/** A value of each option that is swept, by its path. */
export type Settings = Readonly<Record<string, unknown>>;

export interface PlannedRun {
  readonly settings: Settings;
  /** The spec of this run alone. */
  readonly text: string;
}

export interface SweepPlan {
  readonly options: readonly SweepOption[];
  /** The spec without its sweep. */
  readonly spec: unknown;
  /** The last option changes fastest. */
  readonly runs: readonly PlannedRun[];
}

export interface Planned {
  /** Undefined where a problem is an error, and where the spec sweeps nothing. */
  readonly plan?: SweepPlan;
  readonly problems: readonly Problem[];
  /** What is wrong with the options that were given beside the spec. */
  readonly faults: readonly { readonly option: string; readonly message: string; readonly remedy: string }[];
}

/** The options of a spec with others in their place or beside them. */
export function mergeOptions(own: readonly SweepOption[], more: readonly SweepOption[]): SweepOption[] {
  const kept = own.map((option) => more.find(({ path }) => path === option.path) ?? option);
  return [...kept, ...more.filter(({ path }) => !own.some((option) => option.path === path))];
}

/** The text of a run with these settings. */
export const variantText = (spec: unknown, settings: Settings): string =>
  JSON.stringify(Object.entries(settings).reduce((value, [path, chosen]) => withValue(value, path, chosen), spec), null, 2);

const combinations = (options: readonly SweepOption[]): Settings[] =>
  options.reduce<Settings[]>(
    (all, { path, values }) => all.flatMap((settings) => values.map((value) => ({ ...settings, [path]: value }))),
    [{}],
  );

/** @param more options that were asked for beside those of the spec. */
export function planSweep(text: string, more: readonly SweepOption[] = []): Planned {
  const { spec, problems } = parseSpec(text);
  if (!spec) return { problems, faults: [] };
  const options = mergeOptions(spec.sweep, more);
  const faults = more.length === 0 ? [] : sweepFaults(spec.source.value, options, judgeVariant);
  if (faults.length > 0) {
    return { problems, faults: faults.map(({ option, message, remedy }) => ({ option: options[option].path, message, remedy })) };
  }
  if (options.length === 0) return { problems, faults: [] };
  const base = withoutSweep(spec.source.value);
  const runs = combinations(options).map((settings): PlannedRun => ({
    settings,
    // Made when it is needed: a spec may hold its data, and there may be thousands of runs.
    get text() {
      return variantText(base, settings);
    },
  }));
  return { plan: { options, spec: base, runs }, problems, faults: [] };
}
