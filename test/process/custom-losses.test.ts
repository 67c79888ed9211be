// A custom loss and a custom penalty in the real engine process: permission, templates, reload, time limit, errors.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newLossTemplate, newPenaltyTemplate } from '../../src/host/templates';
import type { OpenRequest, OpenResult } from '../../src/protocol/engine';
import { type BuiltEngine, buildEngine, TestEngine } from './built-engine';

let built: BuiltEngine;
let folder: string;
let engine: TestEngine;

beforeAll(async () => {
  built = await buildEngine();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nablascope-losses-'));
  engine = new TestEngine(built.file);
});

afterEach(async () => {
  await engine.client.dispose();
  rmSync(folder, { recursive: true, force: true });
});

afterAll(() => built.remove());

const file = (name: string, text: string): void => writeFileSync(join(folder, name), text);

const spec = (changes: object = { loss: { type: 'custom', module: './own.loss.ts' } }): string =>
  JSON.stringify({
    data: 'circles',
    precision: 'float64',
    layers: [{ type: 'linear', out_features: 4 }, 'tanh', { type: 'linear', out_features: 2 }],
    loss: 'cross_entropy',
    ...changes,
  });

const open = (request: Partial<OpenRequest> = {}): Promise<OpenResult> =>
  engine.client.calls.open({ text: spec(), folder, root: folder, allowCustomLayers: true, ...request });

async function opened(text = spec()): Promise<void> {
  const result = await open({ text });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
}

const refused = (result: OpenResult) => {
  if (result.ok) throw new Error('it opened');
  expect(result.problems).toHaveLength(1);
  return result.problems[0]!;
};

const toStep = async (step: number): Promise<void> => {
  await engine.client.calls.command({ type: 'runToStep', step });
  await engine.until(() => engine.last?.position.step === step && engine.last.target === null);
};

const SQUARES = `export default {
  forward({ outputs, targets, ops }) {
    const error = ops.subtract(outputs, targets);
    return ops.mean(ops.multiply(error, error));
  },
};`;

describe('a custom loss', () => {
  it('trains like the built-in one of the same formula', async () => {
    file('own.loss.ts', SQUARES);
    await opened();
    await toStep(20);
    const own = engine.last?.loss;
    await opened(spec({ loss: 'mse' }));
    await toStep(20);
    expect(own).toBeCloseTo(engine.last?.loss ?? NaN, 12);
  });

  it('does not run without permission', async () => {
    file(
      'own.loss.ts',
      `import fs from 'node:fs'; fs.writeFileSync(${JSON.stringify(join(folder, 'ran'))}, ''); ${SQUARES}`,
    );
    const { code, start, end } = refused(await open({ allowCustomLayers: false }));
    expect(code).toBe('code-not-allowed');
    expect(spec().slice(start, end)).toBe('"./own.loss.ts"');
    expect(() => rmSync(join(folder, 'ran'))).toThrow('ENOENT');
  });

  it('that cannot be loaded is reported at its line and in the spec', async () => {
    file('own.loss.ts', '\nexport default { forward({ outputs }) { return outputs +; } };');
    const { code, start, end, place } = refused(await open());
    expect(code).toBe('custom-layer');
    expect(spec().slice(start, end)).toBe('"./own.loss.ts"');
    expect(place).toMatchObject({ file: join(folder, 'own.loss.ts'), line: 2 });
  });

  it('is reloaded: the weights stay, and the last step is repeated', async () => {
    file('own.loss.ts', SQUARES);
    await opened();
    await toStep(7);
    const before = engine.last?.loss ?? NaN;
    file(
      'own.loss.ts',
      SQUARES.replace(
        'return ops.mean(ops.multiply(error, error))',
        'return ops.multiply(3, ops.mean(ops.multiply(error, error)))',
      ),
    );
    const count = engine.frames.length;
    expect(await engine.client.calls.reload()).toMatchObject({ ok: true });
    await engine.until(() => engine.frames.length > count);
    expect(engine.last?.position).toEqual({ step: 7, phase: 0 });
    expect(engine.last?.loss).toBeCloseTo(3 * before, 12);
  });

  it('that throws stops the run in the phase of the loss, at its line', async () => {
    file('own.loss.ts', 'export default {\n  forward({ outputs }) {\n    return outputs.nothing.here;\n  },\n};');
    await opened();
    await engine.client.calls.command({ type: 'runToStep', step: 1 });
    await engine.until(() => engine.faults.length > 0);
    expect(engine.faults[0]).toMatchObject({ layer: 'the loss', call: 'forward', place: { line: 3 } });
  });

  it('that does not return is stopped and named', async () => {
    file('own.loss.ts', 'export default { forward() { for (;;); } };');
    const result = await open();
    const fault = result.ok ? null : result.problems[0];
    expect(fault).toMatchObject({ code: 'custom-layer', place: { file: join(folder, 'own.loss.ts') } });
    expect(fault?.message).toContain('the loss');
  });
});

describe('the files of a new loss and a new penalty', () => {
  /** The same text with its manual backward. */
  const withBackward = (text: string): string => text.replace(/^ {2}\/\/ (?=( {2,}|backward|\}))/gm, '  ');

  it.each([
    ['loss', 'ts'],
    ['loss', 'mjs'],
    ['penalty', 'ts'],
    ['penalty', 'mjs'],
  ] as const)('work as they are, and with their backward: %s, %s', async (role, ending) => {
    const name = `own.${role}.${ending}`;
    const template = (role === 'loss' ? newLossTemplate : newPenaltyTemplate)(name, ending === 'ts');
    const module = `./${name}`;
    const text = spec(role === 'loss' ? { loss: { type: 'custom', module } } : { penalty: { module } });
    file(name, template);
    await opened(text);
    await toStep(3);
    const { loss } = engine.last ?? {};
    const report = await engine.client.calls.check();
    expect(report).toMatchObject({ passed: true, complete: true, counts: { wrong: 0 } });
    expect(withBackward(template)).toMatch(/^ {2}backward\(/m);
    file(name, withBackward(template));
    await opened(text);
    await toStep(3);
    expect(engine.last?.loss).toBeCloseTo(loss ?? NaN, 12);
    const compared = await engine.client.calls.check();
    expect(compared).toMatchObject({ passed: true, complete: true, counts: { wrong: 0 } });
    expect(compared.autograd?.every(({ sentence }) => sentence === null)).toBe(true);
  });
});
