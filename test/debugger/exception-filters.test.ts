// The exception filters name rules of runs that exist.
import { expect, it } from 'vitest';
import { exceptionFilters } from '../../src/debugger/exception-filters';
import { runRules } from '../../src/diagnostics/run';

it('the filters name rules that exist, and read their conditions', () => {
  const places = exceptionFilters.map(({ place }) => place?.(''));
  const codes = places.flatMap((place) => (typeof place === 'object' && 'findings' in place ? place.findings : []));
  expect(codes.length).toBeGreaterThan(3);
  expect(runRules.map(({ id }) => id)).toEqual(expect.arrayContaining(codes));
  const check = exceptionFilters.find(({ supportsCondition }) => supportsCondition)!.place!;
  expect([check(''), check(' 20 ')]).toEqual([{ checkEvery: null }, { checkEvery: 20 }]);
  for (const condition of ['0', '-1', '1.5', 'often']) expect(typeof check(condition)).toBe('string');
});
