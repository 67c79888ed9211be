// The gradient check of a whole network: every entry of every parameter, a few at a time, so that callers can show
// progress and cancel. Verdicts are in verdict-policy.ts; the losses of perturbed entries come from float64-replica.ts.
import {
  type AutogradComparison,
  type EntryDetail,
  type ErrorMap,
  VERDICTS,
  type CheckProgress,
  type CheckReport,
  type Verdict,
} from '../protocol/check-report';
import { IsolatedLayerChecks } from './isolated-layer-checks';
import { type BatchedLosses, MAX_PERTURBATIONS } from './batched-losses';
import { FastPathValidator, type LossPair } from './fast-path-validator';
import type { LossSlice } from './loss-slice';
import { diagnose } from './diagnosis/diagnose';
import { inspectEntry } from './entry-detail';
import { buildErrorMap } from './error-map';
import { addSourceLocation } from './diagnosis/source-location';
import { VerdictPolicy } from './verdict-policy';
import type { CheckRequest } from './options';
import { Float64Replica } from './float64-replica';
import { zeroCounts, NOT_CHECKED, buildReport, type ParameterFindings } from './build-report';
import { compareFunctionsWithAutograd, compareWithAutograd } from './autograd-comparison';

const WRONG = VERDICTS.indexOf('wrong');

type DiagnosisResult = Required<Pick<CheckReport, 'diagnosis' | 'layers' | 'autograd'>>;

const NO_DIAGNOSIS: DiagnosisResult = { diagnosis: null, layers: [], autograd: [] };

/**
 * Compares backprop's gradient with central differences of the loss, entry by entry, in float64. Includes frozen
 * parameters, whose gradients are computed too.
 */
export class GradientCheck {
  /** Parameter entries of the network; twice as many with a penalty, which is checked with and without it. */
  readonly entries: number;
  readonly #metadata: Pick<CheckReport, 'step' | 'samples' | 'mode' | 'loss' | 'options'>;
  readonly #replica: Float64Replica;
  readonly #policy: VerdictPolicy;
  readonly #validator: FastPathValidator;
  readonly #findings: readonly ParameterFindings[];
  /** Parameters in the order of checking, last layer first: see Float64Replica.selectEntry. */
  readonly #parameterOrder: readonly number[];
  #checked = 0;
  #counts = zeroCounts();
  /** The position in #parameterOrder, the entries done there, and the stride. */
  #orderPosition = 0;
  #entriesDone = 0;
  #stride = 1;
  /** For entries that are checked together: indices, start values, perturbed values, and gradients. */
  readonly #batchEntries = new Uint32Array(MAX_PERTURBATIONS);
  readonly #batchValues = new Float64Array(MAX_PERTURBATIONS);
  readonly #batchStarts = new Float64Array(MAX_PERTURBATIONS / 2);
  readonly #batchAnalytic = new Float64Array(MAX_PERTURBATIONS / 2);
  /** The diagnosis in progress, with the number of entries checked when it started, and its result. */
  #diagnosisJob: { readonly checkedAtStart: number; readonly steps: Iterator<void> } | null = null;
  #diagnosisResult: DiagnosisResult = NO_DIAGNOSIS;
  #isDiagnosed = false;
  /** The same check without the penalty, if there is one; it runs after all entries are checked. */
  readonly #withoutPenalty: GradientCheck | null;

