// Runs misbehaving layers in the real engine.
import type { CustomLayerErrorDetails } from '../../src/protocol/problem';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wellBehavedSource, type MisbehavingLayer } from '../support/misbehaving-layers';
import { TestEngine } from './built-engine';

const SPEC = JSON.stringify({
  data: 'circles',
  layers: [
    { type: 'linear', out_features: 4 },
    { type: 'custom', module: './own.layer.ts' },
    { type: 'linear', out_features: 2 },
  ],
  loss: 'cross_entropy',
});

export interface MisbehaviorOutcome {
  /** Null if nothing was reported. */
  readonly fault: CustomLayerErrorDetails | null;
  /** The file that was reported. */
  readonly file: string;
  /** Exit messages of the process, if it ended. */
  readonly exits: readonly string[];
  /** Milliseconds from the start of the run to the report. */
  readonly milliseconds: number;
  /** The step from which the run continued with well-behaved code, and the step it reached. */
  readonly from: number;
  readonly to: number;
}

/** Runs a misbehaving layer in a real engine, and continues the run once it behaves. */
export async function misbehave(
  engineFile: string,
  kind: MisbehavingLayer,
  now: () => number,
): Promise<MisbehaviorOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'nablascope-bad-'));
  const file = join(folder, 'own.layer.ts');
  const request = { text: SPEC, folder, root: folder, allowCustomLayers: true };
  let engine = new TestEngine(engineFile);
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
    const fault = engine.faults[0] ?? engine.exitFault;
    const { exits } = engine;

    writeFileSync(file, wellBehavedSource(kind));
    if (exits.length === 0) {
      const reopened = await engine.client.calls.reload();
      if (!reopened.ok) throw new Error(JSON.stringify(reopened.problems));
    } else {
      const record = engine.records[engine.records.length - 1];
      engine = new TestEngine(engineFile);
      const reopened = await engine.client.calls.open({ ...request, record });
      if (!reopened.ok) throw new Error(JSON.stringify(reopened.problems));
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
