// The computing thread of the engine process: answers calls with its own session.
import { parentPort, workerData } from 'node:worker_threads';
import { type BirpcReturn, createBirpc } from 'birpc';
import type { EngineEvents } from '../protocol/engine';
import { SharedActivity } from './activity';
import path from 'node:path';
import { startThreadPool, threadCount } from '../platform/start-thread-pool';
import { EngineReplayThreads } from './replay/replay-threads';
import { simd256CompilerIfEnabled } from '../platform/simd256';
import { ConsoleCapture } from './console-capture';
import { WorkerService, type EngineEventsProxy } from './worker-service';
import { describeFailure, describeFault, type ExitCause } from './exit-cause';
import type { EndMessage, NamesMessage, WorkerCalls, WorkerData } from './messages';
import { currentThreadId } from './starvation-clock';
import { CustomLayerWatch } from './custom-layer-watch';

const HEARTBEAT_INTERVAL_MS = 100;

// Bound here, because custom layers could replace it.
const exit = process.exit.bind(process);

/** Reads the data of this worker, and removes it from where the files of custom layers could read it. */
function takeWorkerData(): WorkerData {
  const shared = workerData as Record<string, unknown>;
  // Nobody reads what custom layers would post there.
  parentPort?.close();
  const own = { ...shared } as unknown as WorkerData;
  for (const name of Object.keys(shared)) Reflect.deleteProperty(shared, name);
  return own;
}

function main(): void {
  const { port, activity: activityBuffer, loadingGracePeriod, breadcrumbFile, workerNumber } = takeWorkerData();
  const post = port.postMessage.bind(port);
  const activity = new SharedActivity(activityBuffer);
  activity.setThreadId(currentThreadId());
  setInterval(() => activity.heartbeat(), HEARTBEAT_INTERVAL_MS);
  setImmediate(() => activity.heartbeat());
  // Node's warnings about features that a layer's file uses do not help the user.
  process.removeAllListeners('warning');
  process.on('warning', () => undefined);

  const postNames = (message: Omit<NamesMessage, 'type'>): void =>
    post({ type: 'names', ...message } satisfies NamesMessage);
  const layerWatch = new CustomLayerWatch(activity, breadcrumbFile, workerNumber, (layers) => postNames({ layers }));
  /** Ends this worker: an error that nothing caught may have left anything half done. */
  const end = (thrown: unknown, promise?: object): void => {
    const fault = layerWatch.attribute(thrown, promise);
    const cause: ExitCause = fault
      ? { reason: describeFault(fault), fault }
      : describeFailure(thrown, layerWatch.hasLayers);
    post({ type: 'end', cause } satisfies EndMessage);
    exit(1);
  };
  process.on('uncaughtException', (thrown) => end(thrown));
  process.on('unhandledRejection', (reason, promise) => end(reason, promise));
  const wideVectors = simd256CompilerIfEnabled();
  const engine: WorkerService = new WorkerService({
    activity,
    loadingGracePeriod,
    layerWatch,
    onPhaseNames: (phases) => postNames({ phases }),
    events: (): EngineEventsProxy => rpc,
    threadPool: startThreadPool(),
    createReplayThreads: ({ text, folder, root, allowed }, versions) =>
      new EngineReplayThreads(
        { text, folders: { folder, root, allowed }, versions },
        threadCount() - 1,
        path.join(__dirname, 'replay-worker.js'),
      ),
    simd256: wideVectors && {
      ...wideVectors,
      compile: (work) => (void rpc.simd256Enabled.asEvent(), wideVectors.compile(work)),
    },
  });
  const rpc: BirpcReturn<EngineEvents, WorkerCalls> = createBirpc<EngineEvents, WorkerCalls>(engine, {
    post: (message) => post(message),
    on: (listener) => port.on('message', listener),
    bind: 'functions',
    // The watchdog and the user limit how long calls take.
    timeout: -1,
  });
  const capture = new ConsoleCapture({
    now: () => performance.now(),
    source: () => layerWatch.runningLayer,
    write: (level, text, source) => void rpc.log.asEvent(level, text, source),
  });
  capture.attach(console);
  capture.attachStream(process.stdout, 'info');
  capture.attachStream(process.stderr, 'warn');
}

main();

export {};
