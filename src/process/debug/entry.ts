// A process that replays steps of a run under a debugger, with the exact tensors of the run. Everything runs on the
// main thread, where every debugger finds breakpoints, and without time limits.
import inspector from 'node:inspector';
import { type BirpcReturn, createBirpc } from 'birpc';
import { importCustomLayers } from '../../custom-layers/import-custom-layers';
import { withDataFiles } from '../../data-files/data-files';
import { simd256CompilerIfEnabled } from '../../platform/simd256';
import type { DebugCalls, DebugEvents, ReplayRequest } from '../../protocol/debug';
import { asCustomLayerError } from '../../engine/custom/custom-layer-error';
import { openAtPosition, replayStep } from '../../session/replay-step';
import { openSpec } from '../../session/open-spec';
import { parseSpec } from '../../model-spec';
import { hostTransport } from '../message-channel';

/** Only this machine may connect. */
const LOOPBACK = '127.0.0.1';
/** Here, the debugger stops layers. */
const NO_LAYER_WATCH = { enter: () => undefined, leave: () => undefined };

const calls: DebugCalls = {
  async replaySteps({ open, from, steps, onlyNextPhase = false }: ReplayRequest) {
    // The code may have to run up to the phase, where nobody wants to stop.
    if (!onlyNextPhase) await waitForDebugger();
    const { text, folder, root, allowCustomLayers, simd256 } = open;
    const parsed = parseSpec(text);
    const layers =
      parsed.spec && allowCustomLayers
        ? await importCustomLayers(parsed.spec, { folder, root }, NO_LAYER_WATCH)
        : undefined;
    const { run, problems } = withDataFiles(open, (files) => openSpec(parsed, files, layers));
    if (!run) return { kind: 'problems', problems };
    const options = { simd256: simd256 ? simd256CompilerIfEnabled() : undefined };
    if (onlyNextPhase) {
      try {
        const session = openAtPosition(run, text, from, options);
        await waitForDebugger();
        session.stepPhase();
        return { kind: 'done', step: session.shownStep, loss: session.loss };
      } catch (error) {
        return { kind: 'fault', fault: asCustomLayerError(error).details };
      }
    }
    const done = replayStep(run, text, from, steps, options);
    if (done.kind === 'done') console.log(`Step ${done.step} is done: loss ${done.loss}.`);
    return done;
  },
};

async function waitForDebugger(): Promise<void> {
  inspector.open(0, LOOPBACK);
  await host.listening(Number(new URL(inspector.url() ?? '').port));
  inspector.waitForDebugger();
}

const host: BirpcReturn<DebugEvents, DebugCalls> = createBirpc<DebugEvents, DebugCalls>(calls, {
  ...hostTransport(),
  bind: 'functions',
  timeout: -1,
});

export {};
