// Whatever a layer of the user's own does: it is named, this process lives, and the run goes on from where it was.
// `npm run bench -- misbehaviour` does each a hundred times, and measures how soon.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltEngine, buildEngine } from './built-engine';
import { misbehave } from './misbehaviour';
import { MISBEHAVIOURS } from '../support/misbehaviours';

let built: BuiltEngine;

beforeAll(async () => {
  built = await buildEngine();
});

afterAll(() => built.remove());

describe('a layer that', () => {
  it.each(MISBEHAVIOURS)('$name is named with its file, and the run can go on', async (kind) => {
    const { fault, file, exits, from, to } = await misbehave(built.file, kind, () => 0);
    expect(fault).toMatchObject({ layer: 'own1', call: 'forward', place: { file } });
    expect(fault?.message).toMatch(/^The forward pass of own1 /);
    expect(fault?.message).toMatch(kind.words);
    expect(exits).toHaveLength(kind.ends ? 1 : 0);
    expect(from).toBeGreaterThanOrEqual(5);
    expect(to).toBe(from + 10);
  });
});
