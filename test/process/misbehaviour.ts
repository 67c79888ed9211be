// What the engine makes of layers that misbehave.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault } from '../../src/engine/custom/fault';
import { behaving, type Misbehaviour } from '../support/misbehaviours';
import { WatchedEngine } from './built-engine';

const SPEC = JSON.stringify({
  data: 'circles', layers: [{ type: 'linear', out_features: 4 }, { type: 'custom', module: './own.layer.ts' }, { type: 'linear', out_features: 2 }],
  loss: 'cross_entropy',
});

export interface Outcome {
  /** Null where nothing was noticed. */
  readonly fault: Fault | null;
  /** In which file. */
  readonly file: string;
  /** Of the end of the process, if it ended. */
  readonly exits: readonly string[];
  /** Milliseconds from the start of the run to the word of the fault. */
  readonly milliseconds: number;
  /** The step from which the run went on with code that behaves, and where it got to. */
  readonly from: number;
  readonly to: number;
}

/** Lets a layer misbehave in a real engine, and goes on with the run once it behaves. */
export async function misbehave(engineFile: string, kind: Misbehaviour, now: () => number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'nablascope-bad-'));
  const file = join(folder, 'own.layer.ts');
  const request = { text: SPEC, folder, root: folder, code: true };
  let engine = new WatchedEngine(engineFile);
  try {
    writeFileSync(file, kind.source);
    const opened = await engine.client.calls.open(request);
    if (!opened.ok) throw new Error(JSON.stringify(opened.problems));
    await engine.client.calls.command({ type: 'runToStep', step: 5 });
    await engine.until(() => engine.last?.position.step === 5 && engine.last.target === null);
    const before = now();
    const running = engine.client.calls.command({ type: 'runToStep', step: 500 }).catch(() => undefined);
    await engine.until(() => engine.faults.length > 0 || engine.exits.length > 0);
    const milliseconds = now() - before;
    await running;
    const fault = engine.faults[0] ?? engine.blamed;
    const { exits } = engine;

    writeFileSync(file, behaving(kind));
    if (exits.length === 0) {
      const again = await engine.client.calls.reload();
      if (!again.ok) throw new Error(JSON.stringify(again.problems));
    } else {
      const record = engine.records[engine.records.length - 1];
      engine = new WatchedEngine(engineFile);
      const again = await engine.client.calls.open({ ...request, record });
      if (!again.ok) throw new Error(JSON.stringify(again.problems));
    }
    const frames = engine.frames.length;
    await engine.until(() => engine.frames.length > Math.min(frames, 1) || engine.frames.length > frames);
    const from = engine.last?.position.step ?? -1;
    const to = from + 10;
    await engine.client.calls.command({ type: 'runToStep', step: to });
    await engine.until(() => engine.last?.position.step === to && engine.last.target === null);
    return { fault, file, exits, milliseconds, from, to: engine.last?.position.step ?? -1 };
  } finally {
    await engine.client.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}
