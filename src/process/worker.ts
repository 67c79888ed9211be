// The computing thread of the engine process: answers the host's calls with a session of its own.
import { parentPort, workerData } from 'node:worker_threads';
import { type BirpcReturn, createBirpc } from 'birpc';
import type { EngineCalls, HostCalls } from '../protocol/engine';
import { ActivityCell } from './activity';
import { startTeam } from '../machine/start-team';
import { wideVectorsIfWanted } from '../machine/wide-vectors';
import { Engine, type HostVoice } from './engine';
import type { PhasesMessage, WorkerData } from './messages';

const BEAT_MS = 100;

function main(): void {
  const port = parentPort;
  if (!port) throw new Error('engine-worker.js is started by engine-process.js');
  const { activity: memory, loading } = workerData as WorkerData;
  const activity = new ActivityCell(memory);
  setInterval(() => activity.beat(), BEAT_MS);

  const engine: Engine = new Engine({
    activity,
    loading,
    named: (phases) => port.postMessage({ type: 'phases', phases } satisfies PhasesMessage),
    host: (): HostVoice => rpc,
    team: startTeam(),
    wideVectors: (wanted) => wideVectorsIfWanted(wanted ? '1' : undefined),
  });
  const rpc: BirpcReturn<HostCalls, EngineCalls> = createBirpc<HostCalls, EngineCalls>(engine, {
    post: (message) => port.postMessage(message),
    on: (listener) => port.on('message', listener),
    bind: 'functions',
    // How long a call may take is the watchdog's and the person's business.
    timeout: -1,
  });
}

main();
