// Requests with any arguments to a real engine: each settles, and the engine goes on.
import { Random } from '../../src/engine/random';
import type { TestEngine } from './built-engine';

const CALLS = [
  ...['command', 'query', 'subscribe', 'open', 'cancelOpen', 'check', 'cancelCheck', 'captureRecord'],
  'setBreakpoints',
  ...['getHotReloadState', 'reload', 'nothing', '__proto__', 'constructor', 'toString', '$call', 'load', 'startRun'],
];
const TYPES = [
  ...['step', 'stepPhase', 'backPhase', 'backStep', 'run', 'pause', 'runToStep', 'runToEpoch', 'seek', 'fork'],
  ...[
    'setWeights',
    'reset',
    'setLearningRate',
    'setSpeed',
    'finishPass',
    'reverseContinue',
    'evaluate',
    'named_values',
    'tensor',
    'step_graph',
    'attribution',
    'lr_scan',
    'x',
  ],
];
const KEYS = [
  'type',
  'step',
  'phase',
  'epoch',
  'lr',
  'seed',
  'to',
  'weights',
  'text',
  'folder',
  'record',
  'layer',
  'sample',
  'index',
  'id',
  'on',
  'condition',
  'expressions',
];

function drawValue(random: Random, depth = 0): unknown {
  switch (random.integerBelow(depth > 3 ? 8 : 11)) {
    case 0:
      return random.integerBelow(50);
    case 1:
      return [-1, 1.5, NaN, Infinity, -Infinity, 2 ** 53, 1e-320, -0][random.integerBelow(8)];
    case 2:
      return TYPES[random.integerBelow(TYPES.length)];
    case 3:
      return ['', '__proto__', 'x'.repeat(1000), '{"data": "circles"}', '\u0000'][random.integerBelow(5)];
    case 4:
      return null;
    case 5:
      return undefined;
    case 6:
      return random.integerBelow(2) === 0;
    case 7:
      return [new Float64Array(3), new Map([[1, 2]]), new Date(0), 7n, new Error('e')][random.integerBelow(5)];
    case 8:
      return Array.from({ length: random.integerBelow(4) }, () => drawValue(random, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: random.integerBelow(5) }, () => [
          KEYS[random.integerBelow(KEYS.length)]!,
          drawValue(random, depth + 1),
        ]),
      );
  }
}

/** Request `index` of a campaign. */
export function drawRequest(seed: number, index: number): { readonly name: string; readonly args: readonly unknown[] } {
  const random = new Random(seed, `request ${index}`);
  const name = CALLS[random.integerBelow(CALLS.length)]!;
  const args = Array.from({ length: random.integerBelow(3) }, () => drawValue(random));
  // Most commands are rejected for their type; these are not.
  if (name === 'command' && random.integerBelow(2) === 0)
    return {
      name,
      args: [{ ...(drawValue(random, 4) as object), ...object(random), type: TYPES[random.integerBelow(14)] }],
    };
  return { name, args };
}

const object = (random: Random): object =>
  Object.fromEntries(
    KEYS.slice(1).map((key) => [key, random.integerBelow(3) === 0 ? drawValue(random, 2) : random.integerBelow(30)]),
  );

/** @returns what is wrong; null if the request settles and the engine answers afterwards */
export async function checkRequest(engine: TestEngine, seed: number, index: number): Promise<string | null> {
  const { name, args } = drawRequest(seed, index);
  const call = (
    engine.client.calls as unknown as { $call(name: string, ...args: readonly unknown[]): Promise<unknown> }
  ).$call;
  try {
    await call(name, ...args);
  } catch {
    /* a rejection settles it, too */
  }
  if (engine.exits.length > 0) return `request ${index} (${name}) ends the engine: ${engine.exits[0]}`;
  try {
    await engine.client.calls.command({ type: 'pause' });
  } catch (error) {
    return `after request ${index} (${name}), pause fails: ${String(error)}`;
  }
  return null;
}
