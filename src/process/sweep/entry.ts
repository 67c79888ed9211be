// A process that does one sweep for the extension host, and ends with it. Its own thread only hands out the runs.
import path from 'node:path';
import { type BirpcReturn, createBirpc } from 'birpc';
import type { SweepCalls, SweepVoice } from '../../protocol/sweep';
import { openSweep, type OpenedSweep, type Sweep } from './sweep';

let current: Sweep | null = null;

const calls: SweepCalls = {
  async start({ fresh, ...request }) {
    const opened = openSweep({ ...request, fresh });
    if (opened.kind !== 'sweep') return refusal(opened);
    current = opened.sweep;
    try {
      await current.run(path.join(__dirname, 'sweep-worker.js'), tell);
      return null;
    } catch (error) {
      return `The results cannot be kept: ${error instanceof Error ? error.message : String(error)}.`;
    } finally {
      tell(current.state);
    }
  },
  async cancel() {
    await current?.cancel();
  },
};

function refusal(opened: Exclude<OpenedSweep, { kind: 'sweep' }>): string {
  switch (opened.kind) {
    case 'problems': {
      const wrong = opened.problems.find(({ severity }) => severity === 'error');
      return wrong ? `${wrong.message} ${wrong.remedy}` : 'The spec has problems; solve them first.';
    }
    case 'strange':
      return `${path.basename(opened.file)} holds no results that this version can read. Move it away, or start over to write over it.`;
    case 'faults':
    case 'nothing':
      return 'This spec says nothing about what to try.';
  }
}

const tell = (state: Sweep['state']): void => void rpc.sweep.asEvent(state);

const rpc: BirpcReturn<SweepVoice, SweepCalls> = createBirpc<SweepVoice, SweepCalls>(calls, {
  post: (message) => {
    if (process.connected) process.send?.(message);
  },
  on: (listener) => process.on('message', listener),
  bind: 'functions',
  timeout: -1,
});

process.on('disconnect', () => process.exit(0));
