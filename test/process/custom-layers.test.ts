// Custom layers in the real engine process: loaded from real files, run, reloaded, rejected.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newLayerTemplate } from '../../src/host/templates';
import type { OpenRequest, OpenResult } from '../../src/protocol/engine';
import { type BuiltEngine, buildEngine, TestEngine } from './built-engine';

let built: BuiltEngine;
let folder: string;
let engine: TestEngine;

beforeAll(async () => {
  built = await buildEngine();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nablascope-layers-'));
  engine = new TestEngine(built.file);
});

afterEach(async () => {
  await engine.client.dispose();
  rmSync(folder, { recursive: true, force: true });
});

afterAll(() => built.remove());

const file = (name: string, text: string): void => writeFileSync(join(folder, name), text);

const spec = (middle: object = { type: 'custom', module: './own.layer.ts' }): string =>
  JSON.stringify({
    data: 'circles',
    precision: 'float64',
    seed: 3,
    layers: [{ type: 'linear', out_features: 4 }, middle, { type: 'linear', out_features: 2 }],
    loss: 'cross_entropy',
  });

const open = (request: Partial<OpenRequest> = {}): Promise<OpenResult> =>
  engine.client.calls.open({ text: spec(), folder, root: folder, allowCustomLayers: true, ...request });

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

/** The same network with the built-in layer instead of the custom one. */
const SILU = 'export default { forward: ({ x, ops }) => ops.multiply(x, ops.sigmoid(x)) };';
const TANH = 'export default { forward: ({ x, ops }) => ops.tanh(x) };';

describe('a custom layer', () => {
  it('trains like the built-in layer of the same formula', async () => {
    file('own.layer.ts', SILU);
    await opened();
    await toStep(20);
    const own = engine.last?.loss;
    await opened({ text: spec({ type: 'silu' }) });
    await toStep(20);
    expect(own).toBeCloseTo(engine.last?.loss ?? NaN, 12);
  });

  it('supports types, parameters, options and helpers in separate files', async () => {
    file('helper.ts', 'export const twice = (n: number): number => 2 * n;');
    file(
      'own.layer.ts',
      `
import type { Layer } from './nablascope.d.ts';
import { twice } from './helper.ts';

export default {
  parameters: ([inputs]: readonly number[], { start }: { start: number }) => ({ slope: { shape: [inputs], values: Array(inputs).fill(twice(start)) } }),
  forward: ({ x, parameters, ops }) => ops.multiply(x, parameters.slope),
} satisfies Layer<{ start: number }>;
`,
    );
    const { model } = await opened({
      text: spec({ type: 'custom', module: './own.layer.ts', options: { start: 0.5 } }),
    });
    expect(model.layers[1]).toMatchObject({
      name: 'own1',
      kind: 'custom',
      parameters: [{ name: 'own1.slope', shape: [4] }],
    });
    const report = await engine.client.calls.check();
    expect(report).toMatchObject({ passed: true, complete: true, counts: { wrong: 0 } });
    expect(report.checked).toBe(12 + 4 + 10);
  });

  it.each([
    ['an export on a line of its own', `import { one } from './helper.ts';\nvoid one;\n${SILU}`],
    ['an export after other code', `console.log('require("x")'); ${SILU}`],
    ['a wait at its top level', `const silu = await Promise.resolve(0);\n${SILU}`],
    ['an import of code without exports', `import './effect.ts'; ${SILU}`],
    ['CommonJS behind an import', `import old from './old.js'; export default old;`],
  ])('is an ES module, whatever a package.json above it says: %s', async (_, text) => {
    file('package.json', '{ "type": "commonjs" }');
    file('helper.ts', 'export const one: number = 1;');
    file('effect.ts', 'await Promise.resolve();');
    file('old.js', SILU.replace('export default', 'module.exports ='));
    file('own.layer.ts', text);
    await opened();
    await toStep(2);
  });

  it('does not run without permission', async () => {
    file('own.layer.ts', `import fs from 'node:fs'; fs.writeFileSync(${stringify(join(folder, 'ran'))}, ''); ${SILU}`);
    const problem = refused(await open({ allowCustomLayers: false }));
    expect(problem.code).toBe('code-not-allowed');
    expect(problem.message).toContain('own1');
    expect(() => rmSync(join(folder, 'ran'))).toThrow('ENOENT');
  });

  it('logs under its name', async () => {
    file(
      'own.layer.ts',
      'console.warn("loaded", { a: 1 }); export default { forward: ({ x, ops }) => { console.log("shape", x.shape); return ops.exp(x); } };',
    );
    await opened();
    await engine.until(() => engine.logLines.length > 1);
    expect(engine.logLines[0]).toBe('warn own1: loaded { a: 1 }');
    expect(engine.logLines[1]).toMatch(/^info own1: shape \[ \d+, 4 \]$/);
  });
});

