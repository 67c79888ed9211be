// The tree of a spec in Test Explorer: its layers in order with their lines, and the gradients that are checked.
import { describe, expect, it } from 'vitest';
import { analyzeSpec } from '../../src/host/model-spec/analyze-spec';
import { checkId, buildSpecTree, buildSpecTreeTask, isSameLayer } from '../../src/test-explorer/spec-tree';

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
  it('is a tree of its layers with their parameters and input gradients', () => {
    const { isValid, isComplete, errors, layers } = buildSpecTree(TEXT);
    expect({ legible: isValid, complete: isComplete, errors }).toEqual({ legible: true, complete: true, errors: [] });
    expect(
      layers.map(({ label, range, checks }) => [label, range.start.line, range.end.line, checks.map(({ id }) => id)]),
    ).toEqual([
      ['hidden', 3, 3, ['parameter weight', 'parameter bias']],
      ['tanh1', 4, 4, ['input']],
      ['linear2', 5, 7, ['parameter weight', 'input']],
      ['loss', 9, 9, ['prediction']],
    ]);
    expect(layers[1].range).toEqual({ start: { line: 4, column: 4 }, end: { line: 4, column: 10 } });
  });

  it('is built from an analysis, in pieces, without another one', () => {
    const task = buildSpecTreeTask(analyzeSpec(TEXT));
    const pieces: string[] = [];
    for (;;) {
      const { done, value } = task.next();
      if (done) {
        expect(value).toEqual(buildSpecTree(TEXT));
        break;
      }
      pieces.push(value);
    }
    expect(pieces.length).toBeGreaterThanOrEqual(3);
  });

  it('is compared layer by layer, so that only what has changed is shown again', () => {
    const { layers } = buildSpecTree(TEXT);
    const changesOf = (text: string): boolean[] =>
      buildSpecTree(text).layers.map((layer, i) => !isSameLayer(layers[i], layer));
    expect(changesOf(TEXT)).toEqual([false, false, false, false]);
    expect(changesOf(TEXT.replace('cross_entropy', 'multi_margin'))).toEqual([false, false, false, true]);
    expect(changesOf(TEXT.replace('"tanh"', '"relu"'))).toEqual([false, true, false, false]);
    expect(changesOf(TEXT.replace('"bias": false', '"bias": true'))).toEqual([false, false, true, false]);
    expect(changesOf(TEXT.replace('"tanh",', '\n"tanh",'))).toEqual([false, true, true, true]);
  });

  it('has a case for a custom penalty', () => {
    const text = TEXT.replace('"cross_entropy"', '"cross_entropy",\n  "penalty": { "module": "./own.penalty.ts" }');
    const { customLayers, layers } = buildSpecTree(text);
    expect(customLayers).toEqual(['the penalty']);
    expect(layers.at(-1)).toMatchObject({ label: 'penalty', range: { start: { line: 10 } } });
  });

  it('distinguishes a parameter called input from the input gradient', () => {
    expect(checkId('input', 'swish1.input')).not.toBe(checkId('input', null));
  });

  it('shows the errors of its text with their positions', () => {
    const { isValid, layers, errors } = buildSpecTree(TEXT.replace('tanh', 'tanhh'));
    expect({ legible: isValid, layers }).toEqual({ legible: false, layers: [] });
    expect(errors).toEqual([
      {
        message: 'There is no layer "tanhh". Did you mean "tanh"?',
        range: { start: { line: 4, column: 4 }, end: { line: 4, column: 11 } },
      },
    ]);
  });

  it('has layers without checks if their inputs depend on a file', () => {
    const { isComplete, layers } = buildSpecTree(
      TEXT.replace('"circles"', '{ "type": "csv", "path": "a.csv", "target": "y" }'),
    );
    expect(isComplete).toBe(false);
    expect(layers.map(({ label, checks }) => [label, checks.length])).toEqual([
      ['hidden', 0],
      ['tanh1', 0],
      ['linear2', 0],
      ['loss', 0],
    ]);
  });
});
