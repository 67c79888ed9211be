// Layers that misbehave in different ways after some successful calls.

/** Number of successful calls of forward. */
const GOOD_CALLS = 30;

const GOOD_RETURN = 'return ops.tanh(x);';
const layerSource = (bad: string): string => `
import { execSync } from 'node:child_process';
const kept: unknown[] = [];
let calls = 0;
export default {
  forward({ x, ops }) {
    if (calls++ > ${GOOD_CALLS}) { ${bad} }
    ${GOOD_RETURN}
  },
};
`;

export interface MisbehavingLayer {
  readonly name: string;
  readonly source: string;
  /** Whether it ends the engine process. */
  readonly endsProcess: boolean;
  /** The expected message. */
  readonly message: RegExp;
}

export const MISBEHAVING_LAYERS: readonly MisbehavingLayer[] = [
  {
    name: 'hangs',
    source: layerSource('while (true) calls++;'),
    endsProcess: true,
    message: /did not return within/,
  },
  {
    name: 'blocks in the system',
    source: layerSource("execSync('sleep 60');"),
    endsProcess: true,
    message: /did not return within/,
  },
  {
    name: 'exhausts memory',
    endsProcess: true,
    message: /used too much memory|did not return within|ended the engine with the signal/,
    source: layerSource(
      'const map = new Map(); for (let i = 0; ; i++) { map.set(i, { i }); kept.push(map, new Array(1000).fill(i)); }',
    ),
  },
  {
    name: 'calls process.exit',
    source: layerSource('process.exit(3);'),
    endsProcess: false,
    message: /process\.exit\(3\) would end the engine/,
  },
  {
    name: 'kills its process',
    source: layerSource("process.kill(process.pid, 'SIGKILL');"),
    endsProcess: true,
    message: /ended the engine with the signal SIGKILL/,
  },
  { name: 'throws null', source: layerSource('throw null;'), endsProcess: false, message: /threw null/ },
  {
    name: 'returns another shape',
    source: layerSource('return ops.tensor([1, 2]);'),
    endsProcess: false,
    message: /with the shape 1×2 instead of/,
  },
  {
    name: 'returns NaN',
    source: layerSource('return ops.multiply(x, NaN);'),
    endsProcess: false,
    message: /output with NaN at \[0, 0\]/,
  },
  {
    name: 'changes its input',
    source: layerSource('x.data[0] = 7;'),
    endsProcess: false,
    message: /changed its input in place/,
  },
];

/** The same layer without its misbehavior. */
export const wellBehavedSource = ({ source }: MisbehavingLayer): string => source.replace(/if \(calls.*/, '');
