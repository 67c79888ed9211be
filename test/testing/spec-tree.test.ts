// What Test Explorer shows of a spec: its layers in order, each at its lines, with the gradients that are checked.
import { describe, expect, it } from 'vitest';
import { checkId, treeOf } from '../../src/testing/spec-tree';

const TEXT = `{
  "data": "circles",
  "layers": [
    { "type": "linear", "out_features": 4, "name": "hidden" },
    "tanh",
    {
      "type": "linear", "out_features": 2, "bias": false
    }
  ],
  "loss": "cross_entropy"
}`;

describe('a spec in Test Explorer', () => {
  it('is a tree of its layers, each with its parameters and what it hands back', () => {
    const { legible, complete, errors, layers } = treeOf(TEXT);
    expect({ legible, complete, errors }).toEqual({ legible: true, complete: true, errors: [] });
    expect(layers.map(({ label, place, checks }) => [label, place.start.line, place.end.line, checks.map(({ id }) => id)])).toEqual([
      ['hidden', 3, 3, ['parameter weight', 'parameter bias']],
      ['tanh1', 4, 4, ['input']],
      ['linear2', 5, 7, ['parameter weight', 'input']],
      ['loss', 9, 9, ['prediction']],
    ]);
    expect(layers[1].place).toEqual({ start: { line: 4, column: 4 }, end: { line: 4, column: 10 } });
  });

  it('tells a parameter called input from what is handed back', () => {
    expect(checkId('input', 'swish1.input')).not.toBe(checkId('input', null));
  });

  it('says what is wrong with its text, where', () => {
    const { legible, layers, errors } = treeOf(TEXT.replace('tanh', 'tanhh'));
    expect({ legible, layers }).toEqual({ legible: false, layers: [] });
    expect(errors).toEqual([{ message: 'There is no layer "tanhh". Did you mean "tanh"?', place: { start: { line: 4, column: 4 }, end: { line: 4, column: 11 } } }]);
  });

  it('has layers without checks where only a file says what comes in', () => {
    const { complete, layers } = treeOf(TEXT.replace('"circles"', '{ "type": "csv", "path": "a.csv", "target": "y" }'));
    expect(complete).toBe(false);
    expect(layers.map(({ label, checks }) => [label, checks.length])).toEqual([['hidden', 0], ['tanh1', 0], ['linear2', 0], ['loss', 0]]);
  });
});
