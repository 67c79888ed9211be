// Layers that misbehave, each in a way of its own, after some calls that go well.

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

/** The same layer, well behaved. */
export const behaving = ({ source }: Misbehaviour): string => source.replace(/if \(calls.*/, '');
