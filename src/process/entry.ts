// The engine process: its main thread supervises, a worker thread computes. It passes messages on, looks
// after the workers, and says why before it ends.
import os from 'node:os';
import { parseArgs } from 'node:util';
import { type BirpcReturn, createBirpc } from 'birpc';
import type { EngineCalls, HostCalls, SupervisorNotice } from '../protocol/engine';
import { Supervisor } from './supervisor';
import { type Ending, outOfMemory } from './words';

// Training takes every cycle it is given; the editor, and who types in it, come first. Where that is not allowed,
// training goes on as it is.
try {
  os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  /* as it is */
}

const LOOK_MS = 100;

const { values } = parseArgs({
  options: {
    /** Milliseconds that the worker may be silent. */
    'hang-after': { type: 'string', default: '5000' },
    /** Milliseconds that code of the user's own may take at a time. */
    'code-hang-after': { type: 'string', default: '1250' },
    /** Milliseconds beyond that while a spec and its data are loaded, which is one piece of work. */
    loading: { type: 'string', default: '60000' },
    /** Megabytes of JavaScript objects; tensors lie outside of it. */
    heap: { type: 'string', default: '2048' },
    /** Megabytes of the whole process where code of the user's own runs in it. */
    memory: { type: 'string', default: '3072' },
    /** See BlackBox. */
    'black-box': { type: 'string' },
  },
});

function main(): void {
  let ending = false;

  /** Says why, then ends. A thread that waits in the system would hold up an orderly exit. */
  const end = ({ reason, fault }: Ending): void => {
    if (ending) return;
    ending = true;
    const kill = (): void => void process.kill(process.pid, 'SIGKILL');
    const notice: SupervisorNotice = { type: 'supervisor', reason, fault };
    send(notice, kill);
    setTimeout(kill, 1000);
  };

  const supervisor: Supervisor = new Supervisor({
    worker: {
      hangAfter: Number(values['hang-after']),
      codeHangAfter: Number(values['code-hang-after']),
      loading: Number(values.loading),
      heap: Number(values.heap),
      interval: LOOK_MS,
      blackBox: values['black-box'] ?? null,
    },
    host: () => host,
    onEnd: end,
  });
  const host: BirpcReturn<HostCalls, EngineCalls> = createBirpc<HostCalls, EngineCalls>(supervisor, {
    post: (message) => send(message),
    on: (listener) => process.on('message', listener),
    bind: 'functions',
    timeout: -1,
    // A host that is gone cannot answer; the process is about to follow it.
    onGeneralError: () => true,
  });
  process.on('disconnect', () => process.exit(0));

  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    supervisor.look(now - last);
    last = now;
    const own = supervisor.ownCode;
    if (own && process.memoryUsage.rss() > Number(values.memory) * 2 ** 20) own.end(outOfMemory(own.running));
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
