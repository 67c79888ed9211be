// One run of one spec: decides which text to open and when, keeps what the run can be restored from, and passes
// commands on to its engine. It knows neither the editor nor the page; both are given to it.
import { l10n } from 'vscode';
import type { Breakpoint, BreakpointStatus } from '../../protocol/breakpoints';
import type { ProbeId } from '../../protocol/layer-stats';
import path from 'node:path';
import { describeFault } from '../../process/exit-cause';
import { ProcessExitError } from '../../process/process-client';
import type { CheckReport } from '../../protocol/check-report';
import type { ReplayRequest } from '../../protocol/debug';
import type { EngineCalls, EngineEvents } from '../../protocol/engine';
import { isManualChange, type SessionCommand } from '../../protocol/command';
import type { Query, QueryResult, ViewQueries } from '../../protocol/queries';
import type { RunRecord } from '../../protocol/run-record';
import { fingerprintSpec, listCustomLayers, type Spec, type SpecFingerprint } from '../../model-spec';
import { formatConclusion, hasWrongGradient } from '../../presentation/check-summary';
import { LayerFileSnapshot, permissionFolderOf } from '../custom-layers/layer-files';
import type { TextChange } from '../model-spec/text-positions';
import { OpenQueue, type OpenTask } from './open-queue';
import { type EngineExit, RunEngine } from './run-engine';
import { simd256DisabledMessage, toErrorMessage, UNAVAILABLE_REASON } from './run-messages';
import type { CustomLayerPermission, RunControllerOptions, SpecAnalysis, SpecLocation } from './run-options';
import { RunProblems } from './run-problems';
import type { StoredRun } from './run-store';
import { RunViewModel } from './run-view-model';
import { UndoStack } from './undo-stack';

/** A healthy engine answers within milliseconds; a hanging one is not waited for. */
const FINAL_RECORD_TIMEOUT_MS = 500;

/** Hears when the run starts and stops, and the log messages of breakpoints. */
export interface DebugClient {
  readonly onState: EngineEvents['stateChanged'];
  readonly onLogpoints: EngineEvents['logpoints'];
  /** A view has trained a fork. */
  readonly onForks?: () => void;
  /** The run has ended. @param reason sentences for people */
  readonly onExit: (reason: string) => void;
}

export class RunController {
  readonly view: RunViewModel;
  /** The debugger of this run, if one is attached. */
  debugClient: DebugClient | null = null;
  #breakpoints: readonly Breakpoint[] = [];
  /** The text of the run that is open. */
  #openedText: string | null = null;
  readonly #problems: RunProblems;
  readonly #undoStack: UndoStack;
  readonly #layerFiles = new LayerFileSnapshot();
  location: SpecLocation;
  readonly #options: RunControllerOptions;
  readonly #engine: RunEngine;
  readonly #openQueue: OpenQueue;
  #analysis: SpecAnalysis;
  #lastRecord: RunRecord | null = null;
  /** That of the code before a reload; the check is repeated with the new code. */
  #reportBeforeReload: CheckReport | null = null;
  /** What the page shows. */
  #subscription: { readonly probes: readonly ProbeId[]; readonly queries: readonly ViewQueries[] } | null = null;
  /** What the editor shows. */
  #editorProbes: readonly ProbeId[] = [];
  /** Whether the run is of this spec, which the last call asked about. */
  #lastComparison: { readonly spec: Spec; readonly fingerprint: string } | null = null;
  #disposed = false;

