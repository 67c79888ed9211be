// Custom layers that misbehave outside of their functions, or on purpose. Those that take long are left out.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADVERSARIAL_LAYERS } from '../support/adversarial-layers';
import { attack, judge, referenceLoss } from './adversary';
import { type BuiltEngine, buildEngine } from './built-engine';

let built: BuiltEngine;
/** Of a layer that does nothing wrong. A hook would have less time than a test. */
let loss: number | null = null;

beforeAll(async () => {
  built = await buildEngine();
});

afterAll(() => built.remove());

it.each(ADVERSARIAL_LAYERS.filter(({ isSlow }) => !isSlow))('a layer that $name', async (kind) => {
  loss ??= await referenceLoss(built.file);
  expect(judge(kind, await attack(built.file, kind), loss)).toBeNull();
});
