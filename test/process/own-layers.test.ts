// Layers of the user's own in the real engine process: loaded from real files, run, loaded anew, refused.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newLayerText } from '../../src/host/new-layer-text';
import type { OpenRequest, OpenResult } from '../../src/protocol/engine';
import { type BuiltEngine, buildEngine, WatchedEngine } from './built-engine';

let built: BuiltEngine;
let folder: string;
let engine: WatchedEngine;

beforeAll(async () => {
  built = await buildEngine();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nablascope-layers-'));
  engine = new WatchedEngine(built.file);
});

afterEach(async () => {
  await engine.client.dispose();
  rmSync(folder, { recursive: true, force: true });
});

afterAll(() => built.remove());

const file = (name: string, text: string): void => writeFileSync(join(folder, name), text);

const spec = (middle: object = { type: 'custom', module: './own.layer.ts' }): string =>
  JSON.stringify({
    data: 'circles', precision: 'float64', seed: 3,
    layers: [{ type: 'linear', out_features: 4 }, middle, { type: 'linear', out_features: 2 }],
    loss: 'cross_entropy',
  });

const open = (request: Partial<OpenRequest> = {}): Promise<OpenResult> =>
  engine.client.calls.open({ text: spec(), folder, root: folder, code: true, ...request });

const { stringify } = JSON;

async function opened(request: Partial<OpenRequest> = {}): Promise<Extract<OpenResult, { ok: true }>> {
  const result = await open(request);
  if (!result.ok) throw new Error(stringify(result.problems));
  return result;
}

const refused = (result: OpenResult) => {
  if (result.ok) throw new Error('it opened');
  expect(result.problems).toHaveLength(1);
  return result.problems[0];
};

const toStep = async (step: number): Promise<void> => {
  await engine.client.calls.command({ type: 'runToStep', step });
  await engine.until(() => engine.last?.position.step === step && engine.last.target === null);
};

/** The same network with the engine's own layer in the place of the user's. */
const SILU = 'export default { forward: ({ x, ops }) => ops.multiply(x, ops.sigmoid(x)) };';
const TANH = 'export default { forward: ({ x, ops }) => ops.tanh(x) };';

describe('a layer of the user', () => {
  it('trains as the built-in layer of the same formula does', async () => {
    file('own.layer.ts', SILU);
    await opened();
    await toStep(20);
    const own = engine.last?.loss;
    await opened({ text: spec({ type: 'silu' }) });
    await toStep(20);
    expect(own).toBeCloseTo(engine.last?.loss ?? NaN, 12);
  });

  it('has types, parameters, options and helpers in files of their own', async () => {
    file('helper.ts', 'export const twice = (n: number): number => 2 * n;');
    file('own.layer.ts', `
import type { Layer } from './nablascope.d.ts';
import { twice } from './helper.ts';

export default {
  parameters: ([inputs]: readonly number[], { start }: { start: number }) => ({ slope: { shape: [inputs], values: Array(inputs).fill(twice(start)) } }),
  forward: ({ x, parameters, ops }) => ops.multiply(x, parameters.slope),
} satisfies Layer<{ start: number }>;
`);
    const { model } = await opened({ text: spec({ type: 'custom', module: './own.layer.ts', options: { start: 0.5 } }) });
    expect(model.layers[1]).toMatchObject({ name: 'own1', kind: 'custom', parameters: [{ name: 'own1.slope', shape: [4] }] });
    const report = await engine.client.calls.check();
    expect(report).toMatchObject({ passed: true, complete: true, counts: { wrong: 0 } });
    expect(report.checked).toBe(12 + 4 + 10);
  });

  it('is an ES module, whatever a package.json above it says', async () => {
    file('package.json', '{ "type": "commonjs" }');
    file('helper.ts', 'export const one: number = 1;');
    file('own.layer.ts', `import { one } from './helper.ts';\n${SILU.replace('x, ops })', 'x, ops }: any)')}\nvoid one;`);
    await opened();
    await toStep(2);
  });

  it('is not run unless that is allowed', async () => {
    file('own.layer.ts', `import fs from 'node:fs'; fs.writeFileSync(${stringify(join(folder, 'ran'))}, ''); ${SILU}`);
    const problem = refused(await open({ code: undefined }));
    expect(problem).toMatchObject({ code: 'code-not-allowed', message: 'own1 is code of your own, and running it was not allowed.' });
    expect(() => rmSync(join(folder, 'ran'))).toThrow('ENOENT');
  });

  it('writes to the log, with its name', async () => {
    file('own.layer.ts', 'console.warn("loaded", { a: 1 }); export default { forward: ({ x, ops }) => { console.log("shape", x.shape); return ops.exp(x); } };');
    await opened();
    await engine.until(() => engine.lines.length > 1);
    expect(engine.lines[0]).toBe('warn own1: loaded { a: 1 }');
    expect(engine.lines[1]).toMatch(/^info own1: shape \[ \d+, 4 \]$/);
  });
});

