// The gradient check of a whole network: every entry of every parameter, a few at a time, so that whoever
// runs it can show progress and stop. How an entry is judged is in judge.ts, how its loss is had in shadow.ts.
import { Alone } from './alone';
import { type Bunch, MOST } from './bunch';
import { Comparer } from './comparer';
import { diagnose } from './diagnosis/diagnose';
import { entryDetail, type EntryDetail } from './entry-detail';
import { errorMap, type ErrorMap } from './error-map';
import { placed } from './diagnosis/place';
import { Judge } from './judge';
import type { CheckRequest } from './options';
import { VERDICTS, type CheckProgress, type CheckReport, type Verdict } from './report';
import { Shadow } from './shadow';
import { noCounts, NOT_CHECKED, summarize, type ParameterFindings } from './summary';
import { threeWays } from './three-ways';

const WRONG = VERDICTS.indexOf('wrong');
/** Entries that are judged one by one and take a moment. */
const ONE_BY_ONE = 16;

type Why = Required<Pick<CheckReport, 'diagnosis' | 'layers' | 'autograd'>>;

const NOT_LOOKED: Why = { diagnosis: null, layers: [], autograd: [] };

/**
 * Compares backprop's gradient with central differences of the loss, entry by entry, in float64.
 * Frozen parameters are checked as well: their gradients are computed all the same.
 */
export class GradientCheck {
  /** Parameter entries of the network; twice as many with a penalty, which is checked with and without. */
  readonly entries: number;
  readonly #about: Pick<CheckReport, 'step' | 'samples' | 'mode' | 'loss' | 'options'>;
  readonly #shadow: Shadow;
  readonly #judge: Judge;
  readonly #comparison: Comparer;
  readonly #findings: readonly ParameterFindings[];
  /** Parameters in the order of checking, last layer first: see Shadow.along. */
  readonly #order: readonly number[];
  #checked = 0;
  #counts = noCounts();
  /** Position in #order, entries done there, and the way through them. */
  #turn = 0;
  #done = 0;
  #stride = 1;
  /** Entries that are judged together: which, and their values, above and below; their own values and gradients. */
  readonly #entries = new Uint32Array(MOST);
  readonly #values = new Float64Array(MOST);
  readonly #starts = new Float64Array(MOST / 2);
  readonly #claims = new Float64Array(MOST / 2);
  /** Looking for the reason, with as many entries judged as then; and what came of it. */
  #search: { readonly after: number; readonly work: Iterator<void> } | null = null;
  #why: Why = NOT_LOOKED;
  /** The same check without the penalty, where there is one: it follows when all entries are judged. */
  readonly #without: GradientCheck | null;

