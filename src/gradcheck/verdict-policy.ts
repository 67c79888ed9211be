// The verdict on one entry: one difference at the given step, and if the two values differ, several. Knows no network
// and no layer; it only evaluates the loss along the entry.
import type { Verdict } from '../protocol/check-report';
import { RichardsonExtrapolation, STEP_RATIO, type Estimate } from './richardson-extrapolation';
import type { LossSlice } from './loss-slice';
import type { CheckOptions } from './options';

/** Values below this many times the round-off error of a derivative count as 0. */
const NOISE_FLOOR_FACTOR = 10;
/** An estimate is trusted up to this many error bars. */
const ERROR_BAR_FACTOR = 10;
/** An estimate whose trusted error exceeds this share of the values is inconclusive. */
const MAX_RELATIVE_ERROR_BAR = 0.1;
/** A derivative is visible if it changes the loss by this many times its round-off. */
const VISIBLE_NOISE_FACTOR = 1000;
/** Steps as shares of max(1, |w|): the smallest normally used, the largest, and the smallest of all. */
const FINEST_STEP = 2 ** -36;
const LONGEST_STEP = 0.25;
const SHORTEST_STEP = 2 ** -48;

export const stepScale = (value: number): number => Math.max(1, Math.abs(value));

export class VerdictPolicy {
  /** The numeric value of the last verdict. */
  numeric = NaN;
  /**
   * Its error bar: at least round-off, the disagreement if several steps were tried, half the difference of the sides
   * on a kink.
   */
  errorBar = NaN;

  /**
   * @param loss the unperturbed loss of the batch
   * @param noise a bound of its round-off
   */
  constructor(
    readonly options: CheckOptions,
    readonly loss: number,
    readonly noise: number,
  ) {}

  decide(slice: LossSlice, analytic: number): Verdict {
    this.numeric = NaN;
    this.errorBar = NaN;
    // A loss that is not finite has no derivative to compare with.
    if (!Number.isFinite(this.loss)) return 'below_noise';
    const step = this.stepSizeAt(slice.start);
    const above = slice.lossAt(slice.start + step);
    return (
      this.decideAtFixedStep(slice.start, above, slice.lossAt(slice.start - step), analytic) ??
      this.decideByExtrapolation(slice, analytic)
    );
  }

  /** The step to each side. */
  stepSizeAt(start: number): number {
    return this.options.step * stepScale(start);
  }

  /**
   * The verdict from one difference, of the losses one step above and below; null if that is not conclusive. Requires a
   * finite loss.
   */
  decideAtFixedStep(start: number, above: number, below: number, analytic: number): Verdict | null {
    const step = this.stepSizeAt(start);
    const numeric = (above - below) / (start + step - (start - step));
    this.numeric = numeric;
    const noise = this.noise / step;
    this.errorBar = noise;
    if (!Number.isFinite(analytic)) return 'wrong';
    const magnitude = Math.max(Math.abs(analytic), Math.abs(numeric));
    if (magnitude <= Math.max(NOISE_FLOOR_FACTOR * noise, this.options.atol)) return 'below_noise';
    if (Math.abs(analytic - numeric) <= this.#tolerance(magnitude) + noise) return 'pass';
    return null;
  }

  #tolerance(magnitude: number): number {
    return this.options.atol + this.options.rtol * magnitude;
  }