  /** Copies parameters and batch, and changes nothing. Runs one forward and one backward pass. */
  constructor(
    request: CheckRequest,
    /** Whether to check layers in isolation as well. */
    readonly isolateLayers = true,
  ) {
    const { step, rtol, atol, mode = 'training' } = request.options;
    const options = { step, rtol, atol };
    const twoModes = request.network.model.layers.some(({ definition, options: own }) => definition.modes?.(own));
    this.#replica = new Float64Replica(request);
    this.#policy = new VerdictPolicy(options, this.#replica.loss, this.#replica.noise);
    this.#validator = new FastPathValidator(request.step);
    this.#metadata = {
      step: request.step,
      samples: request.pass.batchSize,
      mode: twoModes ? mode : null,
      loss: this.#replica.loss,
      options,
    };
    const { parameters } = this.#replica.network;
    this.#findings = parameters.map(({ name, value }, i) => ({
      name,
      shape: value.shape,
      analytic: this.#replica.gradients[i]!,
      numeric: new Float64Array(value.data.length),
      errorBars: new Float64Array(value.data.length),
      verdicts: new Uint8Array(value.data.length).fill(NOT_CHECKED),
    }));
    this.#parameterOrder = parameters
      .map((_, i) => i)
      .sort((a, b) => parameters[b]!.layer - parameters[a]!.layer || a - b);
    this.#withoutPenalty = request.network.model.penalty ? new GradientCheck(removePenalty(request), false) : null;
    this.entries =
      this.#findings.reduce((sum, { analytic }) => sum + analytic.length, 0) + (this.#withoutPenalty?.entries ?? 0);
  }

  /** Number of entries checked so far. */
  get checked(): number {
    return this.#checked + (this.#withoutPenalty?.checked ?? 0);
  }

  /** A good number of entries to advance by: those of a parameter that are checked together, or one. */
  get preferredChunk(): number {
    const parameter = this.#parameterOrder[this.#orderPosition];
    if (parameter === undefined) return this.#withoutPenalty?.preferredChunk ?? 1;
    const batch = this.#replica.perturbationBatchFor(parameter);
    if (!batch) return 1;
    return Math.min(batch.capacity / 2, this.#findings[parameter]!.analytic.length - this.#entriesDone);
  }

  /**
   * Checks up to `entries` more. When none are left, advances the diagnosis. Returns true while there is more to do.
   */
  advance(entries: number): boolean {
    let left = entries;
    while (left > 0 && this.#orderPosition < this.#parameterOrder.length) left -= this.#checkNext(left);
    if (this.#orderPosition < this.#parameterOrder.length) return true;
    if (this.#withoutPenalty?.advance(left)) return true;
    return this.advanceDiagnosis();
  }

  /**
   * Advances the checks in isolation and the diagnosis of what was checked so far. Returns true while there is more to
   * do. Reports include the diagnosis only when it is complete.
   */
  advanceDiagnosis(): boolean {
    if (!this.isolateLayers) return false;
    if (this.#diagnosisJob?.checkedAtStart !== this.#checked)
      this.#diagnosisJob = { checkedAtStart: this.#checked, steps: this.#diagnose() };
    this.#isDiagnosed = this.#diagnosisJob.steps.next().done === true;
    return !this.#isDiagnosed;
  }

  /** A summary of the progress. */
  progress(): CheckProgress {
    const counts = { ...this.#counts };
    const without = this.#withoutPenalty?.progress();
    for (const verdict of VERDICTS) counts[verdict] += without?.counts[verdict] ?? 0;
    return { checked: this.checked, entries: this.entries, counts, diagnosing: this.checked === this.entries };
  }

  /** The results so far, with the diagnosis if something is wrong. */
  report(): CheckReport {
    const without = this.#withoutPenalty?.report();
    const withoutPenalty = without
      ? { parameters: without.parameters, counts: without.counts, passed: without.passed, complete: without.complete }
      : null;
    const { diagnosis, layers, autograd } = this.#diagnosisResult;
    const report = buildReport(this.#findings, {
      ...this.#metadata,
      compared: this.#validator.report(),
      diagnosis,
      layers,
      withoutPenalty,
      isolationDone: !this.isolateLayers || this.#isDiagnosed,
    });
    return autograd.length > 0 ? { ...report, autograd } : report;
  }

  /**
   * The errors of a parameter in its own shape, reduced to this many cells per side; null if there is no such
   * parameter.
   */
  errorMap(name: string, maxCells: number): ErrorMap | null {
    const found = this.#findings.find((each) => each.name === name);
    return found ? buildErrorMap(found, maxCells) : null;
  }

  /** Details of one entry, once the check is complete; null if it was not checked or does not exist. */
  entryDetail(name: string, index: number, reach: number): EntryDetail | null {
    const parameterIndex = this.#findings.findIndex((each) => each.name === name);
    const verdict = this.#findings[parameterIndex]?.verdicts[index];
    if (verdict === undefined || verdict === NOT_CHECKED) return null;
    return inspectEntry(
      this.#replica,
      this.#findings[parameterIndex]!,
      parameterIndex,
      index,
      this.#metadata.options.step,
      reach,
    );
  }

  /** Checks each layer in isolation, and diagnoses errors. Leaves the replica unchanged. */
  *#diagnose(): Generator<void> {
    this.#diagnosisResult = NO_DIAGNOSIS;
    const { pass, network } = this.#replica;
    const trustStructure = this.#validator.report().agreed;
    const parameterResults = this.#findings.map(({ analytic, numeric, verdicts }) => ({
      analytic,
      numeric,
      isWrong: verdicts.includes(WRONG),
    }));
    const { precisions, functionPrecisions } = this.#replica;
    const isolatedChecks = new IsolatedLayerChecks(pass, trustStructure, precisions, functionPrecisions);
    yield* isolatedChecks.run();
    const diagnosis = addSourceLocation(network.model, yield* diagnose(isolatedChecks, parameterResults));
    this.#diagnosisResult = {
      diagnosis,
      layers: isolatedChecks.toLayerChecks(),
      autograd: yield* this.#compareWithAutograd(isolatedChecks, trustStructure),
    };
  }

  /** Says which of several gradients differs, but no verdict depends on it: nothing that it throws ends the check. */
  *#compareWithAutograd(
    isolatedChecks: IsolatedLayerChecks,
    trustStructure: boolean,
  ): Generator<undefined, readonly AutogradComparison[]> {
    try {
      return [
        ...(yield* compareWithAutograd(this.#replica.pass, trustStructure, this.#replica.precisions)),
        ...compareFunctionsWithAutograd(isolatedChecks),
      ];
    } catch {
      return [];
    }
  }

  /** A layer reaches further than it declares, so all verdicts from shortcuts are discarded. */
  #restartWithoutFastPath(): void {
    this.#replica.disableFastPath();
    for (const { verdicts } of this.#findings) verdicts.fill(NOT_CHECKED);
    this.#orderPosition = 0;
    this.#entriesDone = 0;
    this.#checked = 0;
    this.#counts = zeroCounts();
  }

  /** Checks up to `maxEntries` of the current parameter. @returns how many */
  #checkNext(maxEntries: number): number {
    const parameter = this.#parameterOrder[this.#orderPosition]!;
    const { name, analytic } = this.#findings[parameter]!;
    if (this.#entriesDone === 0) {
      this.#stride = coprimeStride(analytic.length);
      this.#validator.beginParameter(name, analytic.length);
    }
    const batch = this.#replica.perturbationBatchFor(parameter);
    if (batch) return this.#checkBatch(parameter, batch, Math.min(maxEntries, analytic.length - this.#entriesDone));
    // Strided, so that a cancelled check has covered the tensor evenly.
    const index = (this.#entriesDone * this.#stride) % analytic.length;
    const slice = this.#replica.selectEntry(parameter, index);
    const verdict = this.#policy.decide(slice, analytic[index]!);
    const isChosen = this.#validator.shouldValidate(slice.usesFastPath, verdict, this.#policy);
    const step = this.#policy.stepSizeAt(slice.start);
    const agreed = !isChosen || this.#validator.validate(slice, [this.#differenceAt(slice, step)], this.#policy);
    slice.release();
    if (agreed) this.#record(parameter, index, verdict);
    else this.#restartWithoutFastPath();
    return 1;
  }

  /** The same for several entries, whose perturbed losses are computed together. */
  #checkBatch(parameter: number, batch: BatchedLosses, maxEntries: number): number {
    const { analytic } = this.#findings[parameter]!;
    const networkParameter = this.#replica.network.parameters[parameter]!;
    const { data } = networkParameter.value;
    const policy = this.#policy;
    const count = Math.min(maxEntries, batch.capacity / 2);
    const entries = this.#batchEntries.subarray(0, 2 * count);
    const values = this.#batchValues.subarray(0, 2 * count);
    let index = (this.#entriesDone * this.#stride) % analytic.length;
    for (let i = 0; i < count; i++) {
      // Collected first, so that the cache misses overlap.
      const start = (this.#batchStarts[i] = data[index]!);
      this.#batchAnalytic[i] = analytic[index]!;
      const step = policy.stepSizeAt(start);
      entries[2 * i] = entries[2 * i + 1] = index;
      values[2 * i] = start + step;
      values[2 * i + 1] = start - step;
      index += this.#stride;
      if (index >= analytic.length) index -= analytic.length;
    }
    const losses = batch.lossesAt(networkParameter, entries, values);
    for (let i = 0; i < count; i++) {
      index = entries[2 * i]!;
      const above = losses[2 * i]!;
      const below = losses[2 * i + 1]!;
      const verdict =
        policy.decideAtFixedStep(this.#batchStarts[i]!, above, below, this.#batchAnalytic[i]!) ??
        this.#decideByExtrapolation(parameter, index);
      if (this.#validator.shouldValidate(true, verdict, policy) && !this.#validate(parameter, index, above, below)) {
        this.#restartWithoutFastPath();
        return i + 1;
      }
      this.#record(parameter, index, verdict);
    }
    return count;
  }

  #decideByExtrapolation(parameter: number, index: number): Verdict {
    const slice = this.#replica.selectEntry(parameter, index);
    const verdict = this.#policy.decideByExtrapolation(slice, this.#findings[parameter]!.analytic[index]!);
    slice.release();
    return verdict;
  }

  #validate(parameter: number, index: number, above: number, below: number): boolean {
    const slice = this.#replica.selectEntry(parameter, index);
    const losses = [{ above, below }];
    // An entry that is not decided at once goes this way.
    if (slice.usesFastPath) losses.push(this.#differenceAt(slice, this.#policy.stepSizeAt(slice.start)));
    const agreed = this.#validator.validate(slice, losses, this.#policy);
    slice.release();
    return agreed;
  }

  #differenceAt(slice: LossSlice, step: number): LossPair {
    return { above: slice.lossAt(slice.start + step), below: slice.lossAt(slice.start - step) };
  }

  #record(parameter: number, index: number, verdict: Verdict): void {
    const { analytic, numeric, errorBars, verdicts } = this.#findings[parameter]!;
    verdicts[index] = VERDICTS.indexOf(verdict);
    numeric[index] = this.#policy.numeric;
    errorBars[index] = this.#policy.errorBar;
    this.#checked++;
    this.#counts[verdict]++;
    this.#entriesDone++;
    if (this.#entriesDone === analytic.length) {
      this.#orderPosition++;
      this.#entriesDone = 0;
    }
  }
}

/** A stride near the golden section of `length` that visits every index once. */
function coprimeStride(length: number): number {
  let stride = Math.max(1, Math.round(length * 0.6180339887));
  while (greatestCommonDivisor(stride, length) !== 1) stride++;
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The same network and batch, with the loss of the data alone. */
const removePenalty = ({ network: { model, parameters, buffers }, ...request }: CheckRequest): CheckRequest => ({
  ...request,
  network: { model: { ...model, penalty: undefined }, parameters, buffers },
});
