// A process that runs one sweep for the extension host, and ends with it. Its main thread only distributes the runs.
import path from 'node:path';
import { type BirpcReturn, createBirpc } from 'birpc';
import type { SweepCalls, SweepEvents } from '../../protocol/sweep';
import { parseSpec } from '../../model-spec';
import { hostTransport } from '../message-channel';
import { openSweep, type OpenSweepResult, type Sweep } from './sweep';

let current: Sweep | null = null;

const calls: SweepCalls = {
  async start({ text, ...request }) {
    const opened = await openSweep({ ...request, source: parseSpec(text) });
    if (opened.kind !== 'sweep') return startError(opened);
    current = opened.sweep;
    try {
      await current.run(path.join(__dirname, 'sweep-worker.js'), notify);
      return null;
    } catch (error) {
      return `The results cannot be saved: ${error instanceof Error ? error.message : String(error)}.`;
    } finally {
      notify(current.state);
    }
  },
  async cancel() {
    await current?.cancel();
  },
};

function startError(opened: Exclude<OpenSweepResult, { kind: 'sweep' }>): string {
  switch (opened.kind) {
    case 'problems': {
      const wrong = opened.problems.find(({ severity }) => severity === 'error');
      return wrong ? `${wrong.message} ${wrong.remedy}` : 'The spec has problems. Fix them first.';
    }
    case 'unreadable':
      return `${path.basename(opened.file)} is not a results file that this version can read. Move it away, or start over to overwrite it.`;
    case 'invalidOptions':
    case 'noSweep':
      return 'This spec has no "sweep" section. Add one that lists the values to try.';
  }
}

const notify = (state: Sweep['state']): void => void rpc.stateChanged.asEvent(state);

const rpc: BirpcReturn<SweepEvents, SweepCalls> = createBirpc<SweepEvents, SweepCalls>(calls, {
  ...hostTransport(),
  bind: 'functions',
  timeout: -1,
});

export {};