  /** The verdict from as many differences as necessary, after a single one was not conclusive. */
  decideByExtrapolation(slice: LossSlice, analytic: number): Verdict {
    const step = this.stepSizeAt(slice.start);
    const extrapolation = new RichardsonExtrapolation(slice, this.loss, this.noise);
    const scale = stepScale(slice.start);
    const isSettled = (estimate: Estimate): boolean => extrapolation.size > 2 && this.#isSettled(estimate, analytic);
    let best: Estimate | undefined;
    for (let h = step; h >= Math.min(step, FINEST_STEP * scale); h /= STEP_RATIO) {
      if (!extrapolation.addStep(h)) continue;
      best = extrapolation.bestEstimate();
      if (best && (isSettled(best) || this.noise / h > best.errorBar)) break;
    }
    // Longer steps have less round-off, until they cross a kink.
    for (let h = step * STEP_RATIO; h <= LONGEST_STEP * scale && !extrapolation.crossedKink; h *= STEP_RATIO) {
      if (best && isSettled(best)) break;
      if (!extrapolation.addStep(h)) break;
      best = extrapolation.bestEstimate();
    }
    if (best) {
      this.numeric = best.value;
      this.errorBar = best.errorBar;
      const magnitude = Math.max(Math.abs(analytic), Math.abs(best.value));
      if (magnitude <= Math.max((NOISE_FLOOR_FACTOR * this.noise) / best.step, this.options.atol)) return 'below_noise';
      const error = Math.abs(analytic - best.value);
      if (this.#isResolved(best, magnitude)) {
        if (error <= this.#tolerance(magnitude) + ERROR_BAR_FACTOR * best.errorBar) return 'pass';
        return this.#confirmWrong(slice, analytic, extrapolation, best);
      }
    }
    if (extrapolation.crossedKink) return this.#decideAtKink(slice, analytic);
    return best ? 'below_noise' : 'wrong';
  }

  /** Whether more steps could not change the verdict. */
  #isSettled(estimate: Estimate, analytic: number): boolean {
    const { value, errorBar } = estimate;
    const magnitude = Math.max(Math.abs(analytic), Math.abs(value));
    const tolerance = this.#tolerance(magnitude);
    const error = Math.abs(analytic - value);
    if (error <= tolerance) return ERROR_BAR_FACTOR * errorBar <= tolerance;
    return (
      error > tolerance + ERROR_BAR_FACTOR * ERROR_BAR_FACTOR * errorBar &&
      value !== 0 &&
      this.#isResolved(estimate, magnitude)
    );
  }

