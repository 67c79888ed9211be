// Breakpoints on what is found out about the run: findings of the rules, and wrong gradients in checks while training.
// Where they stop is kept with the run, so that going back and forward again finds the same steps.
import { formatConclusion, hasWrongGradient } from '../presentation/check-summary';
import type { BreakpointPlace, Discovery } from '../protocol/breakpoints';
import type { CheckReport } from '../protocol/check-report';
import type { RunFinding } from '../protocol/finding';
import type { TrainingSession } from './session';

/** A breakpoint that can never be hit. The message is one sentence or more for people. */
export class UnreachableError extends Error {
  override name = 'UnreachableError';
}

interface FindingBreakpoint {
  readonly id: number;
  readonly codes: ReadonlySet<string>;
}

interface CheckBreakpoint {
  readonly id: number;
  readonly every: number;
}

interface FailedCheck {
  readonly step: number;
  readonly message: string;
}

/** What stops the run after a step. */
export interface DiscoveryHit {
  /** Counted from 1. */
  readonly step: number;
  readonly ids: readonly number[];
  readonly discovery: Discovery;
}

const reportedAt = ({ reported, since }: RunFinding): number => reported ?? since;

export class Discoveries {
  readonly #session: TrainingSession;
  #onFindings: FindingBreakpoint[] = [];
  #onChecks: CheckBreakpoint[] = [];
  #failedChecks: FailedCheck[] = [];

  constructor(session: TrainingSession) {
    this.#session = session;
  }

  get isEmpty(): boolean {
    return this.#onFindings.length === 0 && this.#onChecks.length === 0;
  }

  /** Steps between the checks that breakpoints ask for. */
  get checkEvery(): number {
    return Math.min(Infinity, ...this.#onChecks.map(({ every }) => every));
  }

  clear(): void {
    this.#onFindings = [];
    this.#onChecks = [];
  }

  /** @throws UnreachableError if it can never be hit */
  add(
    id: number,
    on: Extract<BreakpointPlace, { readonly findings: unknown } | { readonly checkEvery: unknown }>,
  ): void {
    const { monitor, run } = this.#session;
    if ('checkEvery' in on) {
      const every = on.checkEvery ?? run.gradientCheck.every;
      if (every <= 0)
        throw new UnreachableError(
          'Gradients are not checked while this run trains. Set "every" of "gradient_check" in the spec, or give the number of steps between checks as the condition.',
        );
      this.#onChecks.push({ id, every });
      return;
    }
    const reasons = on.findings.map((code) => monitor.whyNever(code));
    if (reasons.every((reason) => reason !== null)) throw new UnreachableError([...new Set(reasons)].join(' '));
    this.#onFindings.push({ id, codes: new Set(on.findings) });
  }

  /** What was found after this step. */
  at(step: number): DiscoveryHit | null {
    if (this.isEmpty) return null;
    const [first, ...others] = this.#all().filter((hit) => hit.step === step);
    return first ? { ...first, ids: [...new Set([first, ...others].flatMap(({ ids }) => ids))] } : null;
  }

  /** The first step after this one that is known to stop the run; Infinity for none. */
  nextAfter(step: number): number {
    return this.isEmpty ? Infinity : Math.min(Infinity, ...this.#steps().filter((each) => each > step));
  }

  /** The last step before this one at which the run stops; 0 for none. */
  lastBefore(step: number): number {
    return Math.max(0, ...this.#steps().filter((each) => each < step));
  }

  /** A check while training is done. */
  recordCheck(report: CheckReport): void {
    if (!hasWrongGradient(report)) return;
    const step = this.#session.position.step;
    this.#failedChecks = [
      ...this.#failedChecks.filter((each) => each.step !== step),
      { step, message: formatConclusion(report) },
    ];
  }

  /** Steps after this one no longer follow. */
  truncate(step: number): void {
    this.#failedChecks = this.#failedChecks.filter((check) => check.step <= step);
  }

  #steps(): number[] {
    return this.#all().map(({ step }) => step);
  }

  #all(): DiscoveryHit[] {
    const found = this.#session.monitor.findings.flatMap((finding): DiscoveryHit[] => {
      const ids = this.#onFindings.flatMap(({ id, codes }) => (codes.has(finding.code) ? id : []));
      return ids.length > 0 ? [{ step: reportedAt(finding), ids, discovery: describeFinding(finding) }] : [];
    });
    const failed = this.#failedChecks.flatMap(({ step, message }): DiscoveryHit[] => {
      const ids = this.#onChecks.flatMap(({ id, every }) => (step % every === 0 ? id : []));
      return ids.length > 0 ? [{ step, ids, discovery: { code: 'wrong-gradient', layer: null, message } }] : [];
    });
    return [...found, ...failed];
  }
}

function describeFinding({ code, layer, observation, remedy, since, reported = since }: RunFinding): Discovery {
  const begin = since < reported ? ` It holds since step ${since}.` : '';
  return { code, layer, message: `${observation}${begin} ${remedy}` };
}
