// A thread that trains runs of a sweep one after the other, and reports progress.
import os from 'node:os';
import { parentPort } from 'node:worker_threads';
import { withDataFiles } from '../../data-files/data-files';
import { CustomLayerError } from '../../engine/custom/custom-layer-error';
import { loadRun, parseSpec } from '../../model-spec';
import { trainRun } from '../../sweep/train-run';
import { SharedActivity } from '../activity';
import { CustomLayerWatch } from '../custom-layer-watch';
import { describeFailure, describeFault } from '../exit-cause';
import { loadUnwatchedLayers } from '../unwatched-layers';
import { dataDigest } from './data-digest';
import type { WorkerMessage, Task } from './messages';

const PROGRESS_MS = 100;
// Reading the clock costs as much as a step of a small network.
const STEPS_PER_CLOCK_READ = 16;

// Lowers the priority so that the editor stays responsive. Without permission for that, training runs at normal
// priority.
try {
  os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  /* normal priority */
}

// Bound here, because custom layers could replace it.
const exit = process.exit.bind(process);

function main(): void {
  const port = parentPort;
  if (!port) throw new Error('sweep-worker.js is started by a sweep');
  const post = (message: WorkerMessage): void => port.postMessage(message);
  const layerWatch = new CustomLayerWatch(new SharedActivity(), null, 0, () => undefined);
  /** Ends this thread: an error that nothing caught may have left anything half done. */
  const end = (thrown: unknown, promise?: object): void => {
    const fault = layerWatch.attribute(thrown, promise);
    const message = fault ? describeFault(fault) : describeFailure(thrown, layerWatch.hasLayers, 'The run').reason;
    post({ type: 'invalid', message, ends: true });
    exit(1);
  };
  process.on('uncaughtException', (thrown) => end(thrown));
  process.on('unhandledRejection', (reason, promise) => end(reason, promise));

  const train = async ({ text, folders, versions, allowCode }: Task): Promise<void> => {
    const started = performance.now();
    const source = parseSpec(text);
    const customLayers = allowCode ? await loadUnwatchedLayers(source, folders, layerWatch) : undefined;
    const { run, problems } = withDataFiles(folders, (files) => loadRun(source, files, { customLayers }), versions);
    if (!run) {
      const firstError = problems.find(({ severity }) => severity === 'error');
      post({
        type: 'invalid',
        message: firstError ? `${firstError.message} ${firstError.remedy}` : 'The spec cannot run.',
      });
      return;
    }
    const data = dataDigest(run);
    const training = trainRun(run, text);
    let lastProgress = started;
    for (let steps = 0; ; steps++) {
      const { done, value } = training.next();
      if (done) {
        post({ type: 'done', trained: value, milliseconds: performance.now() - started, data });
        return;
      }
      if (steps % STEPS_PER_CLOCK_READ > 0) continue;
      const now = performance.now();
      if (now - lastProgress < PROGRESS_MS) continue;
      lastProgress = now;
      post({ type: 'progress', step: value.step, total: value.total });
    }
  };

  port.on('message', (task: Task) => {
    void train(task).catch((error: unknown) => {
      if (!(error instanceof CustomLayerError)) throw error;
      post({ type: 'invalid', message: error.message });
    });
  });
}

main();

export {};
