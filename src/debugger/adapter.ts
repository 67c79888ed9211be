// The debug adapter: shows a run as a program whose statements are the phases of its steps. It only translates between
// the Debug Adapter Protocol and the calls of the engine, which does all of the work. Every request is answered, also
// when the engine process ends.
import {
  ContinuedEvent,
  DebugSession,
  InitializedEvent,
  InvalidatedEvent,
  OutputEvent,
  ProgressEndEvent,
  ProgressStartEvent,
  ProgressUpdateEvent,
  StoppedEvent,
  TerminatedEvent,
  ThreadEvent,
} from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import {
  AT,
  changeFunctions,
  ExpressionError,
  functions,
  IS_ZERO_FOR,
  isRunQuery,
  LAST,
  namesIn,
  parseExpression,
} from '../expressions';
import { describeNonFinite } from '../presentation/non-finite';
import { phaseLabel } from '../presentation/phases';
import type { Breakpoint, BreakpointStatus, LogpointMessage, RunState } from '../protocol/breakpoints';
import type { SessionCommand } from '../protocol/command';
import type { Phase, Position } from '../protocol/position';
import type {
  ForkRequest,
  ForkResult,
  NamedValue,
  NamedValueGroup,
  Query,
  TensorBytes,
  TrainedFork,
} from '../protocol/queries';
import type { RunQueryResult } from '../protocol/run-query';
import { answerConsoleQuery } from './console-query';
import type { DebuggedRun, LaunchConfiguration, LaunchRun } from './debugged-run';
import { ForkThreads, keyOf, parseFork, RUN_THREAD } from './fork-threads';
import { exceptionFilters, NON_FINITE } from './exception-filters';
import { inlineValues } from './inline-values';
import { insideOf, type InsidePlace } from './layer-inside';
import { type BreakpointMode, partOf, SpecLines } from './spec-lines';
import { GROUP_TITLES, VariableStore } from './variables';

const PHASE_FRAME = 1;
const STEP_FRAME = 2;
const INSIDE_FRAME = 3;
/** In the console: undoes the last manual change. */
const UNDO = 'undo';
/** Shorter moves show no progress. */
const PROGRESS_DELAY_MS = 500;

const MODES: readonly { readonly mode: BreakpointMode; readonly label: string }[] = [
  { mode: 'all', label: 'Forward, backward and update' },
  { mode: 'forward', label: 'Forward' },
  { mode: 'backward', label: 'Backward' },
  { mode: 'update', label: 'Update' },
];

const capabilities: DebugProtocol.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsStepBack: true,
  supportsRestartRequest: true,
  supportsRestartFrame: true,
  supportsGotoTargetsRequest: true,
  supportsSetVariable: true,
  supportsReadMemoryRequest: true,
  supportsEvaluateForHovers: true,
  supportsCompletionsRequest: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsDataBreakpoints: true,
  supportsFunctionBreakpoints: true,
  supportsBreakpointLocationsRequest: true,
  supportsExceptionInfoRequest: true,
  supportsTerminateRequest: true,
  supportsCancelRequest: true,
  breakpointModes: MODES.map(({ mode, label }) => ({ mode, label, appliesTo: ['source'] })),
  supportsExceptionFilterOptions: true,
  exceptionBreakpointFilters: exceptionFilters.map(({ place: _, ...filter }) => filter),
};

/** A breakpoint as the client set it. */
interface ClientBreakpoint {
  readonly breakpoint: Breakpoint | null;
  readonly line?: number;
  /** The layers at its line. */
  readonly layers: readonly number[];
  /** Why there is none. */
  readonly message?: string;
}

interface ShownProgress {
  readonly id: string;
  readonly timer: NodeJS.Timeout;
  isShown: boolean;
  /** The step at which it began; null until the first report. */
  start: number | null;
  /** Sent last. */
  percentage: number;
}

/** A failure that the client shows. */
class RequestError extends Error {
  override name = 'RequestError';
}

const toMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export class NablascopeDebugSession extends DebugSession {
  readonly #launchRun: LaunchRun;
  #run: DebuggedRun | null = null;
  #lines: SpecLines | null = null;
  #variables: VariableStore | null = null;
  #names: Promise<readonly NamedValue[]> | null = null;
  #state: RunState = {
    status: 'ready',
    position: { step: 0, phase: 0 },
    hitBreakpoints: [],
    discovery: null,
    nonFinite: null,
  };
  /** Whether the client believes that the run moves. */
  #isMoving = false;
  /** Why it stops next, unless at a breakpoint. */
  #reason = 'entry';
  #close: () => void = () => undefined;
  /** Resolves when the client has disconnected and the run is closed. */
  readonly closed = new Promise<void>((resolve) => (this.#close = resolve));
  #isConfigured: () => void = () => undefined;
  readonly #configured = new Promise<void>((resolve) => (this.#isConfigured = resolve));
  #hasEnded = false;
  #sourceBreakpoints: readonly ClientBreakpoint[] = [];
  #functionBreakpoints: readonly ClientBreakpoint[] = [];
  #dataBreakpoints: readonly ClientBreakpoint[] = [];
  #exceptionBreakpoints: readonly ClientBreakpoint[] = [];
  /** Ids by what they stop at, so that a breakpoint that is sent again keeps its hits. */
  readonly #ids = new Map<string, number>();
  #stopsAtNonFinite = true;
  /** Where the client is inside of the phase that is done; null for the end of the phase. */
  #inside: number | null = null;
  /** Whether the next stop is at the first place inside of its phase, if there is one. */
  #stepsIn = false;
  #gotoTargets: Position[] = [];
  #clientCapabilities: Partial<DebugProtocol.InitializeRequestArguments> = {};
  #progress: ShownProgress | null = null;
  #progressCount = 0;
  #queryCount = 0;
  #isQueryCancelled = false;
  /** The request of the console's command that runs now. */
  #consoleRequest: number | null = null;
  readonly #forks = new ForkThreads();
  /** While the run becomes one of its forks, the client sees no movement. */
  #isForking = false;
  #onForked: () => void = () => undefined;
  /** Aborted when the session ends. */
  readonly #ending = new AbortController();

  constructor(launchRun: LaunchRun) {
    super();
    this.setDebuggerLinesStartAt1(true);
    this.setDebuggerColumnsStartAt1(true);
    this.#launchRun = launchRun;
  }

  // Life of the session

  protected override initializeRequest(
    response: DebugProtocol.InitializeResponse,
    args: DebugProtocol.InitializeRequestArguments,
  ): void {
    this.#clientCapabilities = args;
    response.body = capabilities;
    this.sendResponse(response);
  }

  protected override launchRequest(
    response: DebugProtocol.LaunchResponse,
    args: DebugProtocol.LaunchRequestArguments & Partial<LaunchConfiguration>,
  ): void {
    this.#answer(response, async () => {
      const { program, stopOnEntry = true, noDebug = false } = args;
      if (typeof program !== 'string') throw new RequestError('The configuration names no spec: set "program".');
      if (this.#run) throw new RequestError('A run is open already.');
      const run = await this.#launchRun(
        { program, stopOnEntry },
        {
          onState: (state) => this.#handleState(state),
          onReplay: (step, target) => this.#updateProgress(step, target),
          onLogpoints: (messages) => this.#print(messages),
          onForks: () => void this.#refreshForks(),
          onOutput: (text) => this.sendEvent(new OutputEvent(text, 'stdout')),
          onExit: (reason) => this.#end(reason),
        },
      );
      this.#run = run;
      this.#lines = new SpecLines(run.model, run.text);
      this.#variables = new VariableStore(run.model, (query) => run.calls.query(query));
      this.sendEvent(new InitializedEvent());
      await this.#configured;
      setImmediate(() => {
        if (stopOnEntry && !noDebug) this.#stop('entry');
        else void this.#move({ type: 'run' }, 'pause');
      });
    });
  }

  protected override configurationDoneRequest(response: DebugProtocol.ConfigurationDoneResponse): void {
    this.sendResponse(response);
    this.#isConfigured();
  }

  protected override terminateRequest(response: DebugProtocol.TerminateResponse): void {
    this.#answer(response, async () => {
      await this.#dispose();
      setImmediate(() => this.#end(null));
    });
  }

  protected override disconnectRequest(response: DebugProtocol.DisconnectResponse): void {
    this.#answer(response, async () => {
      await this.#dispose();
      setImmediate(this.#close);
    });
  }

  protected override restartRequest(response: DebugProtocol.RestartResponse): void {
    this.#moveAfter(response, { type: 'reset' }, 'restart');
  }

  /** The client has disconnected, or closed its stream. */
  override shutdown(): void {
    void this.#dispose().finally(this.#close);
  }

  async #dispose(): Promise<void> {
    const run = this.#run;
    this.#run = null;
    this.#ending.abort();
    this.#isConfigured();
    await run?.calls.setBreakpoints([]).catch(() => undefined);
    await run?.dispose();
  }

  #end(reason: string | null): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#run = null;
    this.#ending.abort();
    this.#isConfigured();
    this.#endProgress();
    if (reason !== null) this.sendEvent(new OutputEvent(`${reason}\n`, 'stderr'));
    this.sendEvent(new TerminatedEvent());
  }

  // Movement

  protected override continueRequest(
    response: DebugProtocol.ContinueResponse,
    { threadId }: DebugProtocol.ContinueArguments,
  ): void {
    response.body = { allThreadsContinued: true };
    this.#moveThread(response, threadId, { type: 'run' }, 'pause');
  }

  protected override nextRequest(
    response: DebugProtocol.NextResponse,
    { threadId }: DebugProtocol.NextArguments,
  ): void {
    this.#moveThread(response, threadId, { type: 'stepPhase' }, 'step', 1);
  }

  protected override stepInRequest(
    response: DebugProtocol.StepInResponse,
    { threadId }: DebugProtocol.StepInArguments,
  ): void {
    if (this.#moveFork(response, threadId, { type: 'stepPhase' }, 'step')) return;
    if (this.#moveInside(response, 1)) return;
    if (!this.#run) {
      this.#answer(response, () => this.#requireRun());
      return;
    }
    this.sendResponse(response);
    void this.#stepIn(this.#run);
  }

  /** Code of the user's own is debugged first; the inside of other layers is shown once their phase is done. */
  async #stepIn({ model, debugCode }: DebuggedRun): Promise<void> {
    this.#isMoving = true;
    const state = this.#state;
    const next = model.phases[state.position.phase];
    const { signal } = this.#ending;
    try {
      if (next && 'layer' in next) await debugCode?.(model.layers[next.layer]!.name, next.kind, signal);
    } catch (error) {
      if (!signal.aborted) this.sendEvent(new OutputEvent(`${toMessage(error)}\n`, 'console'));
    }
    // A move or a pause meanwhile, here or in the panel, replaces this step.
    if (signal.aborted || this.#state !== state) return;
    this.#stepsIn = true;
    await this.#move({ type: 'stepPhase' }, 'step');
  }

  protected override stepOutRequest(
    response: DebugProtocol.StepOutResponse,
    { threadId }: DebugProtocol.StepOutArguments,
  ): void {
    this.#moveThread(response, threadId, { type: 'finishPass' }, 'step', Infinity);
  }

  protected override stepBackRequest(
    response: DebugProtocol.StepBackResponse,
    { threadId }: DebugProtocol.StepBackArguments,
  ): void {
    this.#moveThread(response, threadId, { type: 'backPhase' }, 'step', -1);
  }

  /** Back into the phase that is done, at its last place inside; back by a phase if it has none. */
  #backInto(response: DebugProtocol.Response, threadId: number): void {
    const { length } = this.#insidePlaces;
    if (this.#inside === null && length > 0) this.#inside = length;
    this.stepBackRequest(response, { threadId });
  }

  get #insidePlaces(): readonly InsidePlace[] {
    return this.#run && !this.#isTraining ? insideOf(this.#run.model, this.#phase) : [];
  }

  get #insidePlace(): InsidePlace | undefined {
    return this.#inside === null ? undefined : this.#insidePlaces[this.#inside];
  }

  /** Moves between places inside of a phase, which the run does not notice. @returns false if it leaves the phase */
  #moveInside(response: DebugProtocol.Response, by: number): boolean {
    if (!this.#run || this.#inside === null) return false;
    const target = this.#inside + by;
    if (target < 0) return false;
    this.sendResponse(response);
    const { length } = this.#insidePlaces;
    setImmediate(() => {
      if (this.#run && !this.#isMoving) this.#stopInside(target < length ? target : null);
    });
    return true;
  }

  protected override reverseContinueRequest(
    response: DebugProtocol.ReverseContinueResponse,
    { threadId }: DebugProtocol.ReverseContinueArguments,
  ): void {
    this.#moveThread(response, threadId, { type: 'reverseContinue' }, 'entry');
  }

  protected override pauseRequest(response: DebugProtocol.PauseResponse): void {
    this.#moveAfter(response, { type: 'pause' }, 'pause');
  }

  protected override restartFrameRequest(
    response: DebugProtocol.RestartFrameResponse,
    { frameId }: DebugProtocol.RestartFrameArguments,
  ): void {
    const fork = this.#forks.ofFrame(frameId);
    if (fork) this.#goOnAs(response, fork, { type: 'seek', step: Math.max(0, fork.step - 1) }, 'restart');
    else this.#moveAfter(response, { type: 'seek', step: Math.max(0, this.#shownStep - 1) }, 'restart');
  }

  protected override gotoTargetsRequest(
    response: DebugProtocol.GotoTargetsResponse,
    { line }: DebugProtocol.GotoTargetsArguments,
  ): void {
    this.#answer(response, () => {
      const { phases } = this.#requireRun().model;
      const step = Math.max(0, this.#shownStep - 1);
      const indices = this.#requireLines().phasesAt(this.convertClientLineToDebugger(line), 'all');
      const targets = indices.map((index) => {
        const position = index + 1 < phases.length ? { step, phase: index + 1 } : { step: step + 1, phase: 0 };
        return {
          id: this.#gotoTargets.push(position) - 1,
          label: `step ${step + 1}, ${this.#label(phases[index]!)}`,
          line,
        };
      });
      return { targets };
    });
  }

  protected override gotoRequest(
    response: DebugProtocol.GotoResponse,
    { targetId }: DebugProtocol.GotoArguments,
  ): void {
    const target = this.#gotoTargets[targetId];
    if (target) this.#moveAfter(response, { type: 'seek', ...target }, 'goto');
    else this.#answer(response, () => Promise.reject(new RequestError('There is no such target.')));
  }

  /** Ends a movement, or a command of the console. */
  protected override cancelRequest(
    response: DebugProtocol.CancelResponse,
    { requestId, progressId }: DebugProtocol.CancelArguments,
  ): void {
    this.#answer(response, async () => {
      // VS Code also cancels requests whose answers it no longer needs, such as variables of an earlier stop.
      const isRunning =
        progressId === undefined ? requestId === this.#consoleRequest : progressId === this.#progress?.id;
      if (!isRunning) return;
      this.#isQueryCancelled = true;
      if (!this.#progress) return;
      this.#reason = 'pause';
      await this.#requireRun().calls.command({ type: 'pause' });
    });
  }

  /** Answers, then moves: the client expects the event after the response. */
  #moveAfter(response: DebugProtocol.Response, command: SessionCommand, reason: string): void {
    if (!this.#run) {
      this.#answer(response, () => this.#requireRun());
      return;
    }
    this.sendResponse(response);
    void this.#move(command, reason);
  }

  /**
   * Moves the run, or a fork, which becomes the run.
   * @param inside by how many places, if the client is inside of a phase of the run
   */
  #moveThread(
    response: DebugProtocol.Response,
    thread: number,
    command: SessionCommand,
    reason: string,
    inside = 0,
  ): void {
    if (this.#moveFork(response, thread, command, reason)) return;
    if (inside === 0 || !this.#moveInside(response, inside)) this.#moveAfter(response, command, reason);
  }

  /** If the thread is a fork, the run goes on as this fork, and moves. @returns whether it is one */
  #moveFork(response: DebugProtocol.Response, thread: number, command: SessionCommand, reason: string): boolean {
    const fork = this.#run ? this.#forks.get(thread) : undefined;
    if (fork) this.#goOnAs(response, fork, command, reason);
    return fork !== undefined;
  }

  #goOnAs(response: DebugProtocol.Response, fork: TrainedFork, command: SessionCommand, reason: string): void {
    this.sendResponse(response);
    this.#isMoving = true;
    void this.#become(fork).then(
      (hasArrived) => {
        if (!this.#run || this.#hasEnded) return;
        if (hasArrived) void this.#move(command, reason);
        else this.#stop('pause');
      },
      (error: unknown) => {
        if (!this.#run || this.#hasEnded) return;
        this.sendEvent(new OutputEvent(`${toMessage(error)}\n`, 'console'));
        this.#stop('pause');
      },
    );
  }

  /** Trains the run to where a fork of it stands. @returns false if it was stopped before */
  async #become({ from, lr, seed, step }: TrainedFork): Promise<boolean> {
    const { calls } = this.#requireRun();
    const { signal } = this.#ending;
    // The fork has passed its breakpoints.
    await calls.setBreakpoints([]);
    this.#isForking = true;
    try {
      await calls.command({ type: 'fork', step: from, lr, seed, to: step });
      if (this.#isTraining && !signal.aborted)
        await new Promise<void>((resolve) => {
          this.#onForked = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
    } finally {
      this.#isForking = false;
      if (this.#run) await this.#sendBreakpoints([]);
    }
    const { position } = this.#state;
    return position.step === step && position.phase === 0;
  }

  async #move(command: SessionCommand, reason: string): Promise<void> {
    const { calls } = this.#requireRun();
    this.#isMoving = true;
    this.#reason = reason;
    try {
      await calls.command(command);
    } catch (error) {
      this.#stepsIn = false;
      // The end of the process is reported itself.
      if (!this.#run || this.#hasEnded) return;
      this.sendEvent(new OutputEvent(`${toMessage(error)}\n`, 'console'));
      if (this.#isMoving && !this.#isTraining) this.#stop('pause');
    }
  }

  get #isTraining(): boolean {
    return this.#state.status === 'running' || this.#state.status === 'seeking';
  }

  get #shownStep(): number {
    const { step, phase } = this.#state.position;
    return phase > 0 ? step + 1 : step;
  }

  /** The run was started or stopped, by this client or elsewhere. */
  #handleState(state: RunState): void {
    const before = this.#state;
    this.#state = state;
    if (!this.#run || this.#hasEnded) return;
    if (this.#isForking) {
      if (!this.#isTraining) this.#onForked();
      return;
    }
    if (this.#isTraining) {
      if (!this.#isMoving) {
        this.sendEvent(new ContinuedEvent(RUN_THREAD, true));
        this.#reason = state.status === 'seeking' ? 'goto' : 'pause';
      }
      this.#isMoving = true;
      this.#startProgress(state.status === 'seeking');
      return;
    }
    this.#endProgress();
    const hasMoved = before.position.step !== state.position.step || before.position.phase !== state.position.phase;
    if (this.#isMoving || hasMoved) this.#stop(this.#isMoving ? this.#reason : 'goto');
    else {
      this.#variables?.clear();
      if (this.#clientCapabilities.supportsInvalidatedEvent === true)
        this.sendEvent(new InvalidatedEvent(['variables'], RUN_THREAD));
      // A change discards forks of later steps.
      void this.#refreshForks();
    }
  }

  /** At a place inside of the phase, or for null at its end. */
  #stopInside(place: number | null, reason = 'step'): void {
    this.#inside = place;
    this.#forgetStop();
    const event: DebugProtocol.StoppedEvent = new StoppedEvent(reason, RUN_THREAD);
    event.body.allThreadsStopped = true;
    this.sendEvent(event);
  }

  /** What the client refers to is valid until the next stop. */
  #forgetStop(): void {
    this.#variables?.clear();
    this.#gotoTargets = [];
  }

  #stop(reason: string): void {
    const { hitBreakpoints, discovery, status, nonFinite } = this.#state;
    this.#isMoving = false;
    const stepsIn = this.#stepsIn;
    this.#stepsIn = false;
    this.#inside = stepsIn && this.#insidePlaces.length > 0 ? 0 : null;
    this.#forgetStop();
    const event: DebugProtocol.StoppedEvent = new StoppedEvent(reason, RUN_THREAD);
    event.body.allThreadsStopped = true;
    if (hitBreakpoints.length > 0) {
      const isHit = ({ breakpoint }: ClientBreakpoint): boolean => hitBreakpoints.includes(breakpoint?.id ?? -1);
      event.body.reason = 'breakpoint';
      if (this.#functionBreakpoints.some(isHit)) event.body.reason = 'function breakpoint';
      if (this.#dataBreakpoints.some(isHit)) event.body.reason = 'data breakpoint';
      if (discovery) {
        event.body.reason = 'exception';
        event.body.text = discovery.message;
      }
      event.body.hitBreakpointIds = [...hitBreakpoints];
    } else if (status === 'diverged') {
      if (this.#stopsAtNonFinite) event.body.reason = 'exception';
      if (nonFinite) event.body.text = describeNonFinite(nonFinite);
    } else if (status === 'finished') event.body.description = 'Finished: all steps of the run are done.';
    this.sendEvent(event);
  }

  #startProgress(isSeeking: boolean): void {
    if (!isSeeking || this.#progress || this.#clientCapabilities.supportsProgressReporting !== true) return;
    const id = `seek-${++this.#progressCount}`;
    const progress: ShownProgress = {
      id,
      isShown: false,
      start: null,
      percentage: 0,
      timer: setTimeout(() => {
        progress.isShown = true;
        const event: DebugProtocol.ProgressStartEvent = new ProgressStartEvent(id, 'Replaying the run');
        event.body.cancellable = true;
        this.sendEvent(event);
      }, PROGRESS_DELAY_MS),
    };
    this.#progress = progress;
  }

  /** A replay has reached a step on its way to another. */
  #updateProgress(step: number, target: number): void {
    const progress = this.#progress;
    if (!progress) return;
    progress.start ??= step;
    const percentage = Math.floor((100 * (step - progress.start)) / Math.max(1, target - progress.start));
    if (!progress.isShown || percentage <= progress.percentage) return;
    progress.percentage = percentage;
    const event: DebugProtocol.ProgressUpdateEvent = new ProgressUpdateEvent(progress.id, `step ${step} of ${target}`);
    event.body.percentage = Math.min(100, percentage);
    this.sendEvent(event);
  }

  #endProgress(): void {
    if (!this.#progress) return;
    clearTimeout(this.#progress.timer);
    if (this.#progress.isShown) this.sendEvent(new ProgressEndEvent(this.#progress.id));
    this.#progress = null;
  }

  // Where the run is

  protected override threadsRequest(response: DebugProtocol.ThreadsResponse): void {
    this.#answer(response, async () => {
      await this.#readForks().catch(() => this.#setForks([]));
      return { threads: [{ id: RUN_THREAD, name: this.#run?.model.name ?? 'run' }, ...this.#forks.threads] };
    });
  }

  /** @returns whether there are new ones */
  async #readForks(): Promise<boolean> {
    const { value } = await this.#requireRun().calls.query({ type: 'forks' });
    return this.#setForks(value as readonly TrainedFork[]);
  }

  #setForks(forks: readonly TrainedFork[]): boolean {
    const { hasNew, gone } = this.#forks.set(forks);
    if (this.#run && !this.#hasEnded) for (const thread of gone) this.sendEvent(new ThreadEvent('exited', thread));
    return hasNew;
  }

  /** A fork was trained or discarded, here or in the panel. */
  async #refreshForks(): Promise<void> {
    const hasNew = await this.#readForks().catch(() => false);
    if (!hasNew || !this.#run || this.#hasEnded || this.#isMoving) return;
    // The client reads the threads again at a stop. The run has not moved, so nothing is hit again.
    this.#stopInside(this.#inside, 'pause');
  }

  /** Trains a fork beside the run, which stays where it is. */
  async #trainFork(fork: ForkRequest): Promise<DebugProtocol.EvaluateResponse['body']> {
    const { calls } = this.#requireRun();
    this.#isQueryCancelled = false;
    this.#startProgress(true);
    try {
      for (;;) {
        const result = (await calls.query({ type: 'fork', ...fork })).value as ForkResult | null;
        if (!result) throw new RequestError('A fork begins at a step that the run has reached, and ends in the run.');
        this.#updateProgress(result.step, fork.to);
        if (!result.done && !this.#isQueryCancelled) continue;
        setImmediate(() => void this.#refreshForks());
        const { value } = await calls.query({ type: 'forks' });
        // It was cancelled on the way to its first step.
        if (!(value as readonly TrainedFork[]).some((each) => keyOf(each) === keyOf(fork)))
          return { result: 'The fork was stopped before its first step.', variablesReference: 0 };
        const end = result.diverged === null ? '' : ', where its loss is not finite';
        const place = `The fork is at step ${result.step}${end}.`;
        return { result: `${place} Move its thread to make it the run.`, variablesReference: 0 };
      }
    } finally {
      this.#endProgress();
    }
  }

  protected override stackTraceRequest(
    response: DebugProtocol.StackTraceResponse,
    { threadId, startFrame = 0, levels = 0 }: DebugProtocol.StackTraceArguments,
  ): void {
    this.#answer(response, () => {
      const frames = this.#framesOf(this.#forks.get(threadId), threadId);
      return {
        stackFrames: frames.slice(startFrame, levels > 0 ? startFrame + levels : undefined),
        totalFrames: frames.length,
      };
    });
  }

  /** A fork stands at the end of its last step. */
  #framesOf(fork: TrainedFork | undefined, thread: number): DebugProtocol.StackFrame[] {
    const { file, model } = this.#requireRun();
    const step = fork?.step ?? this.#shownStep;
    const epoch = Math.ceil(step / model.batchesPerEpoch);
    const batch = ((step - 1) % model.batchesPerEpoch) + 1;
    const stepFrame: DebugProtocol.StackFrame = {
      id: fork ? this.#forks.frameId(thread, 'step') : STEP_FRAME,
      name: step === 0 ? 'before step 1' : `step ${step} (epoch ${epoch}, batch ${batch})`,
      line: 0,
      column: 0,
      presentationHint: 'subtle',
    };
    const phase = fork ? (step > 0 ? model.phases.at(-1)! : null) : this.#phase;
    const layer = fork ? null : this.#layer;
    const line = phase ? this.#requireLines().lineOf(layer ?? partOf(phase)) : undefined;
    const phaseFrame: DebugProtocol.StackFrame[] = phase
      ? [
          {
            id: fork ? this.#forks.frameId(thread, 'phase') : PHASE_FRAME,
            name:
              phase.kind === 'update' && layer !== null ? `update: ${model.layers[layer]!.name}` : this.#label(phase),
            line: line === undefined ? 0 : this.convertDebuggerLineToClient(line),
            column: line === undefined ? 0 : this.convertDebuggerColumnToClient(1),
            ...(line !== undefined && { source: { path: this.convertDebuggerPathToClient(file) } }),
          },
        ]
      : [];
    const inside = fork ? undefined : this.#insidePlace;
    const insideFrame = inside ? phaseFrame.map((frame) => ({ ...frame, id: INSIDE_FRAME, name: inside.label })) : [];
    return [...insideFrame, ...phaseFrame, stepFrame];
  }

  #label(phase: Phase): string {
    return phaseLabel(this.#requireRun().model, phase);
  }

  /** The phase that is done; null before the first step. */
  get #phase(): Phase | null {
    const { phases } = this.#requireRun().model;
    const { step, phase } = this.#state.position;
    return (phase > 0 ? phases[phase - 1] : step > 0 ? phases[phases.length - 1] : undefined) ?? null;
  }

  /** The layer of the phase, or at an update that of the finding or the breakpoint that was hit. */
  get #layer(): number | null {
    const phase = this.#phase;
    if (!phase) return null;
    if ('layer' in phase) return phase.layer;
    const { hitBreakpoints, discovery } = this.#state;
    const hit = [...this.#sourceBreakpoints, ...this.#functionBreakpoints, ...this.#dataBreakpoints].find(
      ({ breakpoint }) => breakpoint && hitBreakpoints.includes(breakpoint.id),
    );
    return phase.kind === 'update' ? (discovery?.layer ?? hit?.layers[0] ?? null) : null;
  }

  // Values

  protected override scopesRequest(
    response: DebugProtocol.ScopesResponse,
    { frameId }: DebugProtocol.ScopesArguments,
  ): void {
    this.#answer(response, async () => {
      const names = await this.#namedValues();
      const fork = this.#forks.ofFrame(frameId);
      const isPhase = fork ? this.#forks.isPhaseFrame(frameId) : frameId === PHASE_FRAME;
      const layer = frameId === PHASE_FRAME ? this.#layer : null;
      const variables = this.#requireVariables();
      const inside = frameId === INSIDE_FRAME ? this.#insidePlace : undefined;
      if (inside) {
        const { label, values } = inside;
        const variablesReference = variables.add({ kind: 'scope', values, isOfLayer: true });
        return { scopes: [{ name: label, variablesReference, namedVariables: values.length, expensive: false }] };
      }
      const groups = (Object.keys(GROUP_TITLES) as NamedValueGroup[]).filter((group) => group === 'run' || isPhase);
      const scopes = groups.flatMap((group): DebugProtocol.Scope[] => {
        const values = names.filter(
          (value) => value.group === group && (layer === null || [layer, null].includes(value.layer)),
        );
        if (values.length === 0) return [];
        const reference = variables.add({ kind: 'scope', values, isOfLayer: layer !== null, fork });
        return [
          {
            name: GROUP_TITLES[group],
            variablesReference: reference,
            namedVariables: values.length,
            expensive: false,
          },
        ];
      });
      return { scopes };
    });
  }

  protected override variablesRequest(
    response: DebugProtocol.VariablesResponse,
    { variablesReference, start, count, filter }: DebugProtocol.VariablesArguments,
  ): void {
    this.#answer(response, async () => {
      const variables = this.#requireVariables();
      const source = variables.get(variablesReference);
      if (!source) throw new RequestError('The run has moved on, so this variable is gone.');
      if (filter === (source.kind === 'scope' ? 'indexed' : 'named')) return { variables: [] };
      return { variables: await variables.children(source, start, count) };
    });
  }

  /** The reference of a tensor is its expression, so it holds for as long as the tensor has a value. */
  protected override readMemoryRequest(
    response: DebugProtocol.ReadMemoryResponse,
    { memoryReference, offset = 0, count }: DebugProtocol.ReadMemoryArguments,
  ): void {
    this.#answer(response, async () => {
      const { calls } = this.#requireRun();
      const pieces: Uint8Array[] = [];
      const start = Math.max(0, offset);
      let read = 0;
      for (;;) {
        const query = { type: 'tensor_bytes', expression: memoryReference, from: start + read, count: count - read };
        const answer = (await calls.query(query as Query<'tensor_bytes'>)).value as TensorBytes | null;
        if (!answer) throw new RequestError(`${memoryReference} has no value at this point of the run.`);
        pieces.push(answer.bytes);
        read += answer.bytes.length;
        if (read >= count || start + read >= answer.total) break;
      }
      return {
        address: `0x${start.toString(16)}`,
        data: Buffer.concat(pieces).toString('base64'),
        ...(read < count && { unreadableBytes: count - read }),
      };
    });
  }

  protected override setVariableRequest(
    response: DebugProtocol.SetVariableResponse,
    { variablesReference, name, value }: DebugProtocol.SetVariableArguments,
  ): void {
    this.#answer(response, async () => {
      const variables = this.#requireVariables();
      const source = variables.get(variablesReference);
      if (source?.fork) throw new RequestError('Values of a fork cannot be set before the run goes on as it.');
      const number = await this.#toNumber(value);
      const { calls } = this.#requireRun();
      if (source?.kind === 'scope' && name === 'lr') {
        await calls.command({ type: 'setLearningRate', lr: number });
        return { value: String(number) };
      }
      const index = Number(name);
      if (source?.kind !== 'tensor' || !source.editable || source.shape.length > 1 || !Number.isInteger(index))
        throw new RequestError('Only entries of parameters, and the learning rate "lr", can be set.');
      const { parameter, offset } = source.editable;
      await calls.command({ type: 'setWeights', weights: [{ parameter, index: offset + index, value: number }] });
      // As it is stored, in the precision of the run.
      const [stored] = await variables.evaluate([{ text: `${source.expression}[${index}]` }]);
      return { value: stored?.kind === 'value' ? String(stored.entries[0]) : String(number) };
    });
  }

  async #toNumber(text: string): Promise<number> {
    const [value] = await this.#requireVariables().evaluate([{ text }]);
    if (value?.kind === 'error') throw new RequestError(value.message);
    const number = value?.entries[0] ?? NaN;
    if (value?.shape.length !== 0 || value.type !== 'number' || !Number.isFinite(number))
      throw new RequestError(`The new value must be one finite number, not ${text}.`);
    return number;
  }

  protected override evaluateRequest(
    response: DebugProtocol.EvaluateResponse,
    { expression, context, frameId }: DebugProtocol.EvaluateArguments,
  ): void {
    this.#answer(response, async () => {
      const command = context === 'repl' ? this.#consoleCommand(expression) : null;
      if (command) {
        this.#consoleRequest = response.request_seq;
        return command().finally(() => (this.#consoleRequest = null));
      }
      const fork = this.#forks.ofFrame(frameId);
      const variables = this.#requireVariables();
      const [value] = await variables.evaluate([{ text: expression }], fork);
      if (!value) throw new RequestError('There is no value.');
      if (value.kind === 'error') throw new RequestError(`${value.message} (column ${value.start + 1})`);
      const { text, ...reference } = variables.describe({ expression, editable: null, fork }, value);
      return { result: text, type: value.type, ...reference };
    });
  }

  /** What the console does for a text that is more than an expression. */
  #consoleCommand(text: string): (() => Promise<DebugProtocol.EvaluateResponse['body']>) | null {
    const step = /^\s*goto\s+(\d+)\s*$/.exec(text)?.[1];
    if (step !== undefined) return () => this.#goto(Number(step));
    if (text.trim() === UNDO) return () => this.#undo();
    const fork = parseFork(text, { ...this.#requireRun().model, step: this.#state.position.step });
    if (typeof fork === 'string') throw new RequestError(fork);
    if (fork) return () => this.#trainFork(fork);
    return isRunQuery(text) ? () => this.#answerQuery(text) : null;
  }

  async #goto(step: number): Promise<DebugProtocol.EvaluateResponse['body']> {
    this.#reason = 'goto';
    await this.#requireRun().calls.command({ type: 'seek', step });
    return { result: `step ${step}`, variablesReference: 0 };
  }

  async #undo(): Promise<DebugProtocol.EvaluateResponse['body']> {
    this.#reason = 'goto';
    const label = await this.#requireRun().undo();
    if (label === null) return { result: 'There is nothing to undo.', variablesReference: 0 };
    // An engine that has opened the run again knows no breakpoints.
    await this.#sendBreakpoints([]);
    return { result: `Undone: ${label}.`, variablesReference: 0 };
  }

  /** Prints the rows of a query, or goes to the step that a search finds. */
  async #answerQuery(text: string): Promise<DebugProtocol.EvaluateResponse['body']> {
    const { calls } = this.#requireRun();
    this.#isQueryCancelled = false;
    this.#startProgress(true);
    const { result, foundStep } = await answerConsoleQuery(`console ${++this.#queryCount}`, text, this.#shownStep, {
      query: async (query) => (await calls.query(query)).value as RunQueryResult,
      print: (lines) => this.sendEvent(new OutputEvent(lines, 'stdout')),
      isCancelled: () => this.#isQueryCancelled,
    }).finally(() => this.#endProgress());
    if (foundStep !== null) {
      this.#reason = 'goto';
      await calls.command({ type: 'seek', step: foundStep });
    }
    return { result, variablesReference: 0 };
  }

  protected override completionsRequest(
    response: DebugProtocol.CompletionsResponse,
    { text, column }: DebugProtocol.CompletionsArguments,
  ): void {
    this.#answer(response, async () => {
      const before = text.slice(0, this.convertClientColumnToDebugger(column) - 1);
      const word = /[\p{L}\p{N}_$.]*$/u.exec(before)![0];
      const values = (await this.#namedValues())
        .map(({ expression }) => expression)
        .filter((each) => !each.includes('('));
      const calls = [...functions.keys(), ...changeFunctions.keys(), AT, LAST, IS_ZERO_FOR, 'grad', 'update'];
      const all = [
        ...[...new Set(values)].map((label) => ({ label, type: 'variable' as const })),
        ...calls.map((label) => ({ label, type: 'function' as const })),
      ];
      const targets = all.filter(({ label }) => label.startsWith(word));
      return { targets: targets.map((each) => ({ ...each, start: before.length - word.length, length: word.length })) };
    });
  }

  #namedValues(): Promise<readonly NamedValue[]> {
    const { calls } = this.#requireRun();
    this.#names ??= calls.query({ type: 'named_values' }).then(({ value }) => value as readonly NamedValue[]);
    return this.#names;
  }

  // Breakpoints

  protected override setBreakPointsRequest(
    response: DebugProtocol.SetBreakpointsResponse,
    { source, breakpoints = [] }: DebugProtocol.SetBreakpointsArguments,
  ): void {
    this.#answer(response, async () => {
      const { file } = this.#requireRun();
      const isSpec = source.path !== undefined && this.convertClientPathToDebugger(source.path) === file;
      if (!isSpec)
        return {
          breakpoints: breakpoints.map(({ line }) => ({
            verified: false,
            line,
            message: 'Breakpoints stand on the lines of layers in the spec.',
          })),
        };
      this.#sourceBreakpoints = breakpoints.map((each) => this.#toClientBreakpoint(each));
      return { breakpoints: await this.#sendBreakpoints(this.#sourceBreakpoints) };
    });
  }

  protected override breakpointLocationsRequest(
    response: DebugProtocol.BreakpointLocationsResponse,
    { line, endLine = line }: DebugProtocol.BreakpointLocationsArguments,
  ): void {
    this.#answer(response, () => {
      const [first, last] = [line, endLine].map((each) => this.convertClientLineToDebugger(each)) as [number, number];
      const lines = this.#requireLines().linesBetween(first, last);
      return { breakpoints: lines.map((each) => ({ line: this.convertDebuggerLineToClient(each) })) };
    });
  }

  protected override dataBreakpointInfoRequest(
    response: DebugProtocol.DataBreakpointInfoResponse,
    { variablesReference, name }: DebugProtocol.DataBreakpointInfoArguments,
  ): void {
    this.#answer(response, async () => {
      const variables = this.#requireVariables();
      const source = variablesReference === undefined ? undefined : variables.get(variablesReference);
      const expression =
        source?.kind === 'scope'
          ? source.values.find(({ label, expression: each }) => name === (source.isOfLayer ? label : each))?.expression
          : source?.kind === 'tensor'
            ? `${source.expression}[${name}]`
            : name;
      const [value] = await variables.evaluate([{ text: expression ?? name }]);
      if (expression === undefined || (value?.kind === 'error' && source === undefined))
        return { dataId: null, description: value?.kind === 'error' ? value.message : `There is no ${name}.` };
      // A tensor is watched by its norm. What is not computed yet may be a tensor: only numbers of the run are not.
      const isNumber = value?.kind === 'value' ? value.shape.length === 0 : !expression.includes('.');
      const dataId = isNumber ? expression : `norm(${expression})`;
      return { dataId, description: dataId, accessTypes: ['write'], canPersist: true };
    });
  }

  protected override setDataBreakpointsRequest(
    response: DebugProtocol.SetDataBreakpointsResponse,
    { breakpoints }: DebugProtocol.SetDataBreakpointsArguments,
  ): void {
    this.#answer(response, async () => {
      this.#dataBreakpoints = breakpoints.map(({ dataId, condition, hitCondition }) => ({
        layers: this.#layersNamedIn(dataId),
        breakpoint: this.#withId({ on: { data: dataId }, condition, hitCondition }),
      }));
      return { breakpoints: await this.#sendBreakpoints(this.#dataBreakpoints) };
    });
  }

  protected override setExceptionBreakPointsRequest(
    response: DebugProtocol.SetExceptionBreakpointsResponse,
    { filters, filterOptions = [] }: DebugProtocol.SetExceptionBreakpointsArguments,
  ): void {
    this.#answer(response, async () => {
      this.#requireRun();
      const asked = [
        ...filters.map((filterId) => ({ filterId, condition: '' })),
        ...filterOptions.map(({ filterId, condition = '' }) => ({ filterId, condition })),
      ];
      this.#stopsAtNonFinite = asked.some(({ filterId }) => filterId === NON_FINITE);
      const breakpoints = asked.map(({ filterId, condition }): ClientBreakpoint => {
        const filter = exceptionFilters.find((each) => each.filter === filterId);
        const place = filter ? filter.place?.(condition) : `There is no exception filter ${filterId}.`;
        if (typeof place === 'string') return { breakpoint: null, layers: [], message: place };
        return { breakpoint: place ? this.#withId({ on: place }) : null, layers: [] };
      });
      this.#exceptionBreakpoints = breakpoints;
      const statuses = await this.#sendBreakpoints(breakpoints);
      // Training always ends at NaN and infinity.
      return {
        breakpoints: statuses.map((status, i) =>
          asked[i]!.filterId === NON_FINITE ? { ...status, verified: true } : status,
        ),
      };
    });
  }

  protected override setFunctionBreakPointsRequest(
    response: DebugProtocol.SetFunctionBreakpointsResponse,
    { breakpoints }: DebugProtocol.SetFunctionBreakpointsArguments,
  ): void {
    this.#answer(response, async () => {
      const { layers } = this.#requireRun().model;
      const lines = this.#requireLines();
      this.#functionBreakpoints = breakpoints.map(({ name, condition, hitCondition }) => {
        const layer = layers.find((each) => each.name === name.trim())?.index;
        const on = layer === undefined ? { tensor: name } : { phases: lines.phasesOf([layer], 'all') };
        const breakpoint = this.#withId({ on, condition, hitCondition });
        return { breakpoint, layers: layer === undefined ? this.#layersNamedIn(name) : [layer] };
      });
      return { breakpoints: await this.#sendBreakpoints(this.#functionBreakpoints) };
    });
  }

  protected override exceptionInfoRequest(response: DebugProtocol.ExceptionInfoResponse): void {
    this.#answer(response, () => {
      const { nonFinite, discovery } = this.#state;
      if (discovery)
        return { exceptionId: discovery.code, description: discovery.message, breakMode: 'always' as const };
      if (!nonFinite) throw new RequestError('The run has not stopped at an exception.');
      return {
        exceptionId: 'NaN or infinity',
        description: describeNonFinite(nonFinite),
        breakMode: 'always' as const,
      };
    });
  }

  #toClientBreakpoint(each: DebugProtocol.SourceBreakpoint): ClientBreakpoint {
    const line = this.convertClientLineToDebugger(each.line);
    const lines = this.#requireLines();
    const mode = MODES.find(({ mode: known }) => known === each.mode)?.mode ?? 'all';
    const phases = lines.phasesAt(line, mode);
    const places = lines.placesAt(line);
    const layers = places.flatMap(({ part }) => (typeof part === 'number' ? part : []));
    if (phases.length === 0)
      return {
        breakpoint: null,
        layers,
        line,
        message:
          places.length === 0
            ? 'There is no layer, no loss and no optimizer on this line.'
            : 'No phase of this mode belongs to this line.',
      };
    const { condition, hitCondition, logMessage } = each;
    return {
      layers,
      line: places[0]!.firstLine,
      breakpoint: this.#withId({ on: { phases }, condition, hitCondition, logMessage }),
    };
  }

  #withId({
    on,
    ...texts
  }: Pick<Breakpoint, 'on'> & {
    [Key in 'condition' | 'hitCondition' | 'logMessage']?: string | undefined;
  }): Breakpoint {
    const given = Object.fromEntries(
      Object.entries(texts).filter(([, text]) => text !== undefined && text.trim() !== ''),
    );
    const key = JSON.stringify([on, given]);
    const id = this.#ids.get(key) ?? this.#ids.size + 1;
    this.#ids.set(key, id);
    return { id, on, ...given };
  }

  /** The layers whose tensors an expression reads. */
  #layersNamedIn(text: string): number[] {
    const { layers } = this.#requireRun().model;
    try {
      const names = namesIn(parseExpression(text)).map(({ name }) => name);
      return layers.flatMap(({ name, index }) => (names.some((each) => each.startsWith(`${name}.`)) ? index : []));
    } catch (error) {
      // The engine says what is wrong with it.
      if (error instanceof ExpressionError) return [];
      throw error;
    }
  }

  /** Sends all breakpoints to the engine. @returns the status of some of them */
  async #sendBreakpoints(asked: readonly ClientBreakpoint[]): Promise<DebugProtocol.Breakpoint[]> {
    const all = [
      ...this.#sourceBreakpoints,
      ...this.#functionBreakpoints,
      ...this.#dataBreakpoints,
      ...this.#exceptionBreakpoints,
    ].flatMap(({ breakpoint }) => breakpoint ?? []);
    const statuses = await this.#requireRun().calls.setBreakpoints(all);
    const byId = new Map<number, BreakpointStatus>(statuses.map((status) => [status.id, status]));
    return asked.map(({ breakpoint, line, message }) => {
      const status = breakpoint && byId.get(breakpoint.id);
      const reason = message ?? status?.message;
      return {
        verified: status?.isVerified === true,
        ...(breakpoint && { id: breakpoint.id }),
        ...(line !== undefined && { line: this.convertDebuggerLineToClient(line) }),
        ...(reason !== undefined && { message: reason }),
      };
    });
  }

  #print(messages: readonly LogpointMessage[]): void {
    const { file } = this.#requireRun();
    const all = [...this.#sourceBreakpoints, ...this.#dataBreakpoints];
    for (const { breakpoint: id, text } of messages) {
      const event: DebugProtocol.OutputEvent = new OutputEvent(`${text}\n`, 'console');
      const line = all.find(({ breakpoint }) => breakpoint?.id === id)?.line;
      if (line !== undefined) {
        event.body.source = { path: this.convertDebuggerPathToClient(file) };
        event.body.line = this.convertDebuggerLineToClient(line);
      }
      this.sendEvent(event);
    }
  }

  // Answers

  #requireRun(): DebuggedRun {
    if (!this.#run) throw new RequestError('There is no run: it was not launched, or its process has ended.');
    return this.#run;
  }

  #requireLines(): SpecLines {
    if (!this.#lines) throw new RequestError('There is no run.');
    return this.#lines;
  }

  #requireVariables(): VariableStore {
    this.#requireRun();
    return this.#variables!;
  }

  /** `backInto`, and `inlineValues` with `startLine` and `endLine`: see inline-values.ts. */
  protected override customRequest(command: string, response: DebugProtocol.Response, args: unknown): void {
    if (command === 'backInto') {
      this.#backInto(response, (args as { readonly threadId?: number } | undefined)?.threadId ?? RUN_THREAD);
      return;
    }
    this.#answer(response, () => {
      if (command !== 'inlineValues') throw new RequestError(`There is no request ${command}.`);
      const { startLine, endLine } = args as { readonly startLine: number; readonly endLine: number };
      const { model } = this.#requireRun();
      const variables = this.#requireVariables();
      return inlineValues(
        model,
        this.#requireLines(),
        { first: startLine, last: endLine, stopped: this.#layer },
        (expressions) => variables.evaluate(expressions),
      );
    });
  }

  /** Sends the result of `work` as the body of the response, or its error. */
  #answer(response: DebugProtocol.Response, work: () => unknown): void {
    Promise.resolve()
      .then(work)
      .then(
        (body) => {
          if (body !== undefined) response.body = body;
          this.sendResponse(response);
        },
        (error: unknown) =>
          this.sendErrorResponse(response, { id: 1, format: '{_message}', variables: { _message: toMessage(error) } }),
      );
  }
}
