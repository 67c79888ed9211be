// Drives a session: executes commands one after the other, trains in short slices so that the next command is handled
// at once, and emits frames, one in flight at a time. Clock and event loop are passed in, so it runs in any
// environment.

import type { Breakpoint, BreakpointStatus, Discovery, LogpointMessage, RunState } from '../protocol/breakpoints';
import type { ProbeId } from '../protocol/layer-stats';
import type { CheckProgress, CheckReport } from '../protocol/check-report';
import type { CustomLayerErrorDetails } from '../protocol/problem';
import type { SessionCommand } from '../protocol/command';
import type { Frame, NonFinite, RunStatus } from '../protocol/frame';
import type { HotReloadState } from '../protocol/engine';
import type { QueryResult, ViewQueries, Query } from '../protocol/queries';
import type { RunRecord } from '../protocol/run-record';
import { closeDataTasks } from './data-task';
import { AdaptiveBatch, stepsUntilEvent } from './adaptive-batch';
import { Breakpoints, type PhaseHit } from './breakpoints';
import { checkGradients } from './check-job';
import { CommandError, assertNotFinished, assertFinite, assertSeekable, assertValidTarget } from './preconditions';
import { evaluationInterval, canEvaluateImmediately } from './evaluation';
import { estimateForwardMacs } from './fused-step';
import { FrameGate } from './frame-gate';
import { createHotReloadRecord } from './hot-reload';
import { LastHitSearch } from './last-hit-search';
import { makeFrame, recordLayerStats } from './make-frame';
import { asCustomLayerError } from '../engine/custom/custom-layer-error';
import type { ObservedConditions } from './observed-conditions';
import { OverheadBudget } from './overhead-budget';
import { locateNonFinite } from './locate-non-finite';
import { RateLimiter } from './rate-limiter';
import { PendingQueries } from './queries/pending-queries';
import { nextObservedStep } from '../diagnostics';
import { observeStep } from './observe-step';
import type { TrainingSession } from './session';
import type { ObservedSteps } from './step-executor';
import { CommandQueue, type Job } from './command-queue';
import { RoundRobin } from './round-robin';

const SLICE_MS = 8;
const RECORD_INTERVAL_MS = 2000;
/** Steps that are done one by one after a hit, at most. */
const MAX_SINGLE_STEPS = 1024;
// Statistics recorded over a whole run in addition to those of frames, since a fast run ends before there are many
// frames.
const MAX_STATS_SAMPLES = 512;

export interface RunnerOptions {
  readonly session: TrainingSession;
  /** Emits a frame; the next one waits until the promise settles. */
  readonly emit: (frame: Frame) => Promise<void>;
  /** Milliseconds since an arbitrary origin. */
  readonly now: () => number;
  /** Waits at least this long and lets the event loop run. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Called between slices as a heartbeat for a watchdog. */
  readonly heartbeat?: (busy: boolean) => void;
  /** Called for an internal error, which no user input explains. */
  readonly onError: (error: unknown) => void;
  /** Called when a custom layer fails. The run stays in the phase in which it failed. */
  readonly onFault?: (fault: CustomLayerErrorDetails) => void;
  /** Called when a query of a view failed, with the reason. The view shows nothing. */
  readonly onQueryError?: (message: string) => void;
  readonly onRecord?: (record: RunRecord) => void;
  readonly onCheckProgress?: (progress: CheckProgress) => void;
  /** Called with the report of a scheduled check. */
  readonly onScheduledCheck?: (report: CheckReport) => void;
  /** Called whenever the run starts or stops. */
  readonly onState?: (state: RunState) => void;
  /** Called with the log messages of breakpoints; training waits until it settles. */
  readonly onLogpoints?: (messages: readonly LogpointMessage[]) => Promise<void>;
}

/** The position that training runs to. */
interface RunTask {
  readonly target: number;
  readonly status: 'running' | 'seeking';
  /** Phases of the step after the target, for seeking. */
  readonly phase?: number;
  /** Whether the speed limit applies; seeking ignores it. */
  readonly rateLimited?: boolean;
}