describe('the file of a new layer', () => {
  it.each([
    ['ts', true],
    ['mjs', false],
  ] as const)('works as it is, and with its backward: %s', async (ending, typescript) => {
    const text = newLayerTemplate(`own.layer.${ending}`, typescript);
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
    [
      'an enum',
      'const a: number = 1;\n  enum Kind { A, B }\nexport default { forward: ({ x }) => x };',
      2,
      3,
      /enum is not supported/,
    ],
    [
      'a slip of syntax',
      '\nexport default { forward({ x }) { return x +; } };',
      2,
      45,
      /cannot be read: Expression expected/,
    ],
    [
      'an import that is not there',
      '\n\nimport { a } from "./nothing.ts";\nexport default { forward: a };',
      3,
      22,
      /Cannot find module/,
    ],
    [
      'an exception',
      'interface A { a: 1 }\nfunction inner(): never {\n  throw new TypeError("bad thing");\n}\ninner();\nexport default {};',
      3,
      9,
      /threw TypeError while it was loaded: bad thing/,
    ],
    ['no default export', 'export const a = 1;', null, null, /has no default export/],
    ['no forward', 'export default { backward() {} };', null, null, /exports a layer without "forward"/],
    [
      'a wrong shape',
      'export default {\n  outputShape: () => [0, "a"],\n  forward: ({ x }) => x,\n};',
      2,
      16,
      /"outputShape" of own1 .*\[0, a\]/,
    ],
    [
      'parameters that are none',
      'export default {\n  parameters() { return { w: { shape: [2], values: [1] } }; },\n  forward: ({ x }) => x,\n};',
      2,
      3,
      /parameter "w" .* fill 2/,
    ],
  ])('is said at its line: %s', async (_, text, line, column, message) => {
    file('own.layer.ts', text);
    const problem = refused(await open());
    expect(problem.message).toMatch(message);
    expect(problem.place).toEqual({ file: join(folder, 'own.layer.ts'), line, column });
    const source = spec();
    expect(source.slice(problem.start, problem.end)).toContain('./own.layer.ts');
  });

  it('is reported at the path that the user knows, if a link leads to it', async () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'work'));
    file('real/helper.ts', 'throw new Error("no");');
    file('real/own.layer.ts', 'import "./helper.ts";');
    const work = join(folder, 'work');
    expect(refused(await open({ folder: work, root: work })).place).toEqual({
      file: join(work, 'helper.ts'),
      line: 1,
      column: 7,
    });
  });

  it('is reported if it is outside the workspace or missing', async () => {
    expect(refused(await open()).message).toBe('There is no file "./own.layer.ts".');
    expect(refused(await open({ text: spec({ type: 'custom', module: '/etc/hosts' }) })).message).toMatch(
      /outside the workspace/,
    );
  });

  it('leaves the current run unchanged', async () => {
    await opened({ text: spec({ type: 'silu' }) });
    await toStep(3);
    file('own.layer.ts', 'while (true) {}');
    const problem = refused(await open());
    expect(problem.message).toMatch(/^Loading the file of own1 .* within \d/);
    await toStep(5);
    expect(engine.exits).toEqual([]);
  });

  it('is given up if it waits forever', async () => {
    file('own.layer.ts', 'await new Promise(() => {}); export default {};');
    expect(refused(await open()).message).toBe('own.layer.ts did not finish loading within 3 s.');
  });
});

