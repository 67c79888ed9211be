// A thread that does runs of a sweep, one after the other, and says now and then how far it is.
import os from 'node:os';
import { parentPort } from 'node:worker_threads';
import { withFiles } from '../../files/data-files';
import { loadRun } from '../../spec';
import { trainRun } from '../../sweep/train-run';
import type { FromWorker, Task } from './messages';

const PROGRESS_MS = 100;
// Reading the clock costs as much as a step of a small network.
const STEPS_A_LOOK = 16;

// The editor, and who types in it, come first. Where that is not allowed, training goes on as it is.
try {
  os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  /* as it is */
}

function main(): void {
  const port = parentPort;
  if (!port) throw new Error('sweep-worker.js is started by a sweep');
  const say = (message: FromWorker): void => port.postMessage(message);

  port.on('message', ({ text, folders }: Task) => {
    const started = performance.now();
    const { run, problems } = withFiles(folders, (files) => loadRun(text, files));
    if (!run) {
      const wrong = problems.find(({ severity }) => severity === 'error');
      say({ type: 'refused', message: wrong ? `${wrong.message} ${wrong.remedy}` : 'The spec cannot run.' });
      return;
    }
    const training = trainRun(run, text);
    let told = started;
    for (let steps = 0; ; steps++) {
      const { done, value } = training.next();
      if (done) {
        say({ type: 'done', trained: value, milliseconds: performance.now() - started });
        return;
      }
      if (steps % STEPS_A_LOOK > 0) continue;
      const now = performance.now();
      if (now - told < PROGRESS_MS) continue;
      told = now;
      say({ type: 'progress', step: value.step, total: value.total });
    }
  });
}

main();
