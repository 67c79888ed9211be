// Names from other libraries: the problem suggests the name with the same meaning.
import { describe, expect, it } from 'vitest';
import { applyTextEdit, editSpec } from '../../src/model-spec/edit-spec';
import { parseSpec } from '../../src/model-spec/parse';
import { componentFamilies } from '../../src/model-spec/schema';
import { suggestName } from '../../src/model-spec/name-suggestions';
import { initializers } from '../../src/engine/initializers';
import { specText } from './marked-text';

const replacements = (text: string): (string | undefined)[] =>
  parseSpec(text).problems.map(({ replacement }) => replacement);
const layers = (layer: string): string => specText({ layers: `[${layer}, { "type": "linear", "out_features": 2 }]` });

describe('a name from another library', () => {
  it.each([
    ['dense', 'linear'],
    ['nn.Linear', 'linear'],
    ['torch.nn.Conv2d', 'conv2d'],
    ['Conv2D', 'conv2d'],
    ['MaxPooling2D', 'max_pool2d'],
    ['BatchNormalization', 'batch_norm1d'],
    ['LeakyReLU', 'leaky_relu'],
    ['swish', 'silu'],
    ['fully_connected', 'linear'],
    ['DenseLayer', 'linear'],
  ])('%s is the layer %s', (name, meant) => {
    expect(replacements(layers(`{ "type": "${name}" }`))).toContain(JSON.stringify(meant));
  });

  it.each([
    ['crossentropy', 'cross_entropy'],
    ['CrossEntropyLoss', 'cross_entropy'],
    ['categorical_crossentropy', 'cross_entropy'],
    ['sparse_categorical_crossentropy', 'cross_entropy'],
    ['binary_crossentropy', 'bce'],
    ['BCEWithLogitsLoss', 'bce_with_logits'],
    ['mean_squared_error', 'mse'],
    ['MSELoss', 'mse'],
    ['L1Loss', 'mae'],
    ['SmoothL1Loss', 'huber'],
    ['NLLLoss', 'nll'],
  ])('%s is the loss %s', (name, meant) => {
    expect(replacements(specText({ loss: `"${name}"` }))).toEqual([JSON.stringify(meant)]);
  });

  it.each([
    ['he_normal', 'kaiming_normal'],
    ['he_uniform', 'kaiming_uniform'],
    ['xavier', 'xavier_uniform'],
    ['glorot_uniform', 'xavier_uniform'],
    ['glorot_normal', 'xavier_normal'],
    ['lecun', 'lecun_normal'],
    ['gaussian', 'normal'],
  ])('%s is the initializer %s', (name, meant) => {
    expect(replacements(layers(`{ "type": "linear", "out_features": 4, "init": "${name}" }`))).toEqual([
      JSON.stringify(meant),
    ]);
  });

  it.each([
    ['AdamW', 'adamw'],
    ['Adam', 'adam'],
    ['gradient_descent', 'sgd'],
    ['torch.optim.SGD', 'sgd'],
    ['RMSProp', 'rmsprop'],
  ])('%s is the optimizer %s', (name, meant) => {
    expect(replacements(specText({ optimizer: `"${name}"` }))).toEqual([JSON.stringify(meant)]);
  });

  it.each([
    ['optimizer', '{ "type": "sgd", "learning_rate": 1 }', 'lr'],
    ['optimizer', '{ "type": "adam", "epsilon": 1 }', 'eps'],
    ['layers', '[{ "type": "linear", "units": 2 }]', 'out_features'],
    ['layers', '[{ "type": "linear", "out_features": 2, "use_bias": false }]', 'bias'],
    ['layers', '[{ "type": "linear", "out_features": 2, "kernel_initializer": "zeros" }]', 'init'],
    ['layers', '[{ "type": "dropout", "rate": 0.5 }]', 'p'],
    ['layers', '[{ "type": "conv2d", "filters": 2, "kernel_size": 3 }]', 'out_channels'],
    ['layers', '[{ "type": "conv2d", "out_channels": 2, "kernel_size": 3, "strides": 2 }]', 'stride'],
    ['gradient_check', '{ "tolerance": 1 }', 'rtol'],
  ])('an option of %s: %s is %s', (part, value, meant) => {
    expect(replacements(specText({ [part]: value }))).toContain(JSON.stringify(meant));
  });

  it.each([
    ['num_epochs', 'epochs'],
    ['random_state', 'seed'],
    ['criterion', 'loss'],
    ['lr_scheduler', 'schedule'],
    ['dtype', 'precision'],
    ['grad_clip', 'clip'],
    ['regularization', 'penalty'],
  ])('the key %s is %s', (key, meant) => {
    expect(replacements(specText({ [key]: '1' }))).toContain(JSON.stringify(meant));
  });

  it('for an option that belongs elsewhere is explained, not replaced', () => {
    const [problem] = parseSpec(specText({ learning_rate: '0.1' })).problems;
    expect(problem.code).toBe('unknown-key');
    expect(problem.replacement).toBeUndefined();
    expect(problem.remedy).toContain('"lr"');
    expect(problem.remedy).toContain('"optimizer"');
  });

  it('for an activation in a layer suggests a layer', () => {
    const [problem] = parseSpec(layers('{ "type": "linear", "out_features": 2, "activation": "ReLU" }')).problems;
    expect(problem.code).toBe('unknown-key');
    expect(problem.remedy).toContain('"relu"');
  });
});