  constructor(options: RunControllerOptions, analysis: SpecAnalysis) {
    this.#options = options;
    this.location = options.location;
    this.#analysis = analysis;
    this.view = new RunViewModel(options.location.file, options.postToPanel);
    this.#undoStack = new UndoStack(this.view);
    this.#problems = new RunProblems(this.view, options.onOpenProblems);
    this.#engine = new RunEngine(options, this.view, {
      onFault: (fault) => {
        if (this.#disposed) return;
        this.view.notify('error', describeFault(fault));
        this.#problems.setFault(fault, this.#analysis);
      },
      onCheckpoint: (record) => {
        this.#lastRecord = record;
        options.store.scheduleSave(this.location.uri, () => this.#toStoredRun(record));
      },
      onCheckFinished: (report) => this.#showCheckReport(report),
      onState: (state) => this.debugClient?.onState(state),
      onLogpoints: (messages) => this.debugClient?.onLogpoints(messages),
      onFork: () => this.debugClient?.onForks?.(),
      onExit: (exit) => this.#handleEngineExit(exit),
    });
    this.#openQueue = new OpenQueue(
      (task) => this.#processOpen(task),
      (error) => options.log.error(error instanceof Error ? error : String(error)),
    );
  }

  /** For tests and profilers. */
  get engineProcessId(): number | undefined {
    return this.#engine.client?.pid;
  }

  /** The text that was analyzed last, and its spec. */
  get analysis(): SpecAnalysis {
    return this.#analysis;
  }

  get isRunning(): boolean {
    const status = this.view.state.kind === 'run' ? this.view.frame?.status : undefined;
    return status === 'running' || status === 'seeking';
  }

  /** Opens the spec, and continues its stored run if there is one. */
  async start(): Promise<void> {
    const loadResult = await this.#options.store.load(this.location.uri);
    if (this.#disposed) return;
    this.#publishProblems();
    const { spec } = this.#analysis;
    if (!spec) {
      this.view.setState({ kind: 'problems' });
      return;
    }
    if (loadResult.kind === 'damaged') {
      this.view.notify('warning', l10n.t('The stored run is damaged and cannot be restored. A new run has started.'));
    }
    const run = loadResult.kind === 'found' ? loadResult.run : null;
    // The record holds its text. Parsing that again is simpler than storing the fingerprint as well.
    const storedSpec = run && this.#options.analyzeSpec(run.record.text).spec;
    const isSameSpec = storedSpec && fingerprintSpec(storedSpec).full === fingerprintSpec(spec).full;
    if (run && !isSameSpec) {
      this.view.notify(
        'info',
        l10n.t('The stored run belongs to another version of this spec. A new run has started.'),
      );
    }
    const { step } = run?.record.position ?? { step: 0 };
    const message =
      isSameSpec && step > 0 ? l10n.t('The run continues from step {0}, where it was closed.', step) : null;
    await this.#enqueueOpen({ analysis: this.#analysis, restoreFrom: isSameSpec ? run : null, message });
  }

  /** The text is being edited; its problems move with it until it is analyzed again. */
  applyTextChanges(changes: readonly TextChange[]): void {
    this.#problems.applyTextChanges(changes);
  }

  /** The text was edited and analyzed again. */
  handleSpecChange(analysis: SpecAnalysis): void {
    this.#analysis = analysis;
    const { spec } = analysis;
    if (spec && this.view.state.kind !== 'stopped') {
      const fingerprint = fingerprintSpec(spec);
      if (fingerprint.full === this.#problems.opened?.fingerprint.full) {
        // If this very spec was rejected, one of its files could not be loaded: that problem stays.
        if (this.#problems.rejected?.fingerprint.full !== fingerprint.full) this.#problems.rejected = null;
        this.#openQueue.clear();
        if (this.view.state.kind === 'code') this.view.setState({ kind: 'run' });
      } else if (fingerprint.full !== this.#problems.rejected?.fingerprint.full) {
        void this.#openChangedSpec(analysis, fingerprint);
      }
    }
    this.#publishProblems();
  }

  /** Runs a command of the session. A failure becomes a notice. */
  async command(command: SessionCommand): Promise<void> {
    // The page sets the speed on its own; that does not settle the fault of a layer.
    if (command.type !== 'setSpeed') this.#problems.setFault(null, this.#analysis);
    await this.#undoStack.push(command, () => this.captureRecord());
    await this.#engine.call((calls) => calls.command(command));
    // The change must survive a crash of the editor, too.
    if (isManualChange(command)) await this.#options.store.flush(this.location.uri);
  }

  /** Undoes the last manual change: the run continues from where it was before. @returns what it was, if any */
  async undo(): Promise<string | null> {
    const entry = this.#undoStack.pop();
    if (entry)
      await this.#enqueueOpen({
        analysis: this.#analysis,
        restoreFrom: entry.run,
        message: l10n.t('Undone: {0}.', entry.label),
      });
    return entry?.label ?? null;
  }

  /** The user gave or revoked permission to run custom layers. */
  async handlePermissionChange(): Promise<void> {
    const { blocked } = this.#openQueue;
    if (blocked) return this.#enqueueOpen(blocked);
    const { spec } = this.#analysis;
    const hasCustomLayers = spec !== undefined && listCustomLayers(spec).length > 0;
    if (this.#problems.opened && hasCustomLayers && this.#permission !== 'allowed') {
      await this.#engine.stop();
      await this.#enqueueOpen({
        analysis: this.#analysis,
        restoreFrom: this.#lastRecord && this.#toStoredRun(this.#lastRecord),
      });
    }
  }

  /**
   * A file was saved. If custom layers consist of it, the engine reloads them; weights stay where their shapes allow.
   */
  async handleFileChange(file: string): Promise<void> {
    // An engine that is just opening the spec may have read the previous version of the file.
    await this.#openQueue.whenIdle();
    const { kind } = this.view.state;
    const { spec } = this.#analysis;
    if (!spec || this.#permission !== 'allowed') return;
    if (!(await this.#layerFiles.updateIfChanged(file, spec, this.location))) return;
    if (kind === 'problems') return this.#enqueueOpen({ analysis: this.#analysis });
    const { client } = this.#engine;
    if (!client || !this.#problems.opened || kind !== 'run') return;
    const { fingerprint } = this.#problems.opened;
    const result = await client.calls.reload();
    if (client !== this.#engine.client) return;
    this.#problems.recordAttempt({ fingerprint, problems: result.problems }, result.ok);
    if (!result.ok) {
      this.#publishProblems();
      return;
    }
    const { restartReason } = result;
    this.#reportBeforeReload = restartReason ? null : (this.view.checkReport ?? this.#reportBeforeReload);
    this.view.begin(
      result.model,
      restartReason ? null : { history: this.view.history.data(), frontier: result.furthestStep },
      false,
    );
    // After the report of the old code is gone.
    this.#publishProblems();
    this.view.notify(
      'info',
      `${l10n.t('{0} reloaded.', path.basename(file))} ${restartReason ?? this.#replayedStepMessage()}`,
    );
    if (this.#subscription || this.#editorProbes.length > 0) await this.#resubscribe(client.calls);
    await this.#restoreBreakpoints(client.calls, true);
    if (this.isRunning) this.#reportBeforeReload = null;
    else await this.#repeatCheck();
  }

  #replayedStepMessage(): string {
    const { step, phase } = this.view.frame?.position ?? { step: 0, phase: 0 };
    if (phase > 0) return l10n.t('Step {0} was repeated with the new code, up to the current phase.', step + 1);
    return step > 0
      ? l10n.t('Step {0} was repeated with the new code.', step)
      : l10n.t('The new code is used from the first step on.');
  }

  /** Checks the reloaded code if the previous code had been checked, and compares the results. */
  async #repeatCheck(): Promise<void> {
    const before = this.#reportBeforeReload;
    if (!before) return;
    await this.check();
    const after = this.view.checkReport;
    // Canceled, or overtaken by another reload, which repeats the check itself.
    if (!after?.complete || this.#reportBeforeReload !== before) return;
    this.#reportBeforeReload = null;
    const isWrong = hasWrongGradient(after);
    const inIsolation = isWrong && after.counts.wrong === 0 ? ` ${formatConclusion(after)}` : '';
    this.view.notify(
      isWrong ? 'warning' : 'info',
      l10n.t('Gradients checked again: {0} wrong before, {1} now.', before.counts.wrong, after.counts.wrong) +
        inIsolation,
    );
  }

  async subscribe(probes: readonly ProbeId[], queries: readonly ViewQueries[]): Promise<void> {
    this.#subscription = { probes, queries };
    if (this.view.state.kind === 'run') await this.#engine.call((calls) => this.#resubscribe(calls));
  }

  /** Statistics that the editor shows, whatever the page does. */
  setEditorProbes(probes: readonly ProbeId[]): void {
    if (probes.join() === this.#editorProbes.join()) return;
    this.#editorProbes = probes;
    if (this.view.state.kind === 'run') void this.#engine.call((calls) => this.#resubscribe(calls));
  }

  async #resubscribe(calls: Pick<EngineCalls, 'subscribe'>): Promise<void> {
    const { probes, queries } = this.#subscription ?? { probes: [], queries: [] };
    await calls.subscribe([...new Set([...probes, ...this.#editorProbes])], queries);
  }

  /** Whether the run is one of this very spec. */
  isRunOf(spec: Spec): boolean {
    if (this.#lastComparison?.spec !== spec) this.#lastComparison = { spec, fingerprint: fingerprintSpec(spec).full };
    return this.#problems.opened?.fingerprint.full === this.#lastComparison.fingerprint;
  }

  /** @returns the result, or a sentence that says why there is none. */
  async query(query: Query): Promise<QueryResult | string> {
    const { client } = this.#engine;
    if (!client || this.view.state.kind !== 'run') return UNAVAILABLE_REASON[this.view.state.kind];
    return client.calls.query(query).catch(toErrorMessage);
  }

  /** Replaces the breakpoints of the run, which also hold after it was restored. */
  async setBreakpoints(breakpoints: readonly Breakpoint[]): Promise<readonly BreakpointStatus[]> {
    this.#breakpoints = breakpoints;
    return (await this.#engine.client?.calls.setBreakpoints(breakpoints)) ?? [];
  }

  /** An engine that has opened the run again knows no breakpoints; those of another spec hold for nothing. */
  async #restoreBreakpoints(calls: Pick<EngineCalls, 'setBreakpoints'>, isSameSpec: boolean): Promise<void> {
    if (isSameSpec) {
      if (this.#breakpoints.length > 0) await calls.setBreakpoints(this.#breakpoints);
      return;
    }
    this.#breakpoints = [];
    this.debugClient?.onExit(l10n.t('The spec has changed. Start debugging again for its new run.'));
  }

  async check(): Promise<void> {
    if (this.view.checkProgress) return;
    const { model } = this.view;
    this.view.setCheckProgress({
      checked: 0,
      entries: model?.parameterCount ?? 0,
      counts: { pass: 0, wrong: 0, kink: 0, below_noise: 0 },
      diagnosing: false,
    });
    await this.#engine.call(async (calls) => {
      const report = await calls.check();
      // Another run may have begun in the meantime.
      if (this.view.model === model) this.#showCheckReport(report);
    });
    this.view.setCheckProgress(null);
  }

  #showCheckReport(report: CheckReport): void {
    this.view.setCheckReport(report);
    this.#publishProblems();
  }

  cancelCheck = (): Promise<void> => this.#engine.call((calls) => calls.cancelCheck());

  /** After a crash of the engine: a new one continues from the last record. */
  async restore(options: Partial<Pick<OpenTask, 'message' | 'autoRun'>> = {}): Promise<void> {
    const { state } = this.view;
    if (state.kind !== 'stopped' || !state.restorable || !this.#lastRecord) return;
    const record = this.#lastRecord;
    const analysis = record.text === this.#analysis.text ? this.#analysis : this.#options.analyzeSpec(record.text);
    await this.#enqueueOpen({ analysis, restoreFrom: this.#toStoredRun(record), ...options });
  }

  /** Starts a new run of the current text. */
  async startOver(): Promise<void> {
    if (this.#analysis.spec) await this.#enqueueOpen({ analysis: this.#analysis });
    else this.view.notify('warning', UNAVAILABLE_REASON.problems);
  }

  /** The exact state of the run; null if there is none. */
  async captureRecord(): Promise<RunRecord | null> {
    return (await this.#engine.client?.calls.captureRecord()) ?? null;
  }

  /** What another process needs to replay the current step; a sentence if there is none. */
  async createReplayRequest(): Promise<ReplayRequest | string> {
    const { kind } = this.view.state;
    if (kind === 'loading' || kind === 'code' || (kind === 'problems' && !this.#analysis.spec))
      return UNAVAILABLE_REASON[kind];
    // The step that crashed the engine comes a few steps after the last record.
    const [from, steps] =
      kind === 'stopped'
        ? [this.#lastRecord, Infinity]
        : [(await this.#engine.client?.calls.getHotReloadState())?.record ?? null, 1];
    return { open: this.#engine.openRequest(from?.text ?? this.#analysis.text, this.location), from, steps };
  }

  /** The document was saved under another name; the run continues there. */
  async moveTo(location: SpecLocation): Promise<void> {
    const previousUri = this.location.uri;
    this.location = location;
    this.view.file = location.file;
    const record = this.#lastRecord;
    if (record) this.#options.store.scheduleSave(location.uri, () => this.#toStoredRun(record));
    await this.#options.store.delete(previousUri);
  }

  /** Saves the run to disk and stops its engine. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.debugClient?.onExit(l10n.t('The panel of this run was closed.'));
    this.#openQueue.clear();
    const { store } = this.#options;
    const timeout = new Promise<null>((resolve) => void setTimeout(resolve, FINAL_RECORD_TIMEOUT_MS, null));
    const record = await Promise.race([this.captureRecord().catch(() => null), timeout]);
    if (record) store.scheduleSave(this.location.uri, () => this.#toStoredRun(record));
    await this.#engine.stop();
    await store.flush(this.location.uri);
  }

  /** @returns when nothing is left to open. */
  #enqueueOpen({
    analysis,
    restoreFrom = null,
    message = null,
    autoRun = false,
  }: Pick<OpenTask, 'analysis'> & Partial<OpenTask>): Promise<void> {
    // The spec that is being loaded is obsolete.
    if (this.#openQueue.isBusy) this.#engine.client?.calls.cancelOpen().catch(() => undefined);
    return this.#openQueue.enqueue({ analysis, editorAnalysis: this.#analysis, restoreFrom, message, autoRun });
  }

  async #processOpen(task: OpenTask): Promise<void> {
    if (this.#disposed) return;
    try {
      await this.#open(task);
    } catch (error) {
      // The end of the process is reported by its handler.
      if (!(error instanceof ProcessExitError)) this.#handleOpenError(task, error);
    }
    // Edits during the opening were compared with the run before it.
    if (!this.#openQueue.hasPending && !this.#disposed && task.editorAnalysis !== this.#analysis)
      this.handleSpecChange(this.#analysis);
  }

  async #open(task: OpenTask): Promise<void> {
    const { analysis, restoreFrom } = task;
    if (!analysis.spec) return;
    const customLayers = listCustomLayers(analysis.spec).map(({ name }) => name);
    const permission = this.#permission;
    const isBlocked = customLayers.length > 0 && permission !== 'allowed';
    this.#openQueue.block(isBlocked ? task : null);
    if (isBlocked) {
      this.view.setState({
        kind: 'code',
        trusted: permission !== 'untrusted',
        folder: permissionFolderOf(this.location),
        layers: customLayers,
      });
      return;
    }
    if (customLayers.length > 0) await this.#layerFiles.capture(analysis.spec, this.location);
    if (this.#disposed) return;
    const client = this.#engine.start();
    if (this.view.state.kind !== 'run')
      this.view.setState({ kind: 'loading', text: l10n.t('Loading the spec and its data …') });
    const record = restoreFrom ? { ...restoreFrom.record, text: analysis.text } : undefined;
    const result = await client.calls.open({
      ...this.#engine.openRequest(analysis.text, this.location),
      allowCustomLayers: customLayers.length > 0,
      record,
    });
    if (this.#disposed || client !== this.#engine.client) return;
    if (!result.ok && result.cancelled) return;
    this.#problems.recordAttempt({ fingerprint: fingerprintSpec(analysis.spec), problems: result.problems }, result.ok);
    if (!result.ok) {
      this.view.setState(this.view.model ? { kind: 'run' } : { kind: 'problems' });
      this.#publishProblems();
      return;
    }
    if (!restoreFrom) {
      this.#undoStack.clear();
      this.#engine.resetCrashCount();
      this.#lastRecord = null;
    }
    this.view.begin(result.model, restoreFrom && { history: restoreFrom.history, frontier: result.furthestStep });
    this.#publishProblems();
    if (task.message) this.view.notify('info', task.message);
    if (this.#subscription || this.#editorProbes.length > 0) await this.#resubscribe(client.calls);
    await this.#restoreBreakpoints(client.calls, this.#openedText === analysis.text);
    this.#openedText = analysis.text;
    if (task.autoRun) await this.command({ type: 'run' });
  }

  #handleOpenError(task: OpenTask, error: unknown): void {
    this.#options.log.error(error instanceof Error ? error : String(error));
    if (task.restoreFrom) {
      this.view.notify(
        'warning',
        l10n.t('The run could not be restored: {0} A new run has started.', toErrorMessage(error)),
      );
      if (!this.#openQueue.hasPending) void this.#openQueue.enqueue({ ...task, restoreFrom: null, message: null });
      return;
    }
    this.view.notify('error', l10n.t('The run could not be opened: {0}', toErrorMessage(error)));
    this.view.setState(this.view.model ? { kind: 'run' } : { kind: 'problems' });
  }

  /** Opens a changed spec: as a new run, or as the same run with another length. */
  async #openChangedSpec(analysis: SpecAnalysis, fingerprint: SpecFingerprint): Promise<void> {
    const autoRun = this.isRunning;
    const { opened } = this.#problems;
    if (fingerprint.trajectory === opened?.fingerprint.trajectory) {
      const record = await this.captureRecord().catch(() => null);
      const lastStep = (analysis.spec?.epochs ?? 0) * (this.view.model?.batchesPerEpoch ?? 0);
      if (analysis !== this.#analysis) return;
      if (record && record.frontier <= lastStep) {
        const message = l10n.t('The change does not affect any step, so the run continues.');
        await this.#enqueueOpen({ analysis, restoreFrom: this.#toStoredRun(record), message, autoRun });
        return;
      }
    }
    await this.#enqueueOpen({
      analysis,
      message: opened && l10n.t('The spec changed. A new run has started.'),
      autoRun,
    });
  }

  #handleEngineExit({ reason, fault, canRestart, suspectsSimd256 }: EngineExit): void {
    if (this.#disposed) return;
    this.debugClient?.onExit(reason);
    const step = this.#lastRecord?.position.step ?? 0;
    const autoRun = this.isRunning && this.view.frame?.target === this.view.model?.totalSteps;
    if (this.view.checkProgress) this.view.setCheckProgress(null);
    this.view.setState({
      kind: 'stopped',
      reason: canRestart
        ? reason
        : `${reason} ${l10n.t('This is the third crash of this run, so it cannot be restored.')}`,
      restorable: canRestart && this.#lastRecord !== null,
      step,
    });
    this.#problems.setFault(fault, this.#analysis);
    if (suspectsSimd256) void this.restore({ message: `${reason} ${simd256DisabledMessage(step)}`, autoRun });
  }

  readonly #toStoredRun = (record: RunRecord): StoredRun => ({ record, history: this.view.history.data() });

  readonly #publishProblems = (): void => this.#problems.publish(this.#analysis);

  get #permission(): CustomLayerPermission {
    return this.#options.permissionOf(permissionFolderOf(this.location));
  }
}
