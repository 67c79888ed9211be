// Messages use the singular for one and the plural for more.
import { it } from 'vitest';
import { loadRun, parseSpec } from '../../src/model-spec';
import { noFiles } from '../support/data-files';
import { expectMentions } from './marked-text';

const line = { type: 'inline', inputs: [[1], [2]], targets: [[1], [2]] };
const spec = (change: object): object => ({
  data: line,
  layers: [{ type: 'linear', out_features: 1 }],
  loss: 'mse',
  optimizer: { type: 'sgd', lr: 0.1 },
  ...change,
});
const messages = (of: object): string[] => {
  const text = JSON.stringify(of);
  const { problems } = loadRun(text, noFiles);
  return (problems.length > 0 ? problems : parseSpec(text).problems).map(({ message }) => message);
};

it.each([
  [spec({ data: { ...line, split: { validation: 0.4, test: 0.4 } } }), ['2 samples', '1 is ']],
  [spec({ data: { ...line, inputs: [[1]], targets: [[1]], split: { validation: 0.5 } } }), ['1 sample,']],
  [spec({ layers: [{ type: 'linear', out_features: 2, weight: [[1]] }] }), ['1 row ', '2 units']],
  [spec({ layers: [{ type: 'linear', out_features: 1, weight: [[1], [2]] }] }), ['2 rows', '1 unit.']],
  [
    spec({ layers: [{ type: 'linear', out_features: 2, in_features: 2, weight: [[1], [2]] }] }),
    ['1 number ', '2 inputs'],
  ],
  [spec({ layers: [{ type: 'linear', out_features: 2, bias: [1] }] }), ['1 bias ', '2 units']],
])('%j', (of, mentions) => {
  const [first] = messages(of);
  expectMentions(first, mentions);
});