  /** Copies parameters and batch; nothing of them is kept or changed. Runs one forward and one backward pass. */
  constructor(
    request: CheckRequest,
    /** Whether layers are tried by themselves, too. */
    readonly alone = true,
  ) {
    const { step, rtol, atol, mode = 'training' } = request.options;
    const options = { step, rtol, atol };
    const twoModes = request.network.model.layers.some(({ definition, options: own }) => definition.modes?.(own));
    this.#shadow = new Shadow(request);
    this.#judge = new Judge(options, this.#shadow.loss, this.#shadow.noise);
    this.#comparison = new Comparer(request.step);
    this.#about = { step: request.step, samples: request.pass.batch, mode: twoModes ? mode : null, loss: this.#shadow.loss, options };
    const { parameters } = this.#shadow.network;
    this.#findings = parameters.map(({ name, value }, i) => ({
      name,
      shape: value.shape,
      analytic: this.#shadow.gradients[i],
      numeric: new Float64Array(value.data.length),
      bars: new Float64Array(value.data.length),
      verdicts: new Uint8Array(value.data.length).fill(NOT_CHECKED),
    }));
    this.#order = parameters.map((_, i) => i).sort((a, b) => parameters[b].layer - parameters[a].layer || a - b);
    this.#without = request.network.model.penalty ? new GradientCheck(withoutPenalty(request), false) : null;
    this.entries = this.#findings.reduce((sum, { analytic }) => sum + analytic.length, 0) + (this.#without?.entries ?? 0);
  }

  /** Entries judged so far. */
  get checked(): number {
    return this.#checked + (this.#without?.checked ?? 0);
  }

  /** As many entries as are judged together, or take a moment by themselves: a good number to advance by. */
  get atOnce(): number {
    const bunch = this.#turn < this.#order.length ? this.#shadow.bunchOf(this.#order[this.#turn]) : null;
    return bunch ? bunch.room / 2 : ONE_BY_ONE;
  }

  /** Judges up to `entries` more; when there are none left, looks for the reason, a slice at a time. True while there is more to do. */
  advance(entries: number): boolean {
    let left = entries;
    while (left > 0 && this.#turn < this.#order.length) left -= this.#next(left);
    if (this.#turn < this.#order.length) return true;
    if (this.#without?.advance(left)) return true;
    return this.explain();
  }

  /**
   * Tries each layer by itself, and says why something is wrong, by what was judged so far: a slice of that work; true
   * while there is more. A report before its end holds nothing of it.
   */
  explain(): boolean {
    if (!this.alone || !Number.isFinite(this.#shadow.loss)) return false;
    if (this.#search?.after !== this.#checked) this.#search = { after: this.#checked, work: this.#look() };
    return !this.#search.work.next().done;
  }

  /** How far it is, at a glance. */
  progress(): CheckProgress {
    const counts = { ...this.#counts };
    const without = this.#without?.progress();
    for (const verdict of VERDICTS) counts[verdict] += without?.counts[verdict] ?? 0;
    return { checked: this.checked, entries: this.entries, counts, explaining: this.checked === this.entries };
  }

  /** What was found so far, and why, if something is wrong. */
  report(): CheckReport {
    const without = this.#without?.report();
    const withoutPenalty = without ? { parameters: without.parameters, counts: without.counts, passed: without.passed, complete: without.complete } : null;
    const { diagnosis, layers, autograd } = this.#why;
    const report = summarize(this.#findings, { ...this.#about, compared: this.#comparison.report(), diagnosis, layers, withoutPenalty });
    return autograd.length > 0 ? { ...report, autograd } : report;
  }

  /** The errors of a parameter in its own shape, at most so many cells a side; null where there is no such parameter. */
  map(name: string, most: number): ErrorMap | null {
    const found = this.#findings.find((each) => each.name === name);
    return found ? errorMap(found, most) : null;
  }

  /** One entry looked at closely, when all is checked; null where it was not checked or does not exist. */
  entry(name: string, index: number, reach: number): EntryDetail | null {
    const which = this.#findings.findIndex((each) => each.name === name);
    const verdict = this.#findings[which]?.verdicts[index];
    if (verdict === undefined || verdict === NOT_CHECKED) return null;
    return entryDetail(this.#shadow, this.#findings[which], which, index, this.#about.options.step, reach);
  }

  /** Each layer by itself, and why something is wrong. Leaves the shadow as it was for the next entry. */
  *#look(): Generator<void> {
    this.#why = NOT_LOOKED;
    const { pass, network } = this.#shadow;
    const trusted = this.#comparison.report().agreed;
    const whole = this.#findings.map(({ analytic, numeric, verdicts }) => ({ analytic, numeric, isWrong: verdicts.includes(WRONG) }));
    const alone = new Alone(pass, trusted);
    yield* alone.tryAll();
    const diagnosis = placed(network.model, yield* diagnose(alone, whole));
    this.#why = { diagnosis, layers: alone.report(), autograd: yield* threeWays(pass, trusted) };
  }

  /** A layer reaches further than it says: nothing that was judged by that is worth anything. */
  #startOver(): void {
    this.#shadow.goPlainly();
    for (const { verdicts } of this.#findings) verdicts.fill(NOT_CHECKED);
    this.#turn = 0;
    this.#done = 0;
    this.#checked = 0;
    this.#counts = noCounts();
  }

  /** Judges up to `most` entries of the parameter whose turn it is. @returns how many */
  #next(most: number): number {
    const parameter = this.#order[this.#turn];
    const { name, analytic } = this.#findings[parameter];
    if (this.#done === 0) {
      this.#stride = strideThrough(analytic.length);
      this.#comparison.begin(name, analytic.length);
    }
    const bunch = this.#shadow.bunchOf(parameter);
    if (bunch) return this.#together(parameter, bunch, Math.min(most, analytic.length - this.#done));
    // Strided, so that a check that is cancelled has seen all of the tensor evenly.
    const index = (this.#done * this.#stride) % analytic.length;
    const line = this.#shadow.along(parameter, index);
    const verdict = this.#judge.judge(line, analytic[index]);
    const chosen = this.#comparison.chooses(line.carried, verdict, this.#judge);
    const step = this.#judge.stepAt(line.start);
    const agreed = !chosen || this.#comparison.agrees(line, line.at(line.start + step), line.at(line.start - step), this.#judge);
    line.release();
    if (agreed) this.#note(parameter, index, verdict);
    else this.#startOver();
    return 1;
  }

  /** The same of several entries, whose losses a step above and below are had together. */
  #together(parameter: number, bunch: Bunch, most: number): number {
    const { analytic } = this.#findings[parameter];
    const own = this.#shadow.network.parameters[parameter];
    const { data } = own.value;
    const judge = this.#judge;
    const count = Math.min(most, bunch.room / 2);
    const entries = this.#entries.subarray(0, 2 * count);
    const values = this.#values.subarray(0, 2 * count);
    let index = (this.#done * this.#stride) % analytic.length;
    for (let i = 0; i < count; i++) {
      // Collected here, where one does not wait for another to come from far memory.
      const start = (this.#starts[i] = data[index]);
      this.#claims[i] = analytic[index];
      const step = judge.stepAt(start);
      entries[2 * i] = entries[2 * i + 1] = index;
      values[2 * i] = start + step;
      values[2 * i + 1] = start - step;
      index += this.#stride;
      if (index >= analytic.length) index -= analytic.length;
    }
    const losses = bunch.at(own, entries, values);
    for (let i = 0; i < count; i++) {
      index = entries[2 * i];
      const above = losses[2 * i];
      const below = losses[2 * i + 1];
      const verdict = judge.glance(this.#starts[i], above, below, this.#claims[i]) ?? this.#closely(parameter, index);
      if (this.#comparison.chooses(true, verdict, judge) && !this.#agrees(parameter, index, above, below)) {
        this.#startOver();
        return i + 1;
      }
      this.#note(parameter, index, verdict);
    }
    return count;
  }

  #closely(parameter: number, index: number): Verdict {
    const line = this.#shadow.along(parameter, index);
    const verdict = this.#judge.closely(line, this.#findings[parameter].analytic[index]);
    line.release();
    return verdict;
  }

  #agrees(parameter: number, index: number, above: number, below: number): boolean {
    const line = this.#shadow.along(parameter, index);
    const agreed = this.#comparison.agrees(line, above, below, this.#judge);
    line.release();
    return agreed;
  }

  #note(parameter: number, index: number, verdict: Verdict): void {
    const { analytic, numeric, bars, verdicts } = this.#findings[parameter];
    verdicts[index] = VERDICTS.indexOf(verdict);
    numeric[index] = this.#judge.numeric;
    bars[index] = this.#judge.bar;
    this.#checked++;
    this.#counts[verdict]++;
    this.#done++;
    if (this.#done === analytic.length) {
      this.#turn++;
      this.#done = 0;
    }
  }
}

/** A step near the golden section of `length` that visits every index once. */
function strideThrough(length: number): number {
  let stride = Math.max(1, Math.round(length * 0.6180339887));
  while (greatestCommonDivisor(stride, length) !== 1) stride++;
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The same network and batch, and a loss that is the data's alone. */
const withoutPenalty = ({ network: { model, parameters, buffers }, ...request }: CheckRequest): CheckRequest => ({
  ...request,
  network: { model: { ...model, penalty: undefined }, parameters, buffers },
});
