// The history of findings: evaluates the rules at some steps of a run and keeps since when, and until when, each holds.
import { weightNormsOf } from '../../presentation/weight-stats';
import { type CompiledRun, effectiveThreshold, parseSpec } from '../../model-spec';
import type { RunFinding } from '../../protocol/finding';
import type { Evaluation } from '../../protocol/frame';
import type { LayerStats } from '../../protocol/layer-stats';
import type { ModelInfo } from '../../protocol/model-info';
import type { Detection, PastEvaluation, PastStep, RunRule, StepObservation } from './run-rule';

/** More would not be read. */
const MAX_FINDINGS = 50;

/**
 * Steps that are observed, a function of the step alone: all up to 16, then eight for each doubling.
 * @returns the first one after `step`
 */
export function nextObservedStep(step: number): number {
  const stride = 2 ** Math.max(0, Math.floor(Math.log2(step + 1)) - 3);
  return (Math.floor(step / stride) + 1) * stride;
}

/** A detection that has not held for long enough, or does. */
interface Streak {
  readonly since: number;
  readonly count: number;
}

export class RunMonitor {
  readonly #rules: readonly { readonly rule: RunRule; readonly threshold: number }[];
  readonly #run: CompiledRun;
  readonly #model: ModelInfo;
  readonly #text: string;
  /** Steps up to this one were observed before the run was restored. */
  #restoredTo = 0;
  /** Statistics of the latest observed step. */
  lastStats: readonly LayerStats[] | null = null;
  #past: readonly PastStep[] = [];
  #evaluations: PastEvaluation[] = [];
  #streaks: ReadonlyMap<string, Streak> = new Map();
  /** Findings, keyed by rule and layer, in the order of the rules. */
  #findings: ReadonlyMap<string, RunFinding> = new Map();

  /** @param text the spec's, for fixes */
  constructor(rules: readonly RunRule[], run: CompiledRun, model: ModelInfo, text: string) {
    this.#run = run;
    this.#model = model;
    this.#text = text;
    this.#rules = rules.flatMap((rule) => {
      const threshold = effectiveThreshold(rule, run.ruleSettings);
      return threshold === null ? [] : [{ rule, threshold }];
    });
  }

  /** 0 before the first. */
  get lastObservedStep(): number {
    return this.#past.at(-1)?.step ?? this.#restoredTo;
  }

  /** Why no finding with this code can ever be reported, as a sentence; null if one can. */
  whyNever(code: string): string | null {
    const known = this.#rules.find(({ rule }) => rule.id === code);
    if (!known) return `The rule ${code} is off in the settings of this run.`;
    return known.rule.impossible?.(this.#model) ?? null;
  }

  /** Continues the history of a run that was observed up to a step. */
  restore(findings: readonly RunFinding[], step: number): void {
    this.#findings = new Map(findings.map((finding) => [`${finding.code} ${finding.layer ?? ''}`, finding]));
    this.#restoredTo = step;
  }

  /** Causes before effects: by the step at which they began, then in the order of the rules. */
  get findings(): readonly RunFinding[] {
    const order = this.#rules.map(({ rule }) => rule.id);
    return [...this.#findings.values()]
      .sort((a, b) => a.since - b.since || order.indexOf(a.code) - order.indexOf(b.code))
      .slice(0, MAX_FINDINGS);
  }

  /** Losses and accuracies of the splits after a step. */
  recordEvaluation(step: number, evaluation: Evaluation): void {
    const last = this.#evaluations.at(-1)?.step ?? 0;
    if (step < last) return;
    if (step === last) this.#evaluations.pop();
    this.#evaluations.push({ step, evaluation });
  }

  /** Steps that were observed before are ignored. */
  observe(step: StepObservation): void {
    if (step.step <= this.lastObservedStep) return;
    const observation = {
      ...step,
      run: this.#run,
      model: this.#model,
      past: this.#past,
      evaluations: this.#evaluations,
    };
    const streaks = new Map<string, Streak>();
    const findings = new Map<string, RunFinding>();
    for (const { rule, threshold } of this.#rules) {
      const detected = new Map(
        rule.check(observation, threshold).map((each) => [`${rule.id} ${each.layer ?? ''}`, each]),
      );
      for (const [key, finding] of this.#findings) {
        if (finding.code !== rule.id || detected.has(key)) continue;
        findings.set(key, { ...finding, until: finding.until ?? this.lastObservedStep });
      }
      for (const [key, detection] of detected) {
        const { since, count } = this.#streaks.get(key) ?? { since: step.step, count: 0 };
        streaks.set(key, { since, count: count + 1 });
        const before = this.#findings.get(key);
        if (detection.isCertain || count + 1 >= (rule.persistence ?? 1))
          findings.set(key, this.#createFinding(rule, detection, { since, reported: step.step }, before));
        else if (before) findings.set(key, before);
      }
    }
    this.lastStats = step.layers;
    this.#streaks = streaks;
    this.#findings = findings;
    const weightNorms = weightNormsOf(this.#model, step.layers);
    this.#past = [...this.#past, { step: step.step, loss: step.loss, lr: step.lr, weightNorms }];
  }

  /** Steps after this one no longer hold. */
  truncate(step: number): void {
    this.#restoredTo = Math.min(this.#restoredTo, step);
    this.#past = this.#past.filter((each) => each.step <= step);
    this.#evaluations = this.#evaluations.filter((each) => each.step <= step);
    this.#streaks = new Map();
    this.#findings = new Map(
      [...this.#findings]
        .filter(([, { since }]) => since <= step)
        .map(([key, finding]) => [
          key,
          { ...withoutLaterReport(finding, step), ...((finding.until ?? 0) >= step && { until: null }) },
        ]),
    );
  }

  /** A finding that comes back continues, with its first step. */
  #createFinding(
    { id, isFailure }: RunRule,
    { layer, observation, remedy, fix }: Detection,
    { since, reported }: { readonly since: number; readonly reported: number },
    before: RunFinding | undefined,
  ): RunFinding {
    // A remedy and its fix belong together.
    if (before) return { reported, ...before, observation, remedy: before.fix ? before.remedy : remedy, until: null };
    const { spec } = fix ? parseSpec(this.#text) : {};
    return {
      code: id,
      layer,
      since,
      reported,
      until: null,
      ...(isFailure && { isFailure }),
      observation,
      remedy,
      ...(fix && spec && { fix: fix(spec) }),
    };
  }
}

/** It holds at this step, but is reported later. */
function withoutLaterReport(finding: RunFinding, step: number): RunFinding {
  if ((finding.reported ?? 0) <= step) return finding;
  const { reported: _, ...rest } = finding;
  return rest;
}
