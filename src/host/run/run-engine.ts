// The engine process of one run. It is started when needed, and its events go to the run's view. After a crash it is
// restarted on request, and without one only if 256-bit vectors are suspected. The third crash of a run is final.
import { createAssembler } from '../../chunking/chunks';
import { ENGINE_RESPONSE_TIMEOUT_MS, ProcessClient, ProcessExitError } from '../../process/process-client';
import type { EngineCalls, EngineEvents, OpenRequest } from '../../protocol/engine';
import type { Frame } from '../../protocol/frame';
import type { CustomLayerErrorDetails } from '../../protocol/problem';
import type { QueryValue } from '../../protocol/queries';
import type { RunRecord } from '../../protocol/run-record';
import { permissionFolderOf } from '../custom-layers/layer-files';
import { escapeUiLines, escapeUiText } from '../ui/escape-ui';
import { toErrorMessage, UNAVAILABLE_REASON } from './run-messages';
import type { RunControllerOptions, SpecLocation } from './run-options';
import type { RunViewModel } from './run-view-model';

const MAX_CRASHES = 3;

type OpenSettings = Pick<RunControllerOptions, 'dataFolders' | 'permissionOf'> &
  Partial<Pick<RunControllerOptions, 'checkpointBudget' | 'simd256' | 'ruleSettings'>>;

export function createOpenRequest(text: string, location: SpecLocation, settings: OpenSettings): OpenRequest {
  const { folder, root } = location;
  return {
    text,
    folder,
    root,
    allowed: settings.dataFolders(),
    allowCustomLayers: settings.permissionOf(permissionFolderOf(location)) === 'allowed',
    checkpointBudget: settings.checkpointBudget?.(),
    simd256: settings.simd256?.(),
    ruleSettings: settings.ruleSettings?.(),
  };
}

export interface EngineEventOptions extends Pick<RunControllerOptions, 'log' | 'showFrame'> {
  readonly view: RunViewModel;
  /** Whether the engine still is that of the run. */
  readonly isCurrent: () => boolean;
  /** A custom layer failed. */
  readonly onFault: EngineEvents['fault'];
  readonly onCheckpoint: (record: RunRecord) => void;
  /** A scheduled check has finished. */
  readonly onCheckFinished: EngineEvents['checkFinished'];
  readonly onState: EngineEvents['stateChanged'];
  readonly onLogpoints: EngineEvents['logpoints'];
  /** A view has trained a fork. */
  readonly onFork: () => void;
  readonly onSimd256Enabled: EngineEvents['simd256Enabled'];
}

export function createEngineEventHandlers({
  view,
  log,
  showFrame,
  isCurrent,
  onFault,
  onCheckpoint,
  onCheckFinished,
  onState,
  onLogpoints,
  onFork,
  onSimd256Enabled,
}: EngineEventOptions): EngineEvents {
  /** JSON of the forks that views have trained last. */
  let forks = '[]';
  return {
    frame: createAssembler(async (frame: Frame, chunks) => {
      if (!isCurrent()) return;
      view.applyFrame(frame);
      const trained = frame.queryResults.filter(
        ({ query, value }) => query.type === 'fork' && (value as QueryValue<'fork'> | null)?.done === true,
      );
      const key = JSON.stringify(trained.map(({ query }) => query));
      if (key !== forks && trained.length > 0) onFork();
      forks = key;
      await showFrame(frame, chunks);
    }),
    loading: (text) => {
      if (isCurrent() && view.state.kind === 'loading') view.setState({ kind: 'loading', text: `${text} …` });
    },
    checkProgress: (progress) => {
      if (isCurrent() && view.checkProgress) view.setCheckProgress(progress);
    },
    checkFinished: (report) => {
      if (isCurrent()) onCheckFinished(report);
    },
    fault: (fault) => {
      if (!isCurrent()) return;
      log.error(escapeUiLines(fault.stack ?? fault.message));
      onFault(fault);
    },
    log: (level, text, source) => log[level](source === null ? text : `${escapeUiText(source)}: ${text}`),
    checkpoint: (record) => {
      if (isCurrent()) onCheckpoint(record);
    },
    stateChanged: (state) => {
      if (isCurrent()) onState(state);
    },
    logpoints: async (messages) => {
      if (isCurrent()) await onLogpoints(messages);
    },
    simd256Enabled: () => {
      if (!isCurrent()) return;
      log.info('The network is large: 256-bit SIMD is used where it computes the same bits faster.');
      onSimd256Enabled();
    },
  };
}

