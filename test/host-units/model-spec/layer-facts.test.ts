// Shapes and parameters of layers, from the text alone or from the run.
import { describe, expect, it } from 'vitest';
import { analyzeSpec } from '../../../src/host/model-spec/analyze-spec';
import { countParameters, groupByRange, layerFacts } from '../../../src/host/model-spec/layer-facts';
import { createSession } from '../../support/session-fixtures';

const spec = (layers: unknown[], data: unknown = 'circles'): object => ({ data, layers, loss: 'cross_entropy' });
const linear = (out_features: number, more: object = {}): object => ({ type: 'linear', out_features, ...more });
const factsOf = (text: object, model = null) => layerFacts(analyzeSpec(JSON.stringify(text)), model);

describe('the facts of layers', () => {
  it('follow from the text', () => {
    const facts = factsOf(spec([linear(3), 'tanh', linear(2, { bias: false })]));
    expect(facts.map(({ layer, outputShape }) => [layer.name, outputShape])).toEqual([
      ['linear1', [3]],
      ['tanh1', [3]],
      ['linear2', [2]],
    ]);
    expect(facts.map(countParameters)).toEqual([9, 0, 6]);
  });

  it('of the copies of a repeated layer are one group', () => {
    const facts = factsOf(spec([{ type: 'repeat', times: 3, layers: [linear(2), 'tanh'] }]));
    const groups = groupByRange(facts);
    expect(groups.map((group) => group.map(({ layer }) => layer.name))).toEqual([
      ['linear1', 'linear2', 'linear3'],
      ['tanh1', 'tanh2', 'tanh3'],
    ]);
  });

  it('come from the run where the data is in a file, and only from a run of the same layers', () => {
    const inFile = { type: 'csv', path: 'a.csv', target: 'y' };
    const analysis = analyzeSpec(JSON.stringify(spec([linear(2)], inFile)));
    expect(layerFacts(analysis, null)).toEqual([]);
    const { model } = createSession(spec([linear(2)]));
    expect(layerFacts(analysis, model).map(countParameters)).toEqual([6]);
    const other = analyzeSpec(JSON.stringify(spec([linear(2), 'tanh'], inFile)));
    expect(layerFacts(other, model)).toEqual([]);
  });

  it('do not count shared parameters twice', () => {
    const facts = factsOf(spec([linear(2, { name: 'a' }), linear(2, { share: 'a' })]));
    expect(facts.map(countParameters)).toEqual([6, 0]);
  });

  it('are none for a text with errors', () => {
    expect(factsOf(spec([linear(-1)]))).toEqual([]);
  });
});
