// The computing thread of the engine process: answers calls with a session of its own.
import { parentPort, workerData } from 'node:worker_threads';
import { type BirpcReturn, createBirpc } from 'birpc';
import type { HostCalls } from '../protocol/engine';
import { ActivityCell } from './activity';
import { startTeam } from '../machine/start-team';
import { wideVectorsIfWanted } from '../machine/wide-vectors';
import { CodeLog } from './code-log';
import { Engine, type HostVoice } from './engine';
import type { NamesMessage, WorkerCalls, WorkerData } from './messages';
import { OwnCodeWatch } from './own-code-watch';

const BEAT_MS = 100;

function main(): void {
  const port = parentPort;
  if (!port) throw new Error('engine-worker.js is started by engine-process.js');
  const { activity: memory, loading, blackBox, worker } = workerData as WorkerData;
  const activity = new ActivityCell(memory);
  setInterval(() => activity.beat(), BEAT_MS);
  setImmediate(() => activity.beat());
  // What Node says about features that a layer's file makes it use is of no use to anybody.
  process.removeAllListeners('warning');
  process.on('warning', () => undefined);

  const tell = (message: Omit<NamesMessage, 'type'>): void => port.postMessage({ type: 'names', ...message } satisfies NamesMessage);
  const watch = new OwnCodeWatch(activity, blackBox, worker, (layers) => tell({ layers }));
  const wideVectors = wideVectorsIfWanted();
  const engine: Engine = new Engine({
    activity,
    loading,
    watch,
    named: (phases) => tell({ phases }),
    host: (): HostVoice => rpc,
    team: startTeam(),
    wideVectors: wideVectors && { ...wideVectors, compile: (work) => (void rpc.triesWideVectors.asEvent(), wideVectors.compile(work)) },
  });
  const rpc: BirpcReturn<HostCalls, WorkerCalls> = createBirpc<HostCalls, WorkerCalls>(engine, {
    post: (message) => port.postMessage(message),
    on: (listener) => port.on('message', listener),
    bind: 'functions',
    // How long a call may take is the watchdog's and the person's business.
    timeout: -1,
  });
  new CodeLog({
    now: () => performance.now(),
    source: () => watch.running,
    write: (level, text, source) => void rpc.log.asEvent(level, text, source),
  }).capture(console);
}

main();
