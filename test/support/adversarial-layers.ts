// Custom layers that misbehave outside of their functions, or on purpose: each is named, or its attribution is honest,
// and the run continues from where it was. Used by the test of a sample and by the campaign in bench/.

/** Number of successful calls of forward. */
export const GOOD_CALLS = 30;

export interface AdversarialLayer {
  readonly name: string;
  /** JavaScript. */
  readonly source: string;
  /**
   * What must be reported: a fault of the layer in this call; `problem`, where the file is not loaded; `exit`, where
   * the engine ends with a sentence that mentions custom layers; null, where the layer achieves nothing.
   */
  readonly expected: 'load' | 'forward' | 'async' | 'problem' | 'exit' | null;
  /** In the message. */
  readonly message?: RegExp;
  /** Further outcomes that are honest as well, because two threads race. */
  readonly or?: AdversarialLayer['expected'];
  /** Takes more than a second of processor time, or waits for one: only in the campaign. */
  readonly isSlow?: true;
}

const HEADER = `
import * as fs from 'node:fs';
import * as threads from 'node:worker_threads';
import * as v8 from 'node:v8';
let calls = 0;
const kept = [];
`;
const good = 'return ops.tanh(x);';

/** @param bad runs once, at the call after the good ones; @param top runs while the file is loaded */
const once = (bad: string, top = ''): string =>
  `${HEADER}${top}\nexport default { forward({ x, ops }) { if (calls++ === ${GOOD_CALLS}) { ${bad} } ${good} } };`;
const atLoad = (top: string): string => once('', top);
const always = (bad: string): string => `${HEADER}export default { forward({ x, ops }) { calls++; ${bad} ${good} } };`;

/** Writes bytes to the channel between the engine process and its host. */
const toChannel = (bytes: string): string =>
  `const b = ${bytes}; for (let fd = 3; fd < 40; fd++) { try { const s = fs.fstatSync(fd); if (s.isSocket() || s.isFIFO()) fs.writeSync(fd, b); } catch {} }`;
const forgedEnd = `v8.serialize({ type: 'supervisor', reason: 'forged', fault: { layer: 'linear1', call: 'forward', message: 'forged', remedy: '', place: { file: '/x', line: 1, column: 1 }, stack: null } })`;

