// The verdict on one entry: a quick look at the step that was asked for, and where the two values differ, a
// careful one. Holds no network and knows no layer: it asks the loss along the entry, nothing else.
import { Ladder, RATIO, type Estimate } from './ladder';
import type { LossLine } from './line';
import type { CheckOptions } from './options';
import type { Verdict } from './report';

/** Values below this many times the error that round-off leaves in a slope are not told from 0. */
const FLOOR = 10;
/** An estimate is trusted to this many error bars. */
const TRUST = 10;
/** An estimate whose trusted error exceeds this share of the values says nothing about them. */
const RESOLVED = 0.1;
/** A slope shows where it changes the loss by this many times the round-off. */
const SHOWS = 1000;
/** Steps as shares of max(1, |w|): the finest by rule, the longest, and the finest at all. */
const FINEST = 2 ** -36;
const LONGEST = 0.25;
const SHORTEST = 2 ** -48;

export const scaleOf = (value: number): number => Math.max(1, Math.abs(value));

export class Judge {
  /** The numeric value that the last verdict rests on. */
  numeric = NaN;
  /** Its error bar: round-off at least; where several steps were tried, how far they disagree; on a kink half the jump. */
  bar = NaN;

  /**
   * @param loss the loss of the batch, nothing moved.
   * @param noise bound of the round-off in it.
   */
  constructor(
    readonly options: CheckOptions,
    readonly loss: number,
    readonly noise: number,
  ) {}

  judge(line: LossLine, analytic: number): Verdict {
    this.numeric = NaN;
    this.bar = NaN;
    // A loss that is not finite has no slope: there is nothing to compare with.
    if (!Number.isFinite(this.loss)) return 'below_noise';
    const step = this.stepAt(line.start);
    const above = line.at(line.start + step);
    return this.glance(line.start, above, line.at(line.start - step), analytic) ?? this.closely(line, analytic);
  }

  /** How far a value is moved to each side. */
  stepAt(start: number): number {
    return this.options.step * scaleOf(start);
  }

  /**
   * The verdict by one difference, of the losses a step above and below; null where that does not settle it. For a loss
   * that is finite.
   */
  glance(start: number, above: number, below: number, analytic: number): Verdict | null {
    const step = this.stepAt(start);
    const numeric = (above - below) / (start + step - (start - step));
    this.numeric = numeric;
    const noise = this.noise / step;
    this.bar = noise;
    if (!Number.isFinite(analytic)) return 'wrong';
    const magnitude = Math.max(Math.abs(analytic), Math.abs(numeric));
    if (magnitude <= Math.max(FLOOR * noise, this.options.atol)) return 'below_noise';
    if (Math.abs(analytic - numeric) <= this.#slack(magnitude) + noise) return 'pass';
    return null;
  }

  #slack(magnitude: number): number {
    return this.options.atol + this.options.rtol * magnitude;
  }

  /** The verdict by as many differences as it takes, after a glance did not settle it. */
  closely(line: LossLine, analytic: number): Verdict {
    const step = this.stepAt(line.start);
    const ladder = new Ladder(line, this.loss, this.noise);
    const scale = scaleOf(line.start);
    const settled = (estimate: Estimate): boolean => ladder.size > 2 && this.#settled(estimate, analytic);
    let best: Estimate | undefined;
    for (let h = step; h >= Math.min(step, FINEST * scale); h /= RATIO) {
      if (!ladder.add(h)) continue;
      best = ladder.best();
      if (best && (settled(best) || this.noise / h > best.bar)) break;
    }
    // Longer steps have less round-off; a kink ends them.
    for (let h = step * RATIO; h <= LONGEST * scale && !ladder.crossed; h *= RATIO) {
      if (best && settled(best)) break;
      if (!ladder.add(h)) break;
      best = ladder.best();
    }
    if (best) {
      this.numeric = best.value;
      this.bar = best.bar;
      const magnitude = Math.max(Math.abs(analytic), Math.abs(best.value));
      if (magnitude <= Math.max((FLOOR * this.noise) / best.step, this.options.atol)) return 'below_noise';
      const error = Math.abs(analytic - best.value);
      if (this.#resolved(best, magnitude)) {
        if (error <= this.#slack(magnitude) + TRUST * best.bar) return 'pass';
        return this.#confirm(line, analytic, ladder, best);
      }
    }
    if (ladder.crossed) return this.#atKink(line, analytic);
    return best ? 'below_noise' : 'wrong';
  }

  /** Whether more steps would not change the verdict. */
  #settled(estimate: Estimate, analytic: number): boolean {
    const { value, bar } = estimate;
    const magnitude = Math.max(Math.abs(analytic), Math.abs(value));
    const slack = this.#slack(magnitude);
    const error = Math.abs(analytic - value);
    if (error <= slack) return TRUST * bar <= slack;
    return error > slack + TRUST * TRUST * bar && value !== 0 && this.#resolved(estimate, magnitude);
  }