  /**
   * Whether the estimate is meaningful for values of this magnitude. An estimate that is small compared with backprop's
   * value but still changes with the step is not: the loss may be steeper than the step can resolve.
   */
  #isResolved({ value, errorBar, step }: Estimate, magnitude: number): boolean {
    const isConverged =
      ERROR_BAR_FACTOR * errorBar <= MAX_RELATIVE_ERROR_BAR * Math.abs(value) ||
      errorBar <= (NOISE_FLOOR_FACTOR * this.noise) / step;
    return isConverged && ERROR_BAR_FACTOR * errorBar <= MAX_RELATIVE_ERROR_BAR * magnitude;
  }

  /** Before an entry is called wrong: two cases in which an accurate estimate is misleading. */
  #confirmWrong(slice: LossSlice, analytic: number, extrapolation: RichardsonExtrapolation, best: Estimate): Verdict {
    // A kink that no layer declares, such as a clip in a loss: the one-sided derivatives stay apart as the step
    // shrinks.
    const { jump, left, right } = best;
    if (
      jump > ERROR_BAR_FACTOR * ERROR_BAR_FACTOR * best.errorBar &&
      jump > ERROR_BAR_FACTOR * (this.noise / best.step)
    ) {
      extrapolation.addStep(best.step / STEP_RATIO);
      const finer = extrapolation.finestStep();
      const jumpPersists = finer && finer.step < best.step && Math.abs(finer.jump - jump) < 0.1 * jump;
      if (jumpPersists && this.#isBetween(analytic, left, right, ERROR_BAR_FACTOR * best.errorBar)) return 'kink';
    }
    // The loss may be so steep that every step skipped the relevant range: tests backprop's value at the shortest step
    // that can show it.
    const shortest = Math.max(
      (VISIBLE_NOISE_FACTOR * this.noise) / Math.abs(analytic),
      SHORTEST_STEP * stepScale(slice.start),
    );
    if (shortest >= best.step / STEP_RATIO) return 'wrong';
    const steepExtrapolation = new RichardsonExtrapolation(slice, this.loss, this.noise);
    if (!steepExtrapolation.addStep(shortest)) return 'wrong';
    if (
      Math.abs(steepExtrapolation.finestDerivative - best.value) <=
      ERROR_BAR_FACTOR * (best.errorBar + this.noise / shortest)
    )
      return 'wrong';
    for (let h = shortest * STEP_RATIO; steepExtrapolation.size < 4 && steepExtrapolation.addStep(h); h *= STEP_RATIO);
    const steepEstimate = steepExtrapolation.bestEstimate();
    if (!steepEstimate) return 'wrong';
    this.numeric = steepEstimate.value;
    this.errorBar = steepEstimate.errorBar;
    const magnitude = Math.max(Math.abs(analytic), Math.abs(steepEstimate.value));
    if (!this.#isResolved(steepEstimate, magnitude)) return 'below_noise';
    return Math.abs(analytic - steepEstimate.value) <=
      this.#tolerance(magnitude) + ERROR_BAR_FACTOR * steepEstimate.errorBar
      ? 'pass'
      : 'wrong';
  }

  /** Every step crosses a kink, which lies at the entry's value or too close to it. */
  #decideAtKink(slice: LossSlice, analytic: number): Verdict {
    const scale = stepScale(slice.start);
    let sides: { left: number; right: number; bar: number } | undefined;
    for (const h of [2 ** -16 * scale, 2 ** -20 * scale, 2 ** -24 * scale]) {
      const long = this.#oneSidedDerivatives(slice, h);
      const short = this.#oneSidedDerivatives(slice, h / STEP_RATIO);
      const bar =
        Math.max(Math.abs(long.left - short.left), Math.abs(long.right - short.right)) + (STEP_RATIO * this.noise) / h;
      if (!sides || bar < sides.bar) sides = { ...short, bar };
    }
    if (!sides || !Number.isFinite(sides.bar)) return 'wrong';
    this.numeric = (sides.left + sides.right) / 2;
    this.errorBar = Math.abs(sides.right - sides.left) / 2 + sides.bar;
    if (this.#isBetween(analytic, sides.left, sides.right, ERROR_BAR_FACTOR * sides.bar)) return 'kink';
    return this.#decideOffKinks(slice, analytic);
  }

  /**
   * If several units are on kinks at once, the one-sided derivatives do not bound the right gradient: some units switch
   * on to the right, others to the left. The derivatives with all of them held on one side, and then on the other, do.
   */
  #decideOffKinks(slice: LossSlice, analytic: number): Verdict {
    const low = this.#derivativeOffKinks(slice, -1);
    const high = this.#derivativeOffKinks(slice, 1);
    slice.nudgeOffKinks(0, 1);
    if (!low || !high) return 'wrong';
    const bar = ERROR_BAR_FACTOR * Math.max(low.bar, high.bar);
    if (!this.#isBetween(analytic, low.value, high.value, bar)) return 'wrong';
    this.numeric = (low.value + high.value) / 2;
    this.errorBar = Math.abs(high.value - low.value) / 2 + Math.max(low.bar, high.bar);
    const isResolved = bar <= MAX_RELATIVE_ERROR_BAR * Math.max(Math.abs(analytic), Math.abs(this.numeric));
    return isResolved && !low.exact ? 'pass' : 'kink';
  }

  /** The derivative with all inputs kept away from their kinks, from two distances. */
  #derivativeOffKinks(slice: LossSlice, side: 1 | -1): { value: number; bar: number; exact: boolean } | undefined {
    const scale = stepScale(slice.start);
    const derivatives: number[] = [];
    let exact = 0;
    let step = scale;
    for (const distance of [1e-5, 1e-5 / STEP_RATIO]) {
      exact = slice.nudgeOffKinks(distance, side);
      const loss = slice.lossAt(slice.start);
      const extrapolation = new RichardsonExtrapolation(slice, loss, this.noise);
      step = (distance / STEP_RATIO) * scale;
      while (!extrapolation.addStep(step)) {
        step /= STEP_RATIO;
        if (step < FINEST_STEP * scale) return undefined;
      }
      derivatives.push(extrapolation.finestDerivative);
    }
    // The distance has a first-order effect, so it is extrapolated to 0.
    const value = derivatives[1]! + (derivatives[1]! - derivatives[0]!) / (STEP_RATIO - 1);
    return { value, bar: Math.abs(derivatives[1]! - derivatives[0]!) + this.noise / step, exact: exact > 0 };
  }

  #oneSidedDerivatives(slice: LossSlice, step: number): { left: number; right: number } {
    const low = slice.start - step;
    const high = slice.start + step;
    return {
      left: (this.loss - slice.lossAt(low)) / (slice.start - low),
      right: (slice.lossAt(high) - this.loss) / (high - slice.start),
    };
  }

  #isBetween(value: number, a: number, b: number, bar: number): boolean {
    const margin = this.#tolerance(Math.max(Math.abs(value), Math.abs(a), Math.abs(b))) + bar;
    return value >= Math.min(a, b) - margin && value <= Math.max(a, b) + margin;
  }
}