export const ADVERSARIAL_LAYERS: readonly AdversarialLayer[] = [
  // Outside of its functions.
  {
    name: 'throws in a timer',
    source: once('setTimeout(() => { throw new Error("late"); }, 0);'),
    expected: 'async',
    message: /threw Error: late\.$/,
  },
  {
    name: 'leaves a rejection unhandled',
    source: once('Promise.reject(new Error("unhandled"));'),
    expected: 'async',
    message: /threw Error: unhandled\.$/,
  },
  {
    name: 'rejects with a number',
    source: once('Promise.reject(7);'),
    expected: 'async',
    message: /threw the number 7\.$/,
  },
  {
    name: 'throws an error without a message in a microtask',
    source: once('queueMicrotask(() => { throw new Error(); });'),
    expected: 'async',
    message: /threw Error\.$/,
  },
  {
    name: 'throws a hostile object in a timer',
    source: once(
      'setTimeout(() => { throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 2; } }); }, 0);',
    ),
    expected: 'async',
    message: /threw an object that cannot be read\.$/,
  },
  {
    name: 'loops in a timer',
    source: once('setTimeout(() => { while (true); }, 0);'),
    expected: 'async',
    message: /did not return within/,
  },
  {
    name: 'loops in promises',
    isSlow: true,
    source: once('const f = () => Promise.resolve().then(f); f();'),
    expected: 'async',
    message: /did not return within/,
  },
  {
    name: 'catches everything itself',
    source: once('setTimeout(() => { throw new Error("late"); }, 0);', 'process.on("uncaughtException", () => {});'),
    expected: 'async',
  },
  {
    name: 'loops while it is loaded',
    isSlow: true,
    source: atLoad('while (true);'),
    expected: 'problem',
    message: /^Loading the file of own1 did not return/,
  },
  // Values that cannot be read.
  ...[
    ['throws an object whose "then" throws', 'throw { get then() { throw new Error("then"); } };'],
    ['throws a proxy that throws', 'throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 2; } });'],
    [
      'throws an error whose message throws',
      'const e = new Error("m"); Object.defineProperty(e, "message", { get() { throw 1; } }); throw e;',
    ],
    [
      'throws an error whose stack is an object',
      'const e = new Error("m"); e.stack = { toString() { throw 1; } }; e.name = { toString() { throw 2; } }; throw e;',
    ],
    ['throws a symbol', 'throw Symbol("x");'],
    ['throws a message of 50 MB', 'throw new Error("x".repeat(50e6));'],
    ['throws 50,000 lines', 'throw new Error(("at (".repeat(20) + "\\n").repeat(50000));'],
    [
      'throws a stack of one long line',
      'const e = new Error("m"); e.stack = "Error: m\\n    at " + "/a ".repeat(60000) + ":x"; throw e;',
    ],
    ['returns an object whose shape throws', 'return { get shape() { throw new Error("shape"); }, data: x.data };'],
    [
      'returns a proxy whose data throws',
      'return new Proxy(ops.tanh(x), { get(t, k) { if (k === "data") throw new Error("no"); return t[k]; } });',
    ],
    ['changes its input', 'x.data.fill(0);'],
    ['transfers its input', 'structuredClone(x.data, { transfer: [x.data.buffer] });'],
  ].map(([name, bad]): AdversarialLayer => ({ name: name!, source: once(bad!), expected: 'forward' })),
  {
    name: 'returns other data each time they are read',
    source: `let n = 0; export default {
      forward({ x, ops }) {
        const y = ops.tanh(x); let reads = 0; const bad = new x.data.constructor(y.data.length).fill(NaN);
        return n++ < ${GOOD_CALLS} ? y : new Proxy(y, { get: (t, k) => (k === 'data' && reads++ > 0 ? bad : t[k]) });
      },
      backward: ({ y, dy }) => ({ dx: { shape: dy.shape, data: dy.data.map((g, i) => g * (1 - y.data[i] ** 2)) } }) };`,
    expected: null,
  },
  {
    name: 'returns shared memory',
    source: `export default {
      forward({ x }) {
        const d = new x.data.constructor(new SharedArrayBuffer(x.data.byteLength)); d.set(x.data.map(Math.tanh));
        return { shape: x.shape, data: d };
      },
      backward: ({ y, dy }) => ({ dx: { shape: dy.shape, data: dy.data.map((g, i) => g * (1 - y.data[i] ** 2)) } }) };`,
    expected: null,
  },
  // Declarations.
  {
    name: 'declares a shape of a million dimensions',
    source: 'export default { outputShape: () => Array(1e6).fill(1), forward: ({ x }) => x };',
    expected: 'problem',
    message: /not a shape/,
  },
  {
    name: 'declares an output of 8 PB',
    source: 'export default { outputShape: () => [2 ** 50], forward: ({ x }) => x };',
    expected: 'problem',
  },
  {
    name: 'declares a parameter with a name of 5 MB',
    source: 'export default { parameters: () => ({ ["w".repeat(5e6)]: [4] }), forward: ({ x, ops }) => ops.tanh(x) };',
    expected: 'problem',
    message: /name of 5000000 characters/,
  },
  {
    name: 'declares parameters that throw',
    source:
      'export default { parameters: () => ({ get w() { throw new Error("w"); } }), forward: ({ x, ops }) => ops.tanh(x) };',
    expected: 'problem',
    message: /threw Error: w/,
  },
  {
    name: 'exports an object whose forward throws when it is read',
    source: 'export default { get forward() { throw new Error("f"); } };',
    expected: 'problem',
    message: /threw Error: f/,
  },
  // Built-in objects.
  ...[
    ['extends Object.prototype', 'Object.prototype.helper = function () {};', /Object\.prototype\.helper/],
    ['extends Array.prototype', 'Array.prototype.last = function () {};', /Array\.prototype\.last/],
    ['gives every object a learning rate', 'Object.prototype.lr = 100;', /Object\.prototype\.lr/],
    ['gives every object a "get"', 'Object.prototype.get = () => 1;', /Object\.prototype\.get/],
    [
      'replaces Array.prototype.map',
      'const m = Array.prototype.map; Array.prototype.map = function (f) { return m.call(this, f); };',
      /map/,
    ],
    ['replaces Math.sqrt', 'Math.sqrt = () => 1;', /Math\.sqrt/],
    [
      'replaces the copying of numbers',
      'Object.getPrototypeOf(Float64Array.prototype).set = () => {};',
      /TypedArray\.prototype\.set/,
    ],
    ['wraps WebAssembly.Memory', 'WebAssembly.Memory = class extends WebAssembly.Memory {};', /WebAssembly\.Memory/],
    [
      'wraps the sending of messages',
      'threads.MessagePort.prototype.postMessage = () => {};',
      /MessagePort\.prototype\.postMessage/,
    ],
    ['wraps Atomics.add', 'Atomics.add = () => 0;', /Atomics\.add/],
    ['replaces setTimeout', 'globalThis.setTimeout = () => 0;', /setTimeout/],
  ].map(([name, top, message]): AdversarialLayer => ({
    name: name as string,
    source: atLoad(top as string),
    expected: 'problem',
    message: message as RegExp,
  })),
  // The process.
  {
    name: 'ends its process at once',
    source: once('process.reallyExit(5);'),
    expected: 'forward',
    message: /exit code 5/,
  },
  {
    name: 'changes the flags of the JavaScript engine',
    source: once('v8.setFlagsFromString("--jitless");'),
    expected: 'forward',
    message: /setFlagsFromString/,
  },
  {
    name: 'waits forever',
    isSlow: true,
    source: once('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);'),
    expected: 'forward',
    message: /did not return within/,
  },
  {
    name: 'imitates a sign of life',
    source: once('const c = new Int32Array(threads.workerData.activity); for (;;) Atomics.add(c, 1, 1);'),
    expected: 'forward',
  },
  {
    name: 'crashes its process',
    source: once('process.kill(process.pid, "SIGSEGV"); while (true);'),
    expected: 'forward',
    message: /ended the engine with the signal SIGSEGV/,
  },
  {
    name: 'stops its process',
    source: once('process.kill(process.pid, "SIGSTOP"); while (true);'),
    expected: 'forward',
    message: /stopped the engine process from answering/,
  },
  // Messages.
  {
    name: 'closes its port',
    source: once('threads.parentPort.close();'),
    expected: null,
  },
  {
    name: 'removes all listeners',
    source: once('process.removeAllListeners(); threads.parentPort.removeAllListeners();'),
    expected: null,
  },
  {
    name: 'forges a report of a gradient check',
    source: once(
      'threads.parentPort.postMessage({ t: "q", m: "checkFinished", a: [{ forged: true, passed: true }] });',
    ),
    expected: null,
  },
  {
    name: 'forges a fault of another layer',
    source: once(
      'threads.parentPort.postMessage({ t: "q", m: "fault", a: [{ layer: "linear1", call: "forward", message: "forged", remedy: "x", place: { file: "/etc/passwd", line: 1, column: 1 }, stack: null }] });',
    ),
    expected: null,
  },
  {
    name: 'posts messages that are none',
    source: once(
      'for (const g of [null, 0, "x", [], { t: "q", m: "__proto__", a: [] }, { type: "names", layers: null }, { type: "end" }]) threads.parentPort.postMessage(g);',
    ),
    expected: null,
  },
  {
    name: 'writes text to the channel of its process',
    source: once(`${toChannel('Buffer.alloc(64, 0x41)')} while (true);`),
    expected: 'forward',
    message: /no message/,
  },
  {
    name: 'writes a frame without meaning to the channel',
    source: once(`${toChannel('Buffer.concat([Buffer.from([0, 0, 0, 8]), Buffer.alloc(24, 0x7a)])')} while (true);`),
    expected: 'forward',
    message: /no message/,
  },
  {
    name: 'forges the end of its process in the format of Node',
    source: once(
      `const p = ${forgedEnd}; const head = Buffer.alloc(4); head.writeUInt32BE(p.length); ${toChannel('Buffer.concat([head, p])')} process.kill(process.pid, "SIGKILL");`,
    ),
    expected: 'forward',
  },
  {
    name: 'writes to the channel and goes on',
    source: once(toChannel('Buffer.alloc(64, 0x41)')),
    expected: 'exit',
    or: 'forward',
  },
  // Output.
  ...[
    'process.stdout.write("x".repeat(1e6));',
    'process.stderr.write("y".repeat(1e6));',
    'console.dir("z".repeat(1e6));',
    'for (let i = 0; i < 200; i++) console.log("z".repeat(1000), i);',
  ].map((bad): AdversarialLayer => ({
    name: `floods its output: ${bad.slice(0, 20)}`,
    source: always(bad),
    expected: null,
    isSlow: true,
  })),
  {
    name: 'floods the output of its process',
    isSlow: true,
    source: always('fs.writeSync(2, "y".repeat(4000));'),
    expected: null,
  },
  {
    name: 'logs an object that throws',
    source: once('console.log({ [Symbol.for("nodejs.util.inspect.custom")]() { throw new Error("inspect"); } });'),
    expected: 'forward',
  },
];
