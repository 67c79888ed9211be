// Whatever a custom layer does, it is reported, this process survives, and the run continues from where it was. `npm
// run bench -- misbehavior` runs each kind a hundred times, and measures how soon.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltEngine, buildEngine } from './built-engine';
import { misbehave } from './misbehavior';
import { MISBEHAVING_LAYERS } from '../support/misbehaving-layers';

let built: BuiltEngine;

beforeAll(async () => {
  built = await buildEngine();
});

afterAll(() => built.remove());

describe('a custom layer that', () => {
  it.each(MISBEHAVING_LAYERS)('$name is reported with its file, and the run can continue', async (kind) => {
    const { fault, file, exits, from, to } = await misbehave(built.file, kind, () => 0);
    expect(fault).toMatchObject({ layer: 'own1', call: 'forward', place: { file } });
    expect(fault?.message).toMatch(/^The forward pass of own1 /);
    expect(fault?.message).toMatch(kind.message);
    expect(exits).toHaveLength(kind.endsProcess ? 1 : 0);
    expect(from).toBeGreaterThanOrEqual(5);
    expect(to).toBe(from + 10);
  });
});
