// The searches of "When did this start?" read as the language does.
import { describe, expect, it } from 'vitest';
import { bindExpression, parseRunQuery } from '../../src/expressions';
import { sinceEntryQuery, sinceLevelQuery } from '../../src/presentation/since-query';

/** Whether the search would stop at a step with this value. */
function stopsAt(query: string, value: number): boolean {
  const search = parseRunQuery(query);
  if (search.kind !== 'last') throw new Error(`${query} is no search for the last step`);
  const bound = bindExpression(search.condition, { resolve: () => ({ kind: 'number', read: () => value }) });
  bound.prepare();
  return bound.at(0) === 1;
}

describe('the search for the start of a value', () => {
  it.each<[value: number, within: number[], outside: number[]]>([
    [0.7, [0.36, 0.7, 1.39], [0.34, 1.41, -0.7]],
    [-3e-9, [-5.9e-9, -1.6e-9], [-6.1e-9, -1.4e-9, 3e-9]],
    [0, [0], [1e-30, -1]],
    [Infinity, [Infinity, NaN], [1e300]],
  ])('%s', (value, within, outside) => {
    const query = sinceLevelQuery('loss', value);
    expect(within.map((each) => stopsAt(query, each))).toEqual(within.map(() => false));
    expect(outside.map((each) => stopsAt(query, each))).toEqual(outside.map(() => true));
  });

  it('compares NaN and signs with the step before', () => {
    expect(parseRunQuery(sinceLevelQuery('loss', NaN))).toMatchObject({ kind: 'last' });
    expect(parseRunQuery(sinceEntryQuery('layer("a b").weight[0, 1]'))).toMatchObject({ kind: 'last' });
  });
});
