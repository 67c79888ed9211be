// Runs a command with custom layers in a worker thread. The main thread stays free: it notices Ctrl-C, and it stops a
// layer that does not return.
import { Worker } from 'node:worker_threads';
import { CustomLayerError } from '../engine/custom/custom-layer-error';
import { SharedActivity } from '../process/activity';
import { describeHang } from '../process/exit-cause';
import { isNamesMessage, type NamedLayer } from '../process/messages';
import { createStarvationClock } from '../process/starvation-clock';
import { Watchdog } from '../process/watchdog';

/** What the main thread passes to the worker. */
export interface GuardedCommandData {
  /** See SharedActivity. */
  readonly activity: SharedArrayBuffer;
  /** One integer: how often Ctrl-C was pressed. */
  readonly interrupts: SharedArrayBuffer;
  /** Standard output and standard error. */
  readonly streams: readonly [out: StreamInfo, err: StreamInfo];
}

export interface StreamInfo {
  readonly isTTY: boolean;
  readonly columns: number;
}

const POLL_INTERVAL_MS = 100;
/** The same limit as in the engine process. */
const LAYER_TIMEOUT_MS = 1250;

/**
 * @param bundle the file that was started
 * @returns the exit code of the command; rejects with a CustomLayerError for a layer that does not return
 */
export function runGuarded(
  bundle: string,
  argv: readonly string[],
  interrupts: SharedArrayBuffer,
  streams: GuardedCommandData['streams'],
  write: { readonly out: (bytes: Uint8Array) => unknown; readonly err: (bytes: Uint8Array) => unknown },
): Promise<number> {
  const activity = new SharedActivity();
  const worker = new Worker(bundle, {
    argv: [...argv],
    stdout: true,
    stderr: true,
    workerData: { activity: activity.buffer, interrupts, streams } satisfies GuardedCommandData,
  });
  worker.stdout.on('data', write.out);
  worker.stderr.on('data', write.err);
  let layers: Readonly<Record<number, NamedLayer>> = {};
  worker.on('message', (message: unknown) => {
    if (isNamesMessage(message) && message.layers) layers = message.layers;
  });
  const watchdog = new Watchdog({
    readActivity: () => activity.read(),
    // Only the calls of layers have a limit: a large model may take its time.
    timeout: Infinity,
    layerTimeout: LAYER_TIMEOUT_MS,
    pollInterval: POLL_INTERVAL_MS,
    starvedTime: createStarvationClock(() => activity.read().threadId),
  });
  return new Promise((resolve, reject) => {
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const hang = watchdog.poll(now - last);
      last = now;
      const call = hang?.activity.layerCall;
      const layer = call && layers[call.layer];
      if (!hang || !layer) return;
      const { fault } = describeHang(hang.activity, hang.milliseconds, [], {
        layer: layer.name,
        call: call.call,
        file: layer.file,
      });
      clearInterval(timer);
      void worker.terminate();
      if (fault) reject(new CustomLayerError(fault));
    }, POLL_INTERVAL_MS);
    worker.on('error', (error) => {
      clearInterval(timer);
      reject(error);
    });
    worker.on('exit', (code) => {
      clearInterval(timer);
      resolve(code);
    });
  });
}