export class Runner {
  readonly session: TrainingSession;
  readonly #options: RunnerOptions;
  #status: RunStatus = 'ready';
  #task: RunTask | null = null;
  #nonFinite: NonFinite | null = null;
  #probes: ReadonlySet<ProbeId> = new Set(['activations', 'gradients', 'updates']);
  readonly #viewQueries: RoundRobin;
  readonly #queryErrors = new Set<string>();
  readonly #pendingQueries = new PendingQueries();
  readonly #commands = new CommandQueue(() => this.#settle());
  #truncatedTo: number | null = null;
  #lastRecordAt = -Infinity;
  readonly #rateLimiter: RateLimiter;
  readonly #adaptiveBatch: AdaptiveBatch;
  readonly #overheadBudget: OverheadBudget;
  readonly #frameGate: FrameGate;
  #checkCancelled = false;
  readonly #breakpoints: Breakpoints;
  /** The breakpoints at which the run stopped last. */
  #hitBreakpoints: readonly number[] = [];
  #discovery: Discovery | null = null;
  /** How many of the next steps are looked at one by one, and how many were after the last hit. */
  #singleSteps = 0;
  #lastSingleSteps = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.session = options.session;
    this.#viewQueries = new RoundRobin(options.now);
    this.#rateLimiter = new RateLimiter(options.now);
    this.#adaptiveBatch = new AdaptiveBatch(options.now);
    this.#overheadBudget = new OverheadBudget(options.now);
    this.#breakpoints = new Breakpoints(options.session);
    this.#frameGate = new FrameGate(options.now, (sequence) => this.#makeFrame(sequence), options.emit);
    const { restoreFault } = this.session;
    if (restoreFault) options.onFault?.(restoreFault.details);
    this.#settle(restoreFault !== null);
  }

  get status(): RunStatus {
    return this.#status;
  }

  /** Executes a command after the previous ones; each command ends what is running. */
  command(command: SessionCommand): Promise<void> {
    if (command.type === 'setLearningRate')
      return this.#commands.enqueue(() => {
        if (this.session.setLearningRate(command.lr)) this.#onOverride();
      }, false);
    if (command.type === 'setSpeed') {
      return this.#commands.enqueue(
        () => this.#rateLimiter.setLimit(command.stepsPerSecond, this.session.position.step),
        false,
      );
    }
    return this.#commands.enqueue(() => this.#execute(command), true);
  }

  /** Sets the contents of frames from now on. @param queries one list per view; at full speed, views take turns */
  subscribe(probes: readonly ProbeId[], queries: readonly ViewQueries[]): void {
    if (![probes, queries, ...queries].every((list) => Array.isArray(list)))
      throw new CommandError('The queries of a view must be a list.');
    this.#probes = new Set(probes);
    this.#queryErrors.clear();
    this.#viewQueries.set(queries);
    if (!this.#task) this.#frameGate.request();
  }

  /** Answers immediately when idle; during training, at the end of the next step. */
  query(query: Query): Promise<QueryResult> {
    const result = this.#pendingQueries.add(this.session, query);
    if (!this.#task) this.#pendingQueries.resolveAll();
    return result;
  }

  /** Checks every gradient at this position. Training waits and continues afterwards. */
  async check(): Promise<CheckReport> {
    let report: CheckReport | undefined;
    await this.#commands.enqueue(async () => {
      const task = this.#task;
      const job = this.#commands.startJob(async (current) => {
        await this.#catchFault(async () => (report = await this.#runCheck(current)));
      });
      await job.done;
      if (task?.status === 'running' && !job.cancelled) this.#startTask(task);
      else this.#settle();
    }, true);
    if (!report) throw new CommandError('The check failed.');
    return report;
  }

  /** Replaces all breakpoints. Training stops at them; seeking and single steps do not. */
  async setBreakpoints(breakpoints: readonly Breakpoint[]): Promise<readonly BreakpointStatus[]> {
    let statuses: readonly BreakpointStatus[] = [];
    await this.#commands.enqueue(() => {
      statuses = this.#breakpoints.set(breakpoints);
    }, false);
    return statuses;
  }

  cancelCheck(): void {
    this.#checkCancelled = true;
  }

  record(): RunRecord {
    return this.session.record();
  }

  /** The state for a runner with changed layer code. A running training continues afterwards. */
  async getHotReloadState(): Promise<HotReloadState> {
    let state: HotReloadState = { record: this.session.record(), resumeCommand: null };
    await this.#commands.enqueue(() => {
      const task = this.#task?.status === 'running' ? this.#task : null;
      const resumeCommand =
        task && (task.rateLimited ? ({ type: 'run' } as const) : ({ type: 'runToStep', step: task.target } as const));
      state = { record: createHotReloadRecord(this.session), resumeCommand };
      if (task) this.#startTask(task);
    }, true);
    return state;
  }

  /** Ends all work; nothing is emitted afterwards. */
  async dispose(): Promise<void> {
    this.#frameGate.close();
    await this.#commands.close();
    this.#pendingQueries.resolveAll();
    closeDataTasks(this.session);
  }

  async #execute(command: Exclude<SessionCommand, { type: 'setLearningRate' | 'setSpeed' }>): Promise<void> {
    const { session } = this;
    const { step } = session.position;
    switch (command.type) {
      case 'step':
        return this.#advance(() => session.step(true));
      case 'stepPhase':
        return this.#advance(() => session.stepPhase());
      case 'backPhase':
        return this.#goBack(() => session.backPhase());
      case 'backStep':
        return this.#goBack(() => session.backStep());
      case 'run':
        return this.#runTo(session.totalSteps, true);
      case 'pause':
        return this.#settle();
      case 'runToStep':
        return this.#runTo(command.step);
      case 'runToEpoch':
        return this.#runTo(command.epoch * session.model.batchesPerEpoch);
      case 'finishPass':
        return this.#advance(async () => {
          await this.#readPast();
          this.#finishPass();
        });
      case 'reverseContinue':
        return this.#reverseContinue();
      case 'seek':
        if (command.train && !(await this.#trainTo(command.step))) return;
        return this.#seek(command.step, command.phase);
      case 'fork':
        await this.#overrideAt(command.step, () => {
          if (command.lr !== null) session.setLearningRate(command.lr);
          if (command.seed !== null) session.setSeed(command.seed);
        });
        if (command.to !== undefined && command.to > command.step) this.#runTo(command.to);
        return;
      case 'setWeights':
        return this.#overrideAt(step, () => session.setWeights(command.weights));
      case 'reset':
        session.reset();
        this.#breakpoints.truncate(0);
        this.#truncatedTo = -1;
        return this.#settle();
      default:
        throw new CommandError(`There is no command ${String((command as { type: unknown }).type)} at step ${step}.`);
    }
  }

  /** Discards later steps, which no longer follow. */
  #onOverride(): void {
    this.#truncate(this.session.shownStep);
    this.#frameGate.request();
    this.#emitRecord();
  }

  /** @returns false if another command, a breakpoint, or a value that is not finite comes before the step */
  async #trainTo(step: number): Promise<boolean> {
    if (step > this.session.furthestStep) {
      this.#runTo(step);
      await this.#commands.job?.done;
    }
    return this.session.furthestStep >= step;
  }

  /** Short distances are immediate; on long ones the panel shows progress. */
  async #seek(step: number, phase = 0): Promise<void> {
    assertSeekable(this.session, step, phase);
    this.session.rewind(step, phase);
    this.#startTask({ target: step, status: 'seeking', phase });
    await this.#commands.job?.done;
  }

  /**
   * Applies a manual change at the end of a step.
   * @throws CommandError if another command comes before the step is reached
   */
  async #overrideAt(step: number, apply: () => void): Promise<void> {
    await this.#seek(step);
    const { position } = this.session;
    if (position.step !== step || position.phase > 0)
      throw new CommandError(`Stopped before step ${step}: nothing was changed.`);
    assertFinite(this.#nonFinite);
    apply();
    this.#truncate(this.session.shownStep);
    this.#settle();
  }

  #markDiverged(): void {
    this.#nonFinite = locateNonFinite(this.session);
    if (this.#nonFinite) this.#truncate(this.session.shownStep);
  }

  #truncate(step: number): void {
    this.#breakpoints.truncate(step);
    this.#truncatedTo = Math.min(step, this.#truncatedTo ?? step);
  }

  #goBack(back: () => void): Promise<void> {
    this.#clearHits();
    return this.#runAndSettle(back);
  }

  #advance(advance: () => void | Promise<void>): Promise<void> {
    assertFinite(this.#nonFinite);
    assertNotFinished(this.session);
    this.#clearHits();
    return this.#runAndSettle(async () => {
      await advance();
      if (!this.#lossIsFinite() || this.session.findNonFinite()) this.#markDiverged();
      else {
        observeStep(this.session);
        this.#stopAtDiscovery();
      }
    });
  }

  /**
   * To the end of the forward pass, which is the loss, or of the backward pass; then to the end of the step. Stops at
   * breakpoints.
   */
  #finishPass(): void {
    const { session } = this;
    const { phases } = session.model;
    const lossPhase = phases.findIndex(({ kind }) => kind === 'loss') + 1;
    const target = [lossPhase, phases.length - 1, phases.length].find((end) => end > session.position.phase)!;
    do {
      session.stepPhase();
      if (!this.#lossIsFinite() || session.findNonFinite()) return;
      const hit = this.#breakpoints.afterPhase();
      if (hit) {
        this.#setHits(hit);
        return;
      }
    } while (session.position.phase > 0 && session.position.phase < target);
  }

  /** Goes to the last position before this one at which a forward run stops at a breakpoint, or else to the start. */
  #reverseContinue(): void {
    this.#launch({ target: this.session.earliestStep, status: 'seeking' }, async (job) => {
      await this.#readPast(job, true);
      if (job.cancelled) return;
      const search = new LastHitSearch(this.session, this.#breakpoints);
      let end = this.#options.now() + SLICE_MS;
      while (!job.cancelled && !search.isDone) {
        search.advance();
        if (this.#options.now() < end) continue;
        await this.#yieldToEventLoop();
        end = this.#options.now() + SLICE_MS;
      }
      if (job.cancelled) return this.#breakpoints.forgetPrevious();
      const hit = search.goToResult();
      if (hit) this.#setHits(hit);
    });
  }

  /** Reads what conditions need of the steps before, in slices; again if breakpoints are set in between. */
  async #readPast(job: Job | null = null, onlyFixedSteps = false): Promise<void> {
    const { version } = this.#breakpoints;
    let end = this.#options.now() + SLICE_MS;
    for (const _ of this.#breakpoints.readPast(onlyFixedSteps)) {
      if (job?.cancelled) return;
      if (this.#options.now() < end) continue;
      await this.#yieldToEventLoop();
      if (this.#breakpoints.version !== version) return this.#readPast(job, onlyFixedSteps);
      end = this.#options.now() + SLICE_MS;
    }
  }

  /** Keeps the values of the step before, with which data breakpoints compare those of the next one. */
  #recordPrevious(): void {
    const { session } = this;
    const { step, phase } = session.position;
    if (!this.#breakpoints.needsPrevious) return;
    if (step > session.earliestStep) {
      session.seek(step - 1);
      this.#breakpoints.beforeStep();
      session.step(true);
      this.#breakpoints.recordPrevious();
      if (phase > 0) session.seek(step, phase);
    }
    if (phase > 0) this.#breakpoints.recordPrevious();
  }

  /**
   * Finishes a step and stops at the first phase of it that has a hit, as if the rest of the step had not been done.
   * May do more steps, as long as none has a hit.
   * @returns the number of steps; 0 if it stopped
   */
  #finishSteps(most: number, measure = false): number {
    const { session } = this;
    const breakpoints = this.#breakpoints;
    if (breakpoints.isEmpty) {
      if (measure) session.step(true);
      else session.train(1);
      return this.#stopAtDiscovery() ? 0 : 1;
    }
    const { position, furthestStep } = session;
    const { step, phase } = position;
    const observer = measure || most === 1 || phase > 0 ? null : this.#observer;
    breakpoints.beforeStep();
    if (measure || breakpoints.needsMeasurement) session.step(true);
    else if (!observer) session.train(1);
    else session.train(furthestStep > step ? Math.min(most, furthestStep - step) : most, observer);
    const observed = observer && session.observedSteps;
    if (observer && observed) return this.#lookAt(observer, observed, step, furthestStep === step);
    const hit = breakpoints.afterStep(phase);
    if (!hit) return 1;
    this.#setHits(hit);
    if (hit.phase < session.model.phases.length) {
      const isNew = furthestStep === step;
      // The loss of a step that has not reached it is not known yet.
      if (isNew) session.pendingHistory.truncate(step);
      session.seek(step, hit.phase);
      if (isNew) session.discardLaterSteps();
    }
    return 0;
  }

  /** Looks at several steps at once; null if the next one must be looked at on its own. */
  get #observer(): ObservedConditions | null {
    const { observer } = this.#breakpoints;
    if (!observer || this.#singleSteps === 0) return observer?.begin() ? observer : null;
    this.#singleSteps--;
    return null;
  }

  /**
   * Looks at steps that were done in one call, and goes back to the beginning of the first one with a hit.
   * @param from the step before them @param isNew whether no step after that one had been done
   * @returns the number of steps; 0 if it stopped
   */
  #lookAt(observer: ObservedConditions, observed: ObservedSteps, from: number, isNew: boolean): number {
    const { session } = this;
    const steps = observer.firstHit(from, observed);
    if (steps === observed.done) {
      this.#lastSingleSteps = 0;
      return steps;
    }
    // Where hits are frequent, such as those of a log message, it is faster to do steps one by one.
    this.#lastSingleSteps = Math.min(MAX_SINGLE_STEPS, 2 * this.#lastSingleSteps + 1);
    this.#singleSteps = this.#lastSingleSteps;
    const step = from + steps;
    session.rewind(step, 1);
    while (session.position.step < step) session.train(step - session.position.step);
    if (isNew) session.discardLaterSteps();
    return steps > 0 ? steps : this.#finishSteps(1);
  }

  /** @returns the number of steps; 0 if the run stops */
  #trainSteps(most: number): number {
    const done = this.#breakpoints.isEmpty ? this.session.train(most) : this.#finishSteps(most);
    return this.#lossIsFinite() ? done : 0;
  }

  #clearHits(): void {
    this.#hitBreakpoints = [];
    this.#discovery = null;
  }

  #setHits({ ids, discovery }: Pick<PhaseHit, 'ids' | 'discovery'>): void {
    this.#hitBreakpoints = ids;
    this.#discovery = discovery;
  }

  /** At the end of a step: whether something was found that breakpoints stop at. */
  #stopAtDiscovery(): boolean {
    const { step, phase } = this.session.position;
    const hit = phase === 0 ? this.#breakpoints.discoveries.at(step) : null;
    if (hit) this.#setHits(hit);
    return hit !== null;
  }

  async #flushLogpoints(): Promise<void> {
    const messages = this.#breakpoints.takeMessages();
    if (messages.length > 0) await this.#options.onLogpoints?.(messages);
  }

  async #runAndSettle(work: () => void | Promise<void>): Promise<void> {
    this.#settle(!(await this.#catchFault(work)));
  }

  /** @returns false if a custom layer failed, which is reported */
  async #catchFault(work: () => unknown): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#reportFault(error);
      return false;
    }
  }

  #reportFault(error: unknown): void {
    this.#options.onFault?.(asCustomLayerError(error).details);
  }

  #runTo(step: number, rateLimited = false): void {
    assertFinite(this.#nonFinite);
    assertValidTarget(this.session, step);
    this.#startTask({ target: step, status: 'running', rateLimited });
  }

  /** Trains or replays up to a position, in slices. */
  #startTask(task: RunTask): void {
    const { target, status, phase = 0 } = task;
    const { session } = this;
    this.#launch(task, async (job) => {
      while (!job.cancelled && session.position.step < target) {
        if (status === 'running') {
          const { version } = this.#breakpoints;
          this.#recordPrevious();
          await this.#readPast(job);
          if (job.cancelled) return;
          // Others were set in between.
          if (this.#breakpoints.version !== version) continue;
        }
        await this.#runSlice(job, task);
        await this.#flushLogpoints();
        if (this.#nonFinite || this.#hitBreakpoints.length > 0) break;
        await this.#yieldToEventLoop(task.rateLimited ? this.#rateLimiter.msUntilNextStep(session.position.step) : 0);
      }
      if (!job.cancelled && status === 'seeking') session.seek(target, phase);
    });
  }

  #launch(task: RunTask, work: (job: Job) => Promise<void>): void {
    this.#status = task.status;
    this.#task = task;
    this.#clearHits();
    this.#rateLimiter.start(this.session.position.step);
    this.#reportState();
    this.#commands
      .startJob(async (job) => {
        const succeeded = await this.#catchFault(() => work(job));
        // If interrupted, the interrupting command settles the run.
        if (!job.cancelled || !succeeded) this.#settle(!succeeded);
      })
      .done.catch(this.#options.onError);
  }

  async #runSlice(job: Job, { target, status, rateLimited }: RunTask): Promise<void> {
    const { session } = this;
    const { now } = this.#options;
    const end = now() + SLICE_MS;
    const running = status === 'running';
    const sampleEvery = this.#probes.size > 0 ? Math.ceil(session.totalSteps / MAX_STATS_SAMPLES) : Infinity;
    // New breakpoints first need what they read of the steps before.
    const { discoveries, version } = this.#breakpoints;
    const scheduled = (running && session.run.gradientCheck.every) || Infinity;
    const checkEvery = running ? Math.min(scheduled, discoveries.checkEvery) : Infinity;
    const evaluateEvery = running ? session.model.batchesPerEpoch * evaluationInterval(session.run) : Infinity;
    const train = running
      ? (most: number): number => this.#trainSteps(most)
      : (most: number): number => {
          const done = session.train(most);
          return this.#lossIsFinite() ? done : 0;
        };
    const isCurrent = (): boolean => !job.cancelled && this.#breakpoints.version === version;
    while (isCurrent() && session.position.step < target && now() < end) {
      if (rateLimited && this.#rateLimiter.msUntilNextStep(session.position.step) > 0) break;
      const next = session.position.step + 1;
      const observed = nextObservedStep(Math.max(next - 1, session.monitor.lastObservedStep));
      const isFrameDue = this.#frameGate.isFrameDue && this.#overheadBudget.isAvailable;
      const hasQueries = this.#pendingQueries.hasAny;
      const known = running ? discoveries.nextAfter(next - 1) : Infinity;
      const batchSteps =
        isFrameDue || hasQueries || (rateLimited && this.#rateLimiter.hasLimit)
          ? 0
          : Math.min(
              stepsUntilEvent(next - 1, target, [sampleEvery, checkEvery, evaluateEvery]),
              observed - next,
              known - next,
            );
      if (batchSteps > 0) {
        if (this.#adaptiveBatch.run(batchSteps, train)) continue;
        if (this.#hitBreakpoints.length === 0) this.#markDiverged();
        return;
      }
      const isSample = next % sampleEvery === 0 && this.#overheadBudget.isAvailable;
      let start = now();
      const measure =
        (isFrameDue && this.#isObserved) || isSample || hasQueries || next === observed || next === target;
      if (!running) session.step(measure);
      else if (this.#finishSteps(1, measure) === 0) return;
      if (!this.#lossIsFinite()) {
        this.#markDiverged();
        return;
      }
      if (isSample) recordLayerStats(session, this.#probes);
      if (isFrameDue || isSample) this.#overheadBudget.spend(now() - start - this.#adaptiveBatch.msPerStep);
      if (hasQueries) this.#pendingQueries.resolveAll();
      if (next % evaluateEvery === 0) await this.#evaluate(job);
      // After the evaluation, which some rules read.
      if (next === observed || next === target) observeStep(session);
      if (next % checkEvery === 0) await this.#checkWhileTraining(job);
      if (running && this.#stopAtDiscovery()) return;
      if (!isFrameDue) continue;
      start = now();
      this.#frameGate.request();
      this.#overheadBudget.spend(now() - start);
    }
    this.#rateLimiter.updateMeasuredRate(session.position.step);
    if (now() - this.#lastRecordAt >= RECORD_INTERVAL_MS) this.#emitRecord();
  }

  /** Whether a view shows more of a step than its loss. */
  get #isObserved(): boolean {
    return this.#probes.size > 0 || this.#viewQueries.count > 0;
  }

  #lossIsFinite(): boolean {
    const { loss } = this.session;
    return loss === null || Number.isFinite(loss);
  }

  async #evaluate(job: Job | null): Promise<void> {
    let end = this.#options.now() + SLICE_MS;
    const evaluating = this.session.evaluateIncrementally();
    while (!evaluating.next().done) {
      if (job?.cancelled) return;
      if (this.#options.now() < end) continue;
      await this.#yieldToEventLoop();
      end = this.#options.now() + SLICE_MS;
    }
  }

  async #checkWhileTraining(job: Job): Promise<void> {
    const report = await this.#runCheck(job);
    this.#options.onScheduledCheck?.(report);
    this.#breakpoints.discoveries.recordCheck(report);
  }

  #runCheck(job: Job): Promise<CheckReport> {
    this.#checkCancelled = false;
    return checkGradients(this.session, {
      isCancelled: () => job.cancelled || this.#checkCancelled,
      now: this.#options.now,
      yieldToEventLoop: () => this.#yieldToEventLoop(),
      onProgress: this.#options.onCheckProgress,
    });
  }

  async #yieldToEventLoop(milliseconds = 0): Promise<void> {
    this.#options.heartbeat?.(true);
    await this.#options.sleep(milliseconds);
    this.#options.heartbeat?.(true);
  }

  /**
   * Announces that the run is idle, and saves the state from which it can be restored.
   * @param failed whether a custom layer failed
   */
  #settle(failed = false): void {
    const { session } = this;
    if (!failed) this.#completeIdleState();
    const { step, phase } = session.position;
    if (this.#nonFinite && session.shownStep < this.#nonFinite.step) this.#nonFinite = null;
    this.#task = null;
    this.#rateLimiter.stepsPerSecond = null;
    if (this.#nonFinite) this.#status = 'diverged';
    else if (step >= session.totalSteps) this.#status = 'finished';
    else this.#status = step === 0 && phase === 0 ? 'ready' : 'paused';
    this.#emitRecord();
    this.#options.heartbeat?.(false);
    this.#reportState();
    this.#pendingQueries.resolveAll();
    this.#frameGate.request();
  }

  #reportState(): void {
    const { position } = this.session;
    this.#options.onState?.({
      status: this.#status,
      position,
      hitBreakpoints: this.#hitBreakpoints,
      discovery: this.#discovery,
      nonFinite: this.#nonFinite,
    });
  }

  /** Computes what is missing to show the idle position. */
  #completeIdleState(): void {
    const { session } = this;
    try {
      session.ensureTensors();
      if (!this.#nonFinite && canEvaluateImmediately(session.run, estimateForwardMacs(session.model.layers)))
        session.evaluate();
    } catch (error) {
      this.#reportFault(error);
    }
  }

  #emitRecord(): void {
    if (this.#commands.isClosed) return;
    this.#lastRecordAt = this.#options.now();
    this.#options.onRecord?.(this.session.record());
  }

  /** Once for each message: a frame follows the other. */
  #reportQueryError(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#queryErrors.has(message)) return;
    this.#queryErrors.add(message);
    this.#options.onQueryError?.(message);
  }

  #makeFrame(sequence: number): Frame {
    const truncatedTo = this.#truncatedTo;
    this.#truncatedTo = null;
    const task = this.#task;
    const isFullSpeed = task !== null && !(task.rateLimited && this.#rateLimiter.hasLimit);
    return makeFrame(this.session, {
      sequence,
      truncatedTo,
      status: this.#status,
      target: task?.target ?? null,
      probes: this.#probes,
      views: this.#viewQueries,
      allViews: !isFullSpeed,
      nonFinite: this.#nonFinite,
      stepsPerSecond: this.#rateLimiter.stepsPerSecond,
      onQueryError: (error) => this.#reportQueryError(error),
    });
  }
}