describe('the file of a new layer', () => {
  it.each([['ts', true], ['mjs', false]] as const)('works as it is, and with its backward: %s', async (ending, typescript) => {
    const text = newLayerText(`own.layer.${ending}`, typescript);
    const at = spec({ type: 'custom', module: `./own.layer.${ending}` });
    file(`own.layer.${ending}`, text);
    await opened({ text: at });
    await toStep(3);
    const { loss } = engine.last ?? {};
    expect(await engine.client.calls.check()).toMatchObject({ passed: true, complete: true, counts: { wrong: 0 } });
    const withBackward = text.replace(/^ {2}\/\/ (?=( {2,}|backward|\}))/gm, '  ');
    expect(withBackward).toMatch(/^ {2}backward\(/m);
    file(`own.layer.${ending}`, withBackward);
    await opened({ text: at });
    await toStep(3);
    expect(engine.last?.loss).toBeCloseTo(loss ?? NaN, 12);
    expect(await engine.client.calls.check()).toMatchObject({ passed: true, complete: true, counts: { wrong: 0 } });
  });
});

describe('a file that cannot be loaded', () => {
  it.each([
    ['an enum', 'const a: number = 1;\n  enum Kind { A, B }\nexport default { forward: ({ x }) => x };', 2, 3, /enum is not supported: types are removed/],
    ['a slip of syntax', '\nexport default { forward({ x }) { return x +; } };', 2, 45, /cannot be read: Expression expected/],
    ['an import that is not there', '\n\nimport { a } from "./nothing.ts";\nexport default { forward: a };', 3, 22, /Cannot find module/],
    ['an exception', 'interface A { a: 1 }\nfunction inner(): never {\n  throw new TypeError("bad thing");\n}\ninner();\nexport default {};', 3, 9, /threw TypeError while it was loaded: bad thing/],
    ['no default export', 'export const a = 1;', null, null, /has no default export/],
    ['no forward', 'export default { backward() {} };', null, null, /exports a layer without "forward"/],
    ['a wrong shape', 'export default {\n  outputShape: () => [0, "a"],\n  forward: ({ x }) => x,\n};', 2, 16, /"outputShape" of own1 gave \[0, a\]/],
    ['parameters that are none', 'export default {\n  parameters() { return { w: { shape: [2], values: [1] } }; },\n  forward: ({ x }) => x,\n};', 2, 3, /gave the parameter "w" values that do not fill 2/],
  ])('is said at its line: %s', async (_, text, line, column, message) => {
    file('own.layer.ts', text);
    const problem = refused(await open());
    expect(problem.message).toMatch(message);
    expect(problem.place).toEqual({ file: join(folder, 'own.layer.ts'), line, column });
    const source = spec();
    expect(source.slice(problem.start, problem.end)).toContain('./own.layer.ts');
  });

  it('is said at the path that the user knows, where a link leads to it', async () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'work'));
    file('real/helper.ts', 'throw new Error("no");');
    file('real/own.layer.ts', 'import "./helper.ts";');
    const work = join(folder, 'work');
    expect(refused(await open({ folder: work, root: work })).place).toEqual({ file: join(work, 'helper.ts'), line: 1, column: 7 });
  });

  it('is said when it lies outside, or is not there', async () => {
    expect(refused(await open()).message).toBe('There is no file "./own.layer.ts".');
    expect(refused(await open({ text: spec({ type: 'custom', module: '/etc/hosts' }) })).message).toMatch(/lies outside the workspace/);
  });

  it('leaves the run before as it was', async () => {
    await opened({ text: spec({ type: 'silu' }) });
    await toStep(3);
    file('own.layer.ts', 'while (true) {}');
    const problem = refused(await open());
    expect(problem.message).toMatch(/^Loading the file of own1 did not come back within/);
    await toStep(5);
    expect(engine.exits).toEqual([]);
  });

  it('is given up when it waits for ever', async () => {
    file('own.layer.ts', 'await new Promise(() => {}); export default {};');
    expect(refused(await open()).message).toBe('own.layer.ts did not finish loading within 3 s.');
  });
});