describe('reloading a layer', () => {
  it('keeps the weights and repeats the last step', async () => {
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
    // Steps of the old code cannot be reached any more, later ones can.
    await expect(engine.client.calls.command({ type: 'seek', step: 2 })).rejects.toThrow(
      'before the code of a layer was reloaded',
    );
    await toStep(9);
    const there = engine.last?.loss;
    await engine.client.calls.command({ type: 'seek', step: 7 });
    await toStep(9);
    expect(engine.last?.loss).toBe(there);
  });

  it('gives the same result for the same code', async () => {
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

  it('detects changes in an imported file', async () => {
    file('helper.ts', 'export const factor: number = 1;');
    file(
      'own.layer.ts',
      'import { factor } from "./helper.ts"; export default { forward: ({ x, ops }) => ops.multiply(x, factor) };',
    );
    await opened();
    await toStep(2);
    const before = engine.last?.loss;
    file('helper.ts', 'export const factor: number = 3;');
    const count = engine.frames.length;
    await engine.client.calls.reload();
    await engine.until(() => engine.frames.length > count);
    expect(engine.last?.loss).not.toBe(before);
  });

  it('starts over if the shapes of parameters changed, and says so', async () => {
    const scaled = (shape: string) =>
      `export default { parameters: () => ({ a: ${shape} }), forward: ({ x, parameters, ops }) => ops.multiply(x, parameters.a) };`;
    file('own.layer.ts', scaled('[4]'));
    await opened();
    await toStep(3);
    file('own.layer.ts', scaled('[1]'));
    const count = engine.frames.length;
    expect(await engine.client.calls.reload()).toMatchObject({
      ok: true,
      restartReason: expect.stringContaining('parameters'),
    });
    await engine.until(() => engine.frames.length > count);
    expect(engine.last?.position.step).toBe(0);
  });

  it('keeps the old code running if the new code cannot be loaded', async () => {
    file('own.layer.ts', SILU);
    await opened();
    await toStep(3);
    file('own.layer.ts', 'export default { forward( };');
    const problem = refused(await engine.client.calls.reload());
    expect(problem.place).toMatchObject({ line: 1 });
    await toStep(6);
  });

  it('many times, with invalid files in between, still names the layer that ends the process', async () => {
    file('own.layer.ts', SILU);
    await opened();
    for (let step = 1; step <= 6; step++) {
      await toStep(step);
      file('own.layer.ts', step % 3 === 0 ? 'export default { forward( };' : step % 2 === 0 ? SILU : TANH);
      expect((await engine.client.calls.reload()).ok).toBe(step % 3 !== 0);
    }
    file(
      'own.layer.ts',
      `let calls = 0;\nexport default { forward({ x, ops }) { if (calls++ > 9) process.kill(process.pid, 'SIGKILL'); return ops.tanh(x); } };`,
    );
    expect(await engine.client.calls.reload()).toMatchObject({ ok: true });
    engine.client.calls.command({ type: 'run' }).catch(() => undefined);
    await engine.until(() => engine.exits.length > 0);
    expect(engine.exitFault).toMatchObject({ layer: 'own1', call: 'forward' });
  });

  it('stays in the phase in which the new code fails, and can continue', async () => {
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

describe('a process that a layer started', () => {
  it('does not delay the report that the engine ended, although it holds its output', async () => {
    const started = join(folder, 'started');
    file(
      'own.layer.ts',
      `import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit', detached: true });
writeFileSync(${stringify(started)}, String(child.pid));
export default { forward({ x, ops }) { process.kill(process.pid, 'SIGKILL'); return ops.tanh(x); } };`,
    );
    try {
      open().catch(() => undefined);
      await engine.until(() => engine.exits.length > 0);
      expect(engine.exits).toHaveLength(1);
    } finally {
      process.kill(Number(readFileSync(started, 'utf8')), 'SIGKILL');
    }
  });
});
