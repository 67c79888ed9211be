// Specs checked for Test Explorer by a real engine process: at the start, after N steps, one after the other,
// cancelled.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OpenRequest } from '../../src/protocol/engine';
import { SpecChecker, type CheckOutcome } from '../../src/test-explorer/spec-checker';
import { type BuiltEngine, buildEngine } from '../process/built-engine';
import { checkNet } from '../gradcheck/nets';
import { createSession, smallSpec } from '../support/session-fixtures';

let built: BuiltEngine;
let engine: SpecChecker;

beforeAll(async () => {
  built = await buildEngine();
});

afterEach(() => engine?.dispose());
afterAll(() => built.remove());

const request = (spec: object): OpenRequest => ({ text: JSON.stringify(spec), folder: '', root: null });

function start(): SpecChecker {
  engine = new SpecChecker({ engineFile: built.file, onOutput: () => undefined });
  return engine;
}

function checked(outcome: CheckOutcome): Extract<CheckOutcome, { kind: 'checked' }> {
  if (outcome.kind !== 'checked') throw new Error(JSON.stringify(outcome));
  return outcome;
}

/** Its check takes long enough to be interrupted. */
const large = {
  ...smallSpec,
  layers: [
    { type: 'linear', out_features: 900 },
    'tanh',
    { type: 'linear', out_features: 900 },
    'tanh',
    { type: 'linear', out_features: 2 },
  ],
};

describe('a check for Test Explorer', () => {
  it('uses the initial weights, and is reproducible', async () => {
    const shares: number[] = [];
    const first = checked(await start().check(request(smallSpec), (share) => shares.push(share)));
    expect(first.reports.map(({ step, complete, passed }) => ({ step, complete, passed }))).toEqual([
      { step: 0, complete: true, passed: true },
    ]);
    const session = createSession(smallSpec);
    expect(first.reports[0].parameters).toEqual(
      checkNet({ network: session.network, pass: session.passToCheck() }, session.run.gradientCheck).parameters,
    );
    const again = checked(await engine.check(request(smallSpec), () => undefined));
    expect(again.reports).toEqual(first.reports);
    expect(shares.length).toBeGreaterThan(0);
    expect(shares.every((share) => share > 0 && share <= 1)).toBe(true);
  });

  it('is repeated at the steps that the spec schedules, with the weights of those steps', async () => {
    const spec = { ...smallSpec, gradient_check: { every: 7 } };
    const { reports, diverged } = checked(await start().check(request(spec), () => undefined));
    expect(diverged).toBeNull();
    expect(reports.map(({ step }) => step)).toEqual([0, 7]);
    const session = createSession(spec);
    for (let i = 0; i < 7; i++) session.step();
    const { network, position } = session;
    const expected = checkNet({ network, pass: session.passToCheck() }, session.run.gradientCheck);
    expect(position.step).toBe(7);
    expect(reports[1].loss).toBe(expected.loss);
    expect(reports[1].parameters.map(({ worst }) => worst)).toEqual(expected.parameters.map(({ worst }) => worst));
  });

  it('says where training diverged before a scheduled check', async () => {
    const spec = {
      data: { type: 'inline', inputs: [[1], [2]], targets: [[1], [3]] },
      layers: [{ type: 'linear', weight: [[1]], bias: [0] }],
      loss: 'mse',
      optimizer: { type: 'sgd', lr: 1e6 },
      batch_size: 2,
      epochs: 1000,
      gradient_check: { every: 500 },
    };
    const { reports, diverged } = checked(await start().check(request(spec), () => undefined));
    expect(reports).toHaveLength(1);
    expect(diverged?.step).toBeGreaterThan(1);
    expect(diverged?.step).toBeLessThan(500);
  });

  it('of a spec with problems returns them, and the next spec is checked all the same', async () => {
    const outcome = await start().check(request({ ...smallSpec, loss: 'mze' }), () => undefined);
    expect(outcome).toMatchObject({ kind: 'problems', problems: [{ code: 'unknown-loss' }] });
    expect(checked(await engine.check(request(smallSpec), () => undefined)).reports[0].passed).toBe(true);
  });

  it('stops at once when cancelled', async () => {
    const begun = new Promise<void>((resolve) => {
      const outcome = start().check(request(large), () => resolve());
      void outcome.then(({ kind }) => expect(kind).toBe('stopped'));
    });
    await begun;
    await engine.dispose();
    expect(await engine.check(request(smallSpec), () => undefined)).toEqual({ kind: 'stopped' });
  });

  it('says why the engine died, and starts another one for the next spec', async () => {
    const pids: number[] = [];
    const death = start().check(request(large), () => {
      const { processId } = engine;
      if (processId !== undefined && !pids.includes(processId)) {
        pids.push(processId);
        process.kill(processId, 'SIGKILL');
      }
    });
    expect(await death).toEqual({
      kind: 'failed',
      reason: 'The engine was killed from outside. The system does that when memory runs out.',
    });
    expect(pids).toHaveLength(1);
    expect((await engine.describe(request(smallSpec)))?.parameterCount).toBe(22);
  });
});
