// Layers that misbehave, each in a way of its own, after some calls that go well; and what the engine makes of them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault } from '../../src/engine/custom/fault';
import { WatchedEngine } from './built-engine';

/** Calls of forward that go well. */
const GOOD_CALLS = 30;

const GOOD = 'return ops.tanh(x);';
const layer = (bad: string): string => `
import { execSync } from 'node:child_process';
const kept: unknown[] = [];
let calls = 0;
export default {
  forward({ x, ops }) {
    if (calls++ > ${GOOD_CALLS}) { ${bad} }
    ${GOOD}
  },
};
`;

export interface Misbehaviour {
  readonly name: string;
  readonly source: string;
  /** Whether the engine's process is ended by it. */
  readonly ends: boolean;
  /** What is said of it. */
  readonly words: RegExp;
}

export const MISBEHAVIOURS: readonly Misbehaviour[] = [
  { name: 'hangs', source: layer('while (true) calls++;'), ends: true, words: /did not come back within/ },
  { name: 'blocks in the system', source: layer("execSync('sleep 60');"), ends: true, words: /did not come back within/ },
  {
    name: 'exhausts memory', ends: true, words: /took more memory than there is|did not come back within|ended the engine by the signal/,
    source: layer('const map = new Map(); for (let i = 0; ; i++) { map.set(i, { i }); kept.push(map, new Array(1000).fill(i)); }'),
  },
  { name: 'calls process.exit', source: layer('process.exit(3);'), ends: false, words: /process\.exit\(3\) would end the engine/ },
  { name: 'kills its process', source: layer("process.kill(process.pid, 'SIGKILL');"), ends: true, words: /ended the engine by the signal SIGKILL/ },
  { name: 'throws null', source: layer('throw null;'), ends: false, words: /threw null/ },
  { name: 'returns another shape', source: layer('return ops.tensor([1, 2]);'), ends: false, words: /with the shape 1×2 in place of/ },
  { name: 'returns NaN', source: layer('return ops.multiply(x, NaN);'), ends: false, words: /gave an output with NaN at \[0, 0\]/ },
  { name: 'changes its input', source: layer('x.data[0] = 7;'), ends: false, words: /changed its input in place/ },
];

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
export async function misbehave(engineFile: string, { source }: Misbehaviour, now: () => number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'nablascope-bad-'));
  const file = join(folder, 'own.layer.ts');
  const request = { text: SPEC, folder, root: folder, code: true };
  let engine = new WatchedEngine(engineFile);
  try {
    writeFileSync(file, source);
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

    writeFileSync(file, source.replace(/if \(calls.*/, ''));
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
