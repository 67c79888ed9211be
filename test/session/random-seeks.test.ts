// Going back is exact: a sample of `npm run campaign`.
import { expect, it } from 'vitest';
import { checkSeeks } from '../support/random-seeks';

const RUNS = 24;
const SEEKS = 10;

it('every seek gives the state of a straight run, bit for bit', () => {
  for (let index = 0; index < RUNS; index++) expect(checkSeeks(30, index, SEEKS)).toBeNull();
});