describe('a name from another library in the wrong place', () => {
  const wrongPlace = (text: string) => {
    const problem = parseSpec(text).problems.find(({ code }) => code === 'unknown-key');
    if (!problem?.fix) return undefined;
    const fixed = applyTextEdit(text, editSpec(text, problem.fix.changes));
    const { spec, problems } = parseSpec(fixed);
    expect(problems).toEqual([]);
    return spec;
  };

  it.each([
    ['no optimizer', {}, { type: 'sgd', lr: 0.25 }],
    ['a name', { optimizer: '"adam"' }, { type: 'adam', lr: 0.25 }],
    ['an object', { optimizer: '{ "type": "adamw", "weight_decay": 0.5 }' }, { type: 'adamw', lr: 0.25 }],
  ])('is moved into the optimizer, given as %s', (_, given, expected) => {
    const spec = wrongPlace(specText({ ...given, learning_rate: '0.25' }));
    expect(spec?.optimizer).toMatchObject({ type: expected.type, options: { lr: expected.lr } });
  });

  it('is not moved over another value', () => {
    expect(wrongPlace(specText({ optimizer: '{ "type": "sgd", "lr": 1 }', learning_rate: '0.25' }))).toBeUndefined();
  });

  it('is moved to the top level', () => {
    expect(wrongPlace(specText({ optimizer: '{ "type": "sgd", "lr": 1, "batch_size": 7 }' }))?.batchSize).toBe(7);
  });

  it.each([
    ['relu', ['linear', 'relu', 'linear']],
    ['ReLU', ['linear', 'relu', 'linear']],
    ['swish', ['linear', 'silu', 'linear']],
    ['linear', ['linear', 'linear']],
  ])('activation="%s" becomes a layer of its own, if it is one', (activation, types) => {
    const spec = wrongPlace(
      specText({
        layers: `[{ "type": "linear", "out_features": 2, "activation": "${activation}" }, { "type": "linear", "out_features": 2 }]`,
      }),
    );
    expect(spec?.layers.map(({ type }) => type)).toEqual(types);
  });

  it('an activation of a layer in a block stays in the block', () => {
    const block = '{ "type": "residual", "layers": [{ "type": "linear", "out_features": 2, "activation": "tanh" }] }';
    const spec = wrongPlace(specText({ layers: `[${block}]` }));
    expect(spec?.layers.map(({ type }) => type)).toEqual(['linear', 'tanh', 'add']);
  });
});

describe('aliases', () => {
  it.each([...Object.entries(componentFamilies), ['initializers', initializers] as const])(
    'of %s are unique, and names of nothing else',
    (_family, table) => {
      const known = Object.entries(table as Record<string, { aliases?: readonly string[] }>).map(
        ([name, { aliases }]) => ({ name, aliases }),
      );
      for (const { name, aliases = [] } of known) {
        expect(suggestName(name, known)).toBe(name);
        for (const alias of aliases) expect([alias, suggestName(alias, known)]).toEqual([alias, name]);
      }
    },
  );
});
