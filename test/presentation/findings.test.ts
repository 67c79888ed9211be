// Which finding matters most at a step: the first cause of what holds there.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mainFinding } from '../../src/presentation/findings';
import { holdsAt, type RunFinding } from '../../src/protocol/finding';

const finding = (code: string, since: number, until: number | null): RunFinding => ({
  code,
  layer: null,
  since,
  until,
  observation: code,
  remedy: '',
});

const mainCode = (findings: readonly RunFinding[], step: number): string | undefined =>
  mainFinding(findings, step)?.code;

describe('the main finding', () => {
  const tooLarge = finding('update-too-large', 1, 7);
  const dead = finding('dead-units', 7, null);

  it('is the cause of what holds, also when the cause is over', () => {
    expect(mainCode([tooLarge, dead], 400)).toBe('update-too-large');
    expect(mainCode([tooLarge, dead], 3)).toBe('update-too-large');
  });

  it('is not an earlier finding that was over before', () => {
    expect(mainCode([tooLarge, finding('overfitting', 300, null)], 400)).toBe('overfitting');
  });

  it('follows a chain of causes', () => {
    const chain = [finding('a', 1, 10), finding('b', 9, 50), finding('c', 48, null)];
    expect(mainCode(chain, 60)).toBe('a');
  });

  it('accepts the distance of two observations between cause and effect', () => {
    // Steps 64 to 127 are observed every eighth step.
    expect(mainCode([finding('a', 8, 96), finding('b', 104, null)], 200)).toBe('a');
    expect(mainCode([finding('a', 8, 80), finding('b', 104, null)], 200)).toBe('b');
  });

  it('is null exactly if nothing holds, and never begins after the step', () => {
    const findings = fc
      .array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.option(fc.nat(100))))
      .map((all) =>
        all
          .map(([since, length], i) => finding(String(i), since, length === null ? null : since + length))
          .sort((a, b) => a.since - b.since),
      );
    fc.assert(
      fc.property(findings, fc.integer({ min: 0, max: 250 }), (all, step) => {
        const main = mainFinding(all, step);
        const current = all.filter((each) => holdsAt(each, step));
        expect(main === null).toBe(current.length === 0);
        if (main) expect(main.since).toBeLessThanOrEqual(Math.min(...current.map(({ since }) => since)));
      }),
    );
  });
});