  /**
   * Whether the estimate tells anything about values of this magnitude. One that is small beside backprop's but
   * still moves with the step is none: the loss may be steeper than the step can see.
   */
  #resolved({ value, bar, step }: Estimate, magnitude: number): boolean {
    const converged = TRUST * bar <= RESOLVED * Math.abs(value) || bar <= (FLOOR * this.noise) / step;
    return converged && TRUST * bar <= RESOLVED * magnitude;
  }

  /** Before an entry is called wrong: two ways in which an estimate can be exact and mislead all the same. */
  #confirm(line: LossLine, analytic: number, ladder: Ladder, best: Estimate): Verdict {
    // A kink that no layer declares, such as a clip in a loss: the two slopes keep apart as the step shrinks.
    const { jump, left, right } = best;
    if (jump > TRUST * TRUST * best.bar && jump > TRUST * (this.noise / best.step)) {
      ladder.add(best.step / RATIO);
      const finer = ladder.smallest();
      const kept = finer && finer.step < best.step && Math.abs(finer.jump - jump) < 0.1 * jump;
      if (kept && this.#between(analytic, left, right, TRUST * best.bar)) return 'kink';
    }
    // A loss so steep that every step leapt over the slope: backprop's claim gets the shortest step that can show it.
    const shortest = Math.max((SHOWS * this.noise) / Math.abs(analytic), SHORTEST * scaleOf(line.start));
    if (shortest >= best.step / RATIO) return 'wrong';
    const trial = new Ladder(line, this.loss, this.noise);
    if (!trial.add(shortest)) return 'wrong';
    if (Math.abs(trial.slope - best.value) <= TRUST * (best.bar + this.noise / shortest)) return 'wrong';
    for (let h = shortest * RATIO; trial.size < 4 && trial.add(h); h *= RATIO);
    const close = trial.best();
    if (!close) return 'wrong';
    this.numeric = close.value;
    this.bar = close.bar;
    const magnitude = Math.max(Math.abs(analytic), Math.abs(close.value));
    if (!this.#resolved(close, magnitude)) return 'below_noise';
    return Math.abs(analytic - close.value) <= this.#slack(magnitude) + TRUST * close.bar ? 'pass' : 'wrong';
  }

  /** Every step crosses a kink: it lies at the entry's own value, or too close to it to be stepped around. */
  #atKink(line: LossLine, analytic: number): Verdict {
    const scale = scaleOf(line.start);
    let sides: { left: number; right: number; bar: number } | undefined;
    for (const h of [2 ** -16 * scale, 2 ** -20 * scale, 2 ** -24 * scale]) {
      const long = this.#slopes(line, h);
      const short = this.#slopes(line, h / RATIO);
      const bar = Math.max(Math.abs(long.left - short.left), Math.abs(long.right - short.right)) + (RATIO * this.noise) / h;
      if (!sides || bar < sides.bar) sides = { ...short, bar };
    }
    if (!sides || !Number.isFinite(sides.bar)) return 'wrong';
    this.numeric = (sides.left + sides.right) / 2;
    this.bar = Math.abs(sides.right - sides.left) / 2 + sides.bar;
    if (this.#between(analytic, sides.left, sides.right, TRUST * sides.bar)) return 'kink';
    return this.#besideKinks(line, analytic);
  }

  /**
   * Where several units lie on kinks at once, the slopes to the two sides of the entry do not bound what a right
   * backprop may say: some units switch on to the right, others to the left. Holding all of them on one side,
   * then on the other, does.
   */
  #besideKinks(line: LossLine, analytic: number): Verdict {
    const low = this.#heldSlope(line, -1);
    const high = this.#heldSlope(line, 1);
    line.nudge(0, 1);
    if (!low || !high) return 'wrong';
    const bar = TRUST * Math.max(low.bar, high.bar);
    if (!this.#between(analytic, low.value, high.value, bar)) return 'wrong';
    this.numeric = (low.value + high.value) / 2;
    this.bar = Math.abs(high.value - low.value) / 2 + Math.max(low.bar, high.bar);
    const resolved = bar <= RESOLVED * Math.max(Math.abs(analytic), Math.abs(this.numeric));
    return resolved && !low.exact ? 'pass' : 'kink';
  }

  /** The slope with all kinked inputs held off their kinks, from two distances. */
  #heldSlope(line: LossLine, side: 1 | -1): { value: number; bar: number; exact: boolean } | undefined {
    const scale = scaleOf(line.start);
    const held: number[] = [];
    let exact = 0;
    let step = scale;
    for (const distance of [1e-5, 1e-5 / RATIO]) {
      exact = line.nudge(distance, side);
      const loss = line.at(line.start);
      const ladder = new Ladder(line, loss, this.noise);
      step = (distance / RATIO) * scale;
      while (!ladder.add(step)) {
        step /= RATIO;
        if (step < FINEST * scale) return undefined;
      }
      held.push(ladder.slope);
    }
    // The distance acts to first order: extrapolate it to 0.
    const value = held[1] + (held[1] - held[0]) / (RATIO - 1);
    return { value, bar: Math.abs(held[1] - held[0]) + this.noise / step, exact: exact > 0 };
  }

  #slopes(line: LossLine, step: number): { left: number; right: number } {
    const low = line.start - step;
    const high = line.start + step;
    return {
      left: (this.loss - line.at(low)) / (line.start - low),
      right: (line.at(high) - this.loss) / (high - line.start),
    };
  }

  #between(value: number, a: number, b: number, bar: number): boolean {
    const margin = this.#slack(Math.max(Math.abs(value), Math.abs(a), Math.abs(b))) + bar;
    return value >= Math.min(a, b) - margin && value <= Math.max(a, b) + margin;
  }
}
