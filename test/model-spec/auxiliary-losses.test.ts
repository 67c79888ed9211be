// Auxiliary losses in a spec: what they stand for, and problems at their places.
import { describe, expect, it } from 'vitest';
import { fingerprintSpec } from '../../src/model-spec/fingerprint';
import { loadRun } from '../../src/model-spec/load';
import { parseSpec } from '../../src/model-spec/parse';
import { noFiles } from '../support/data-files';
import { parseMarkedText } from './marked-text';

const LAYERS =
  '{ "type": "linear", "out_features": 4 }, { "type": "linear", "out_features": 2, "name": "head" }, ' +
  '{ "type": "linear", "out_features": 3, "inputs": ["linear1"] }, { "type": "linear", "out_features": 2 }';

const specOf = (losses: string, layers = LAYERS, data = '"circles"', loss = '"cross_entropy"'): string =>
  `{ "data": ${data}, "layers": [${layers}], "loss": ${loss}, "auxiliary_losses": [${losses}] }`;

describe('auxiliary losses', () => {
  it('take the last output, the targets and a weight of 1 by default', () => {
    const losses =
      '{ "type": "cross_entropy", "input": "head", "loss_weight": 0.3 }, "mse", { "type": "mse", "input": "head" }';
    const { run, problems } = loadRun(specOf(losses), noFiles);
    expect(problems).toEqual([]);
    expect(run?.model.auxiliaryLosses?.map(({ name, layer, weight, target }) => [name, layer, weight, target])).toEqual(
      [
        ['head_loss', 1, 0.3, 'targets'],
        ['linear4_loss2', 3, 1, 'targets'],
        ['head_loss2', 1, 1, 'targets'],
      ],
    );
  });

  it('have names that expressions can read', () => {
    const layers = [
      '{ "type": "linear", "out_features": 2, "name": "my head" }',
      '{ "type": "linear", "out_features": 2, "name": "2.ü", "inputs": ["input"] }',
      '{ "type": "linear", "out_features": 2, "name": "my_head", "inputs": ["input"] }',
    ];
    const losses = '{ "type": "mse", "input": "my head" }, { "type": "mse", "input": "2.ü" }';
    const { spec } = parseSpec(specOf(losses, layers.join(', ')));
    expect(spec?.auxiliaryLosses.map(({ name }) => name)).toEqual(['my_head_loss2', '_2_ü_loss']);
  });

  it('change the trajectory of a run', () => {
    const trajectoryOf = (losses: string) => {
      const { spec, problems } = parseSpec(specOf(losses));
      if (!spec) throw new Error(problems[0].message);
      return fingerprintSpec(spec).trajectory;
    };
    const once = trajectoryOf('{ "type": "cross_entropy", "input": "head" }');
    expect(trajectoryOf('{ "input": "head", "loss_weight": 1, "type": "cross_entropy" }')).toBe(once);
    expect(trajectoryOf('{ "type": "cross_entropy", "input": "head", "loss_weight": 0.5 }')).not.toBe(once);
  });

  it.each([
    ['unknown-layer', '{ "type": "cross_entropy", "input": «"haed"» }'],
    ['unknown-loss', '«"cross_entrpy"»'],
    ['out-of-range', '{ "type": "cross_entropy", "input": "head", "loss_weight": «0» }'],
    ['out-of-range', '{ "type": "cross_entropy", "input": "head", "loss_weight": «-1» }'],
    ['unknown-key', '{ "type": "cross_entropy", "input": "head", «"loss_wieght"»: 1 }'],
    ['unknown-value', '{ "type": "mse", "input": "head", "target": «"input"» }'],
    ['duplicate-name', '{ "type": "mse", "input": "head", "name": «"head"» }'],
    ['duplicate-name', '{ "type": "mse", "input": "head", "name": «"penalty"» }'],
    ['unknown-value', '{ "type": "mse", "input": "head", "name": «"my loss"» }'],
    ['unknown-value', '{ "type": "mse", "input": "head", "name": «"head.output"» }'],
    ['unknown-value', '{ "type": "mse", "input": "head", "name": «"2nd"» }'],
    ['loss-mismatch', '{ "type": "mse", "input": "head" }, «{ "type": "cross_entropy", "input": "linear1" }»'],
    [
      'loss-mismatch',
      '{ "type": "mse", "input": "head" }, «{ "type": "cross_entropy", "input": "head", "target": "inputs" }»',
    ],
    [
      'loss-mismatch',
      '{ "type": "mse", "input": "head" }, «{ "type": "mse", "input": "linear1", "target": "inputs" }»',
    ],
    ['loss-mismatch', '«{ "type": "cross_entropy", "input": "head", "weight": [1, 2, 3] }»'],
    ['loss-mismatch', '«{ "type": "cross_entropy", "input": "head", "ignore_index": 1 }»'],
  ])('%s has its place: %s', (code, losses) => {
    const { text, start, end } = parseMarkedText(specOf(losses));
    const found = loadRun(text, noFiles).problems.filter(({ severity }) => severity === 'error');
    expect(found.map((each) => [each.code, each.start, each.end])).toEqual([[code, start, end]]);
  });

  it.each([
    [
      'an output that nothing takes',
      'unused-layer',
      LAYERS.replace(
        '{ "type": "linear", "out_features": 2, "name": "head" }',
        '«{ "type": "linear", "out_features": 2, "name": "head" }»',
      ),
      '',
    ],
    [
      'a head that depends on the prediction',
      'prediction-not-last',
      '«{ "type": "linear", "out_features": 2, "inputs": ["tanh1"], "name": "head" }», ' +
        '{ "type": "linear", "out_features": 2, "inputs": ["input"] }, "tanh"',
      '{ "type": "mse", "input": "head" }, { "type": "mse", "input": "linear2" }',
    ],
  ])('%s', (_what, code, layers, losses) => {
    const { text, start, end } = parseMarkedText(specOf(losses, layers));
    const { problems } = loadRun(text, noFiles);
    expect(problems.map((each) => [each.code, each.start, each.end])).toEqual([[code, start, end]]);
  });

  it('is for classes only where the data has classes', () => {
    const { text, start, end } = parseMarkedText(
      specOf(
        '«{ "type": "nll", "input": "head" }»',
        '{ "type": "linear", "out_features": 1, "name": "head" }, { "type": "linear", "out_features": 1, "inputs": ["input"] }',
        '"noisy_sine"',
        '"mse"',
      ),
    );
    const { problems } = loadRun(text, noFiles);
    expect(problems.map((each) => [each.code, each.start, each.end])).toEqual([['loss-mismatch', start, end]]);
  });
});
