// The engine process: its main thread supervises, a worker thread computes. It passes messages on, looks
// after the worker, and says why before it ends. It computes nothing itself, so that it can always answer.
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { SupervisorNotice } from '../protocol/engine';
import { ActivityCell } from './activity';
import { isPhasesMessage, type WorkerData } from './messages';
import { Watchdog } from './watchdog';
import { describeHang, OUT_OF_MEMORY } from './words';

// Training takes every cycle it is given; the editor, and who types in it, come first. Where that is not allowed,
// training goes on as it is.
try {
  os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  /* as it is */
}

const LOOK_MS = 250;

const { values } = parseArgs({
  options: {
    /** Milliseconds that the worker may be silent. */
    'hang-after': { type: 'string', default: '5000' },
    /** Milliseconds beyond that while a spec and its data are loaded, which is one piece of work. */
    loading: { type: 'string', default: '60000' },
    /** Megabytes of JavaScript objects; tensors lie outside of it. */
    heap: { type: 'string', default: '2048' },
  },
});

function main(): void {
  const activity = new ActivityCell();
  let phases: readonly string[] = [];
  let ending = false;

  const worker = new Worker(path.join(__dirname, 'engine-worker.js'), {
    workerData: { activity: activity.memory, loading: Number(values.loading) } satisfies WorkerData,
    resourceLimits: { maxOldGenerationSizeMb: Number(values.heap) },
  });

  /** Says why, then ends. A parent that is gone cannot hear it, which is no reason to stay. */
  const end = (reason: string): void => {
    if (ending) return;
    ending = true;
    const notice: SupervisorNotice = { type: 'supervisor', reason };
    send(notice, () => process.exit(1));
    setTimeout(() => process.exit(1), 1000);
  };

  worker.on('message', (message: unknown) => {
    if (isPhasesMessage(message)) phases = message.phases;
    else send(message);
  });
  worker.on('error', (error: NodeJS.ErrnoException) => {
    end(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? OUT_OF_MEMORY : `The engine failed: ${error.message}`);
  });
  worker.on('exit', (code) => end(`The engine's worker ended by itself with exit code ${code}.`));
  process.on('message', (message) => worker.postMessage(message));
  process.on('disconnect', () => process.exit(0));

  const watchdog = new Watchdog({ read: () => activity.read(), limit: Number(values['hang-after']), interval: LOOK_MS });
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    const hang = watchdog.look(now - last);
    last = now;
    if (hang) end(describeHang(hang.activity, hang.milliseconds, phases));
  }, LOOK_MS);
}

function send(message: unknown, sent?: () => void): void {
  if (!process.connected) {
    sent?.();
    return;
  }
  process.send?.(message, undefined, undefined, () => sent?.());
}

main();