describe('loading a layer anew', () => {
  it('goes on with the weights, and does the last step again', async () => {
    file('own.layer.ts', SILU);
    await opened();
    await toStep(7);
    const before = engine.last;
    file('own.layer.ts', TANH);
    const count = engine.frames.length;
    const result = await engine.client.calls.reload();
    expect(result).toMatchObject({ ok: true });
    await engine.until(() => engine.frames.length > count);
    expect(engine.last?.position).toEqual({ step: 7, phase: 0 });
    expect(engine.last?.loss).not.toBe(before?.loss);
    // Steps of the old code cannot be gone back to, later ones can.
    await expect(engine.client.calls.command({ type: 'seek', step: 2 })).rejects.toThrow('was computed before the code of a layer was loaded anew');
    await toStep(9);
    const there = engine.last?.loss;
    await engine.client.calls.command({ type: 'seek', step: 7 });
    await toStep(9);
    expect(engine.last?.loss).toBe(there);
  });

  it('gives the same as the same code did', async () => {
    file('own.layer.ts', SILU);
    await opened();
    await toStep(40);
    const before = engine.last;
    const count = engine.frames.length;
    await engine.client.calls.reload();
    await engine.until(() => engine.frames.length > count);
    expect(engine.last?.loss).toBe(before?.loss);
    expect(engine.last?.layers).toEqual(before?.layers);
  });

  it('sees what changed in a file that the layer imports', async () => {
    file('helper.ts', 'export const factor: number = 1;');
    file('own.layer.ts', 'import { factor } from "./helper.ts"; export default { forward: ({ x, ops }) => ops.multiply(x, factor) };');
    await opened();
    await toStep(2);
    const before = engine.last?.loss;
    file('helper.ts', 'export const factor: number = 3;');
    const count = engine.frames.length;
    await engine.client.calls.reload();
    await engine.until(() => engine.frames.length > count);
    expect(engine.last?.loss).not.toBe(before);
  });

  it('begins anew where parameters have other shapes, and says so', async () => {
    const scaled = (shape: string) => `export default { parameters: () => ({ a: ${shape} }), forward: ({ x, parameters, ops }) => ops.multiply(x, parameters.a) };`;
    file('own.layer.ts', scaled('[4]'));
    await opened();
    await toStep(3);
    file('own.layer.ts', scaled('[1]'));
    const count = engine.frames.length;
    expect(await engine.client.calls.reload()).toMatchObject({ ok: true, restarted: 'The layers have other parameters now, so the run began anew.' });
    await engine.until(() => engine.frames.length > count);
    expect(engine.last?.position.step).toBe(0);
  });

  it('leaves the old code running where the new does not load', async () => {
    file('own.layer.ts', SILU);
    await opened();
    await toStep(3);
    file('own.layer.ts', 'export default { forward( };');
    const problem = refused(await engine.client.calls.reload());
    expect(problem.place).toMatchObject({ line: 1 });
    await toStep(6);
  });

  it('rests in the phase that the new code fails in, with a way on', async () => {
    file('own.layer.ts', SILU);
    await opened();
    await toStep(3);
    file('own.layer.ts', 'export default {\n  forward({ x }) {\n    throw new Error("not yet");\n  },\n};');
    const count = engine.frames.length;
    expect(await engine.client.calls.reload()).toMatchObject({ ok: true });
    await engine.until(() => engine.faults.length > 0 && engine.frames.length > count);
    expect(engine.faults[0]).toMatchObject({ layer: 'own1', call: 'forward', place: { line: 3, column: 11 } });
    expect(engine.last?.position).toEqual({ step: 2, phase: 2 });
    file('own.layer.ts', SILU);
    expect(await engine.client.calls.reload()).toMatchObject({ ok: true });
    await toStep(5);
  });
});
