// A process that does steps of a run again under a debugger, with the very tensors of the run. All of it is on the main
// thread, where every debugger finds breakpoints, and nobody watches how long it takes.
import inspector from 'node:inspector';
import { type BirpcReturn, createBirpc } from 'birpc';
import { loadLayers } from '../../code/load-layers';
import { withFiles } from '../../files/data-files';
import { wideVectorsIfWanted } from '../../machine/wide-vectors';
import type { DebugCalls, DebugVoice, StepsAgain } from '../../protocol/debug';
import { doAgain } from '../../session/do-again';
import { openSpec } from '../../session/load';
import { parseSpec } from '../../spec';

/** Nobody else's machine. */
const HERE = '127.0.0.1';
/** Who stops a layer here is the debugger. */
const UNWATCHED = { enter: () => undefined, leave: () => undefined };

const calls: DebugCalls = {
  async stepsAgain({ open, from, steps }: StepsAgain) {
    inspector.open(0, HERE);
    await host.listening(Number(new URL(inspector.url() ?? '').port));
    inspector.waitForDebugger();
    const { text, folder, root, code, wideVectors } = open;
    const { spec } = parseSpec(text);
    const layers = spec && code ? await loadLayers(spec, { folder, root }, UNWATCHED) : undefined;
    const { run, problems } = withFiles(open, (files) => openSpec(text, files, layers));
    if (!run) return { kind: 'problems', problems };
    const done = doAgain(run, text, from, steps, { wideVectors: wideVectors ? wideVectorsIfWanted() : undefined });
    if (done.kind === 'done') console.log(`Step ${done.step} is done: loss ${done.loss}.`);
    return done;
  },
};

const host: BirpcReturn<DebugVoice, DebugCalls> = createBirpc<DebugVoice, DebugCalls>(calls, {
  post: (message) => {
    if (process.connected) process.send?.(message);
  },
  on: (listener) => process.on('message', listener),
  bind: 'functions',
  timeout: -1,
});

process.on('disconnect', () => process.exit(0));
