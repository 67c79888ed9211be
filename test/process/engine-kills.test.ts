// A sample of `npm run campaign`.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BuiltEngine, buildEngine } from './built-engine';
import { checkKill } from './engine-kills';

let built: BuiltEngine;

beforeAll(async () => {
  built = await buildEngine();
});

afterAll(() => built.remove());

it.each([0, 1, 2, 3])('a killed engine loses no confirmed change: run %i', async (index) => {
  expect(await checkKill(built.file, 40, index)).toBeNull();
});
