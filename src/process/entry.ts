// The engine process: its main thread supervises, a worker thread computes. It forwards messages, watches the workers,
// and reports why it ends.
import os from 'node:os';
import { parseArgs } from 'node:util';
import { type BirpcReturn, createBirpc } from 'birpc';
import { type EngineEvents, PING, PONG, type SupervisorNotice } from '../protocol/engine';
import { createBreadcrumbFile } from './crash-breadcrumb';
import { connectToHost } from './message-channel';
import { Supervisor, type SupervisorCalls } from './supervisor';
import { type ExitCause, outOfMemoryCause } from './exit-cause';

// Lowers its priority, since training uses all available CPU time and the editor must stay responsive. Without
// permission for that, training runs at normal priority.
try {
  os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  /* normal priority */
}

const POLL_INTERVAL_MS = 100;

const { values } = parseArgs({
  options: {
    /** Milliseconds without a sign of life from the worker. */
    'hang-timeout': { type: 'string', default: '5000' },
    /** Milliseconds that a call of a custom layer may take. */
    'layer-timeout': { type: 'string', default: '1250' },
    /** Further milliseconds while a spec and its data are loaded, which is one piece of work. */
    'loading-grace': { type: 'string', default: '60000' },
    /** Megabytes of JavaScript objects, without tensors. */
    heap: { type: 'string', default: '2048' },
    /** Megabytes of the whole process, if it runs custom layers. */
    memory: { type: 'string', default: '3072' },
    /** See CrashBreadcrumb. */
    'crash-breadcrumb': { type: 'string' },
  },
});

function main(): void {
  const breadcrumbFile = values['crash-breadcrumb'] ?? null;
  if (breadcrumbFile !== null) createBreadcrumbFile(breadcrumbFile);
  let isExiting = false;

  /** Reports the cause, then exits at once. A thread that is blocked in a system call would delay an orderly exit. */
  const exitWith = ({ reason, fault }: ExitCause): void => {
    if (isExiting) return;
    isExiting = true;
    const kill = (): void => void process.kill(process.pid, 'SIGKILL');
    const notice: SupervisorNotice = { type: 'supervisor', reason, fault };
    channel.send(notice, kill);
    setTimeout(kill, 1000);
  };

  const supervisor: Supervisor = new Supervisor({
    worker: {
      hangTimeout: Number(values['hang-timeout']),
      layerTimeout: Number(values['layer-timeout']),
      loadingGracePeriod: Number(values['loading-grace']),
      heapMb: Number(values.heap),
      pollInterval: POLL_INTERVAL_MS,
      breadcrumbFile,
    },
    notifyHost: (name, args, awaited) =>
      awaited
        ? host.$call(name as keyof EngineEvents, ...(args as never))
        : host.$callEvent(name as keyof EngineEvents, ...(args as never)),
    onExit: exitWith,
  });
  let receive: (message: unknown) => void = () => undefined;
  const channel = connectToHost((message) => {
    if (message === PING) channel.send(PONG);
    else receive(message);
  });
  const host: BirpcReturn<EngineEvents, SupervisorCalls> = createBirpc<EngineEvents, SupervisorCalls>(supervisor, {
    post: (message) => channel.send(message),
    on: (listener) => {
      receive = listener;
    },
    // The worker answers calls that the supervisor does not.
    resolver: (name, call) => call ?? ((...args: unknown[]) => supervisor.forward(name, args)),
    bind: 'functions',
    timeout: -1,
    // If the host has gone it cannot answer, and this process is about to end too.
    onGeneralError: () => true,
  });
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    supervisor.poll(now - last);
    last = now;
    const customLayerWorker = supervisor.customLayerWorker;
    if (customLayerWorker && process.memoryUsage.rss() > Number(values.memory) * 2 ** 20)
      customLayerWorker.exitWith(outOfMemoryCause(customLayerWorker.runningLayerCall));
  }, POLL_INTERVAL_MS);
}

main();

export {};