export interface EngineExit {
  /** Sentences for the user. */
  readonly reason: string;
  /** The fault of the custom layer that ended the process. */
  readonly fault: CustomLayerErrorDetails | null;
  readonly canRestart: boolean;
  /** 256-bit SIMD is an experiment of V8; it was in use, and nothing else explains the crash. It is off from now on. */
  readonly suspectsSimd256: boolean;
}

export interface RunEngineHandlers extends Pick<
  EngineEventOptions,
  'onFault' | 'onCheckpoint' | 'onCheckFinished' | 'onState' | 'onLogpoints' | 'onFork'
> {
  /** The process ended without being stopped. */
  onExit(exit: EngineExit): void;
}

export class RunEngine {
  readonly #options: RunControllerOptions;
  readonly #view: RunViewModel;
  readonly #handlers: RunEngineHandlers;
  #client: ProcessClient | null = null;
  #crashCount = 0;
  #usesSimd256 = false;
  #isSimd256Disabled = false;

  constructor(options: RunControllerOptions, view: RunViewModel, handlers: RunEngineHandlers) {
    this.#options = options;
    this.#view = view;
    this.#handlers = handlers;
  }

  /** The running process. */
  get client(): ProcessClient | null {
    return this.#client;
  }

  start(): ProcessClient {
    return (this.#client ??= this.#spawn());
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.dispose();
  }

  /** A new run began, to which earlier crashes do not count. */
  resetCrashCount(): void {
    this.#crashCount = 0;
  }

  openRequest(text: string, location: SpecLocation): OpenRequest {
    const request = createOpenRequest(text, location, this.#options);
    return this.#isSimd256Disabled ? { ...request, simd256: false } : request;
  }

  /** Calls the engine. A failure becomes a notice, unless it is the end of the process, which is reported itself. */
  async call(call: (calls: EngineCalls) => Promise<void>): Promise<void> {
    const client = this.#client;
    const { kind } = this.#view.state;
    if (!client || kind !== 'run') {
      this.#view.notify('warning', UNAVAILABLE_REASON[kind]);
      return;
    }
    try {
      await call(client.calls);
    } catch (error) {
      if (error instanceof ProcessExitError || client !== this.#client) return;
      this.#view.notify('warning', toErrorMessage(error));
    }
  }

  #spawn(): ProcessClient {
    const { engineFile, log } = this.#options;
    const client: ProcessClient = new ProcessClient({
      file: engineFile,
      events: createEngineEventHandlers({
        ...this.#options,
        ...this.#handlers,
        view: this.#view,
        isCurrent: () => client === this.#client,
        onSimd256Enabled: () => {
          this.#usesSimd256 = true;
        },
      }),
      responseTimeout: ENGINE_RESPONSE_TIMEOUT_MS,
      onExit: (reason, fault) => this.#handleExit(client, reason, fault),
      onOutput: (text) => log.info(`engine: ${text.trimEnd()}`),
    });
    log.info(`engine process ${client.pid} started`);
    return client;
  }

  #handleExit(client: ProcessClient, reason: string, fault: CustomLayerErrorDetails | null): void {
    if (client !== this.#client) return;
    this.#client = null;
    this.#crashCount++;
    this.#options.log.error(escapeUiLines(reason));
    const suspectsSimd256 = this.#usesSimd256 && fault === null;
    // The report that it is used may not have arrived before the crash.
    if (fault === null) this.#isSimd256Disabled = true;
    this.#usesSimd256 = false;
    this.#handlers.onExit({ reason, fault, canRestart: this.#crashCount < MAX_CRASHES, suspectsSimd256 });
  }
}
