// The first NaN or infinity of a run is named exactly, wherever it arises: layer, tensor, index, step and phase, or the
// place in the data. bench/non-finite.bench.ts does the same a thousand times.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { locateNonFinite } from '../../src/session/locate-non-finite';
import { dataInjection, inject, injection, loadInjectedData } from '../support/non-finite-injections';

it('is found where it was written', () => {
  let found = 0;
  fc.assert(
    fc.property(injection, (planted) => {
      const { session, expected } = inject(planted);
      while (session.position.step < session.totalSteps && Number.isFinite(session.loss ?? 0)) session.step();
      const located = locateNonFinite(session);
      // A unit whose output is 0 may hide it from everything that comes after.
      if (!located) return;
      found++;
      const { step, phase, where, tensor, index, value } = located;
      expect({ step, phase, where, tensor, index, value }).toEqual(expected);
    }),
    { numRuns: 60 },
  );
  expect(found).toBeGreaterThan(50);
});

it('is found in the data, and never blamed on a layer', () => {
  fc.assert(
    fc.property(dataInjection, (planted) => {
      const { run, problems, file, index } = loadInjectedData(planted);
      expect(run).toBeUndefined();
      expect(problems).toHaveLength(1);
      expect(problems[0].message).toContain(file);
      expect(problems[0].message).toContain(index);
    }),
    { numRuns: 60 },
  );
});
