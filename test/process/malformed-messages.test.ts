// Damaged streams and malformed requests: samples of `npm run campaign`.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BuiltEngine, buildEngine, TestEngine } from './built-engine';
import { checkFrames } from './malformed-frames';
import { checkRequest } from './malformed-requests';

let built: BuiltEngine;

beforeAll(async () => {
  built = await buildEngine();
});

afterAll(() => built.remove());

it('a damaged stream never throws, and delivers nothing that was not sent before the damage', async () => {
  for (let index = 0; index < 300; index++) expect(await checkFrames(50, index)).toBeNull();
});

it('a query that fails in a frame leaves the engine alive, and is logged once', async () => {
  const engine = new TestEngine(built.file);
  await engine.open(
    '{ "data": "circles", "layers": [{ "type": "linear", "out_features": 2 }], "loss": "cross_entropy" }',
  );
  await engine.client.calls.subscribe([], [[{ type: 'nothing' } as never, null as never]]);
  await engine.client.calls.command({ type: 'runToStep', step: 5 });
  await engine.until(() => engine.last?.position.step === 5 && engine.last.target === null);
  expect(engine.exits).toEqual([]);
  expect(engine.last?.queryResults.map(({ value }) => value)).toEqual([null, null]);
  expect(engine.logLines.filter((line) => line.startsWith('error null: A view cannot be computed'))).toHaveLength(2);
  await engine.client.dispose();
});

it('every malformed request settles, and the engine goes on', async () => {
  const engine = new TestEngine(built.file);
  await engine.open(
    '{ "data": "circles", "layers": ["tanh", { "type": "linear", "out_features": 2 }], "loss": "cross_entropy" }',
  );
  for (let index = 0; index < 200; index++) expect(await checkRequest(engine, 60, index)).toBeNull();
  await engine.client.dispose();
});
