// Every way in which a text can fail to be a spec: its code, exact range, message and remedy.
import { describe, expect, it } from 'vitest';
import { parseSpec, parseSpecTask } from '../../src/model-spec/parse';
import { type ExpectedProblem, expectSingleProblem, parseMarkedText, specText } from './marked-text';

interface Case extends ExpectedProblem {
  readonly what: string;
  readonly text: string;
}

const layer = (options: string): string =>
  specText({ layers: `[${options}, { "type": "linear", "out_features": 2 }]` });
const linear = (options: string): string => layer(`{ "type": "linear", ${options} }`);
const data = (options: string): string => specText({ data: `{ ${options} }` });

const cases: readonly Case[] = [
  // Syntax.
  {
    what: 'an empty file',
    text: '«»',
    code: 'empty',
    remedyMentions: ['"data"', '"circles"'],
  },
  { what: 'comments only', text: '«// nothing yet\n»', code: 'empty' },
  {
    what: 'an opening brace',
    text: '«{»',
    code: 'syntax',
  },
  {
    what: 'a text cut off after a comma',
    text: '{ "data": "circles"«,»\n',
    code: 'syntax',
  },
  {
    what: 'a text cut off in a list',
    text: '{ "layers": ["tanh«"»',
    code: 'syntax',
  },
  {
    what: 'a text without its closing quote',
    text: '{ "data": «"circles»\n}',
    code: 'syntax',
  },
  {
    what: 'a missing comma',
    text: '{ "data": "circles" «"loss"»: "mse" }',
    code: 'syntax',
  },
  {
    what: 'a missing colon',
    text: '{ "data" «"circles"» }',
    code: 'syntax',
  },
  {
    what: 'a key without quotes',
    text: '{ «data»: "circles" }',
    code: 'syntax',
  },
  {
    what: 'Python spelling',
    text: specText({ shuffle: '«True»' }),
    code: 'syntax',
  },
  { what: 'a comment without end', text: '{ «/* }', code: 'syntax' },
  {
    what: 'something after the spec',
    text: `${specText()}«]»`,
    code: 'syntax',
  },
  { what: 'a list', text: '«[]»', code: 'wrong-type' },
  { what: 'null', text: '«null»', code: 'wrong-type' },
  {
    what: 'very deep nesting',
    text: `${'['.repeat(64)}«[»${'['.repeat(50000)}`,
    code: 'too-deep',
    mentions: ['64'],
  },
  {
    what: 'a key given twice',
    text: specText({ seed: '1,\n  «"seed"»: 2' }),
    code: 'duplicate-key',
    mentions: ['"seed"'],
  },
  {
    what: 'a key given twice, further in',
    text: linear('"out_features": 1, «"out_features"»: 2'),
    code: 'duplicate-key',
    mentions: ['"out_features"'],
  },

  // Keys.
  {
    what: 'a missing key',
    text: '«{» "data": "xor", "layers": ["tanh"] }',
    code: 'missing-key',
    mentions: ['"loss"'],
    remedyMentions: ['"loss"'],
  },
  {
    what: 'an unknown key, near a known one',
    text: specText().replace('"loss"', '«"epoch"»: 1, "loss"'),
    code: 'unknown-key',
    mentions: ['"epoch"'],
    replacement: '"epochs"',
  },
  {
    what: 'a key known elsewhere',
    text: specText().replace('"loss"', '«"lr"»: 0.1, "loss"'),
    code: 'unknown-key',
    mentions: ['"lr"'],
    remedyMentions: ['"lr"', '"optimizer"'],
  },
  {
    what: 'a key of another library',
    text: specText({ optimizer: '{ "type": "sgd", «"learning_rate"»: 1 }' }),
    code: 'unknown-key',
    replacement: '"lr"',
  },
  {
    what: 'a key where there are no options',
    text: specText({ loss: '{ "type": "cross_entropy_on_probabilities", «"scale"»: 1 }' }),
    code: 'unknown-key',
    mentions: ['cross_entropy_on_probabilities'],
  },
  {
    what: 'a key of the spec inside a layer',
    text: linear('"out_features": 3, «"seed"»: 1'),
    code: 'unknown-key',
    mentions: ['"seed"'],
    remedyMentions: ['"seed"', '"layers"'],
  },
  {
    what: 'an activation inside a layer',
    text: linear('"out_features": 3, «"activation"»: "relu"'),
    code: 'unknown-key',
  },
  {
    what: 'a key of the prototype',
    text: linear('"out_features": 3, «"__proto__"»: 1'),
    code: 'unknown-key',
    mentions: ['"__proto__"'],
  },

  // Names.
  {
    what: 'a misspelt layer',
    text: layer('«"tahn"»'),
    code: 'unknown-layer',
    mentions: ['"tahn"'],
    replacement: '"tanh"',
  },
  {
    what: 'a misspelt layer with options',
    text: layer('{ "type": «"Linear"», "out_features": 4 }'),
    code: 'unknown-layer',
    mentions: ['"Linear"'],
    replacement: '"linear"',
  },
  {
    what: 'a layer of another library',
    text: layer('{ "type": «"Dense"», "out_features": 4 }'),
    code: 'unknown-layer',
    mentions: ['"Dense"'],
    replacement: '"linear"',
  },
  {
    what: 'a layer like nothing here',
    text: layer('«"transformer"»'),
    code: 'unknown-layer',
    mentions: ['"transformer"'],
    remedyMentions: ['leaky_relu', '"custom"', './transformer.layer.ts'],
  },
  {
    what: 'a layer that is spelled like another one here',
    text: layer('«"selu"»'),
    code: 'unknown-layer',
    mentions: ['"selu"'],
    remedyMentions: ['./selu.layer.ts'],
  },
  {
    what: 'a layer named like a property of objects',
    text: layer('«"constructor"»'),
    code: 'unknown-layer',
    mentions: ['"constructor"'],
  },
  {
    what: 'a layer without a type',
    text: layer('«{» "out_features": 4 }'),
    code: 'missing-key',
    mentions: ['"type"'],
    remedyMentions: ['conv2d'],
  },
  {
    what: 'a layer whose type is a number',
    text: layer('{ "type": «7» }'),
    code: 'wrong-type',
    mentions: ['"type"', '7'],
  },
  {
    what: 'a layer that is a number',
    text: layer('«5»'),
    code: 'wrong-type',
    mentions: ['1', '5'],
  },
  {
    what: 'a layer that is null',
    text: layer('«null»'),
    code: 'wrong-type',
    mentions: ['1'],
  },
  {
    what: 'a layer that needs options',
    text: layer('«"linear"»'),
    code: 'missing-option',
    mentions: ['"linear"'],
    remedyMentions: ['"type"', '"linear"', '"out_features"'],
  },
  {
    what: 'a linear layer without a size',
    text: layer('«{» "type": "linear" }'),
    code: 'missing-option',
    mentions: ['out_features'],
    remedyMentions: ['"out_features"'],
  },
  {
    what: 'a misspelt loss',
    text: specText({ loss: '«"crossentropy"»' }),
    code: 'unknown-loss',
    mentions: ['"crossentropy"'],
    replacement: '"cross_entropy"',
  },
  {
    what: 'a loss of another library',
    text: specText({ loss: '«"BCEWithLogitsLoss"»' }),
    code: 'unknown-loss',
    replacement: '"bce_with_logits"',
  },
  {
    what: 'a loss like nothing here',
    text: specText({ loss: '«"my_loss"»' }),
    code: 'unknown-loss',
    mentions: ['"my_loss"'],
    remedyMentions: ['"custom"', './my.loss.ts', 'New Custom Loss', 'cross_entropy'],
  },
  {
    what: 'a loss of another library that is none here',
    text: specText({ loss: '{ "type": «"KLDivLoss"» }' }),
    code: 'unknown-loss',
    remedyMentions: ['./KLDiv.loss.ts', 'New Custom Loss'],
  },
  {
    what: 'a custom loss without its file',
    text: specText({ loss: '«{» "type": "custom" }' }),
    code: 'missing-key',
    mentions: ['"module"'],
  },
  {
    what: 'a penalty by name',
    text: specText({ penalty: '«"group_lasso"»' }),
    code: 'wrong-type',
    mentions: ['"group_lasso"'],
    remedyMentions: ['"l2"', './group_lasso.penalty.ts', 'New Custom Penalty'],
  },
  {
    what: 'a penalty like nothing here',
    text: specText({ penalty: '{ «"orthogonality"»: 0.1 }' }),
    code: 'unknown-key',
    mentions: ['"orthogonality"'],
    remedyMentions: ['./orthogonality.penalty.ts'],
  },
  {
    what: 'a misspelt dataset',
    text: specText({ data: '«"circels"»' }),
    code: 'unknown-dataset',
    mentions: ['"circels"'],
    replacement: '"circles"',
  },
  {
    what: 'an optimizer that is not here',
    text: specText({ optimizer: '«"lbfgs"»' }),
    code: 'unknown-optimizer',
    mentions: ['"lbfgs"'],
  },
  {
    what: 'Nesterov without momentum',
    text: specText({ optimizer: '{ "type": "sgd", "nesterov": «true» }' }),
    code: 'missing-option',
    remedyMentions: ['"momentum"'],
  },
  {
    what: 'a schedule of another library',
    text: specText({ schedule: '«"CosineAnnealingLR"»' }),
    code: 'unknown-schedule',
    mentions: ['"CosineAnnealingLR"'],
    replacement: '"cosine"',
  },
  {
    what: 'a schedule that needs options',
    text: specText({ schedule: '«"step"»' }),
    code: 'missing-option',
    mentions: ['"step"'],
    remedyMentions: ['"step_size"'],
  },
  {
    what: 'two ways to clip',
    text: specText({ clip: '{ "norm": 1, "value": «2» }' }),
    code: 'too-many-clips',
  },
  {
    what: 'a negative penalty',
    text: specText({ penalty: '{ "l2": «-1» }' }),
    code: 'out-of-range',
    mentions: ['"l2"', '1'],
    remedyMentions: ['0'],
  },
  {
    what: 'betas of one number',
    text: specText({ optimizer: '{ "type": "adam", "betas": «[0.9]» }' }),
    code: 'out-of-range',
    mentions: ['"betas"', '1'],
  },
  {
    what: 'a misspelt initializer',
    text: linear('"out_features": 4, "init": «"zero"»'),
    code: 'unknown-initializer',
    mentions: ['"zero"'],
    replacement: '"zeros"',
  },
  {
    what: 'an initializer that needs options',
    text: linear('"out_features": 4, "init": «"constant"»'),
    code: 'missing-option',
    mentions: ['"constant"'],
    remedyMentions: ['"val"'],
  },
  {
    what: 'a misspelt choice',
    text: specText({ batch_size: '«"ful"»' }),
    code: 'unknown-value',
    mentions: ['"batch_size"', '"ful"'],
    replacement: '"full"',
  },
  {
    what: 'a choice of another language',
    text: specText({ precision: '«"double"»' }),
    code: 'unknown-value',
    mentions: ['"precision"', '"double"'],
    replacement: '"float64"',
  },

  // Sizes and other values.
  ...['0', '-1', '1.5', '-0.0', '1e999', '-1e999'].map((size) => ({
    what: `a layer of ${size} units`,
    text: linear(`"out_features": «${size}»`),
    code: 'out-of-range',
    mentions: ['"out_features"'],
    remedyMentions: ['1'],
  })),
  ...['0', '-1', '1.5'].map((size) => ({
    what: `a batch size of ${size}`,
    text: specText({ batch_size: `«${size}»` }),
    code: 'out-of-range',
    mentions: ['"batch_size"'],
    remedyMentions: ['1', '"full"', '32'],
  })),
  ...['0', '-1', '1.5'].map((size) => ({
    what: `${size} samples`,
    text: data(`"type": "xor", "samples": «${size}»`),
    code: 'out-of-range',
    mentions: ['"samples"'],
    remedyMentions: ['1', '4'],
  })),
  {
    what: 'a size beyond the whole numbers',
    text: linear('"out_features": «1e300»'),
    code: 'out-of-range',
    mentions: ['"out_features"', '1e300'],
  },
  {
    what: 'a number in quotes',
    text: linear('"out_features": «"4"»'),
    code: 'wrong-type',
    mentions: ['"out_features"', '"4"'],
    replacement: '4',
    remedyMentions: ['4'],
  },
  {
    what: 'a text for a number',
    text: specText({ optimizer: '{ "type": "sgd", "lr": «"high"» }' }),
    code: 'wrong-type',
    mentions: ['"lr"', '"high"'],
    remedyMentions: ['0', '0.1'],
  },
  {
    what: 'a number for a text',
    text: specText({ name: '«5»' }),
    code: 'wrong-type',
    mentions: ['"name"', '5'],
  },
  {
    what: 'a number for true or false',
    text: specText({ shuffle: '«1»' }),
    code: 'wrong-type',
    mentions: ['"shuffle"', '1'],
  },
  {
    what: 'an object for a list',
    text: specText({ layers: '«{}»' }),
    code: 'wrong-type',
    mentions: ['"layers"'],
  },
  {
    what: 'no layers',
    text: specText({ layers: '«[]»' }),
    code: 'out-of-range',
    mentions: ['"layers"'],
    remedyMentions: ['1'],
  },
  {
    what: 'too many layers',
    text: specText({ layers: `«[${'"tanh",'.repeat(1000)}"tanh"]»` }),
    code: 'out-of-range',
    mentions: ['"layers"', '1,001'],
    remedyMentions: ['1000'],
  },
  {
    what: 'a negative seed',
    text: specText({ seed: '«-1»' }),
    code: 'out-of-range',
    mentions: ['"seed"', '1'],
    remedyMentions: ['0'],
  },
  {
    what: 'a seed that no double holds',
    text: specText({ seed: '«9007199254740993»' }),
    code: 'out-of-range',
    mentions: ['"seed"', '9007199254740993'],
  },
  {
    what: 'too many epochs',
    text: specText({ epochs: '«2e9»' }),
    code: 'out-of-range',
    mentions: ['"epochs"', '2e9'],
    remedyMentions: ['1', '1000000000'],
  },
  {
    what: 'a negative noise',
    text: data('"type": "circles", "noise": «-0.1»'),
    code: 'out-of-range',
    mentions: ['"noise"', '0.1'],
    remedyMentions: ['0'],
  },
  {
    what: 'a circle as large as the other',
    text: data('"type": "circles", "factor": «1»'),
    code: 'out-of-range',
    mentions: ['"factor"', '1'],
    remedyMentions: ['0', '1'],
  },
  {
    what: 'a negative spread of an initializer',
    text: linear('"out_features": 4, "init": { "type": "normal", "std": «-1» }'),
    code: 'out-of-range',
    mentions: ['"std"', '1'],
    remedyMentions: ['0'],
  },
  {
    what: 'everything held out',
    text: data('"type": "circles", "split": «{ "validation": 0.5, "test": 0.5 }»'),
    code: 'empty-train',
    remedyMentions: ['1'],
  },
  {
    what: 'a layer name that is empty',
    text: layer('{ "type": "tanh", "name": «""» }'),
    code: 'out-of-range',
    mentions: ['"name"'],
    remedyMentions: ['1'],
  },
  {
    what: 'two layers of one name',
    text: layer('{ "type": "tanh", "name": "a" }, { "type": "tanh", "name": «"a"» }'),
    code: 'duplicate-name',
    mentions: ['1', '2', '"a"'],
  },
  {
    what: 'a name that a later layer gets by itself',
    text: layer('{ "type": "relu", "name": «"tanh1"» }, "tanh"'),
    code: 'duplicate-name',
    mentions: ['1', '2', '"tanh1"'],
  },

  // Explicit numbers.
  {
    what: 'ragged weights',
    text: linear('"weight": [[1, 2], «[3]»]'),
    code: 'shape-mismatch',
    mentions: ['2'],
  },
  {
    what: 'too many biases',
    text: linear('"out_features": 1, "bias": «[1, 2]»'),
    code: 'shape-mismatch',
    mentions: ['2', '1'],
  },
  {
    what: 'text in weights',
    text: linear('"weight": [[1, 2], [3, «"a"»]]'),
    code: 'wrong-type',
    mentions: ['2', '"weight"', '"a"'],
  },
  {
    what: 'ragged inputs',
    text: data('"type": "inline", "inputs": [[1], «[2, 3]»], "targets": [1, 2]'),
    code: 'ragged-rows',
    mentions: ['2', '"inputs"'],
  },
  {
    what: 'too few targets',
    text: data('"type": "inline", "inputs": [[1], [2]], "targets": «[1]»'),
    code: 'length-mismatch',
    mentions: ['"targets"', '1', '"inputs"', '2'],
  },
  {
    what: 'text in inputs',
    text: data('"type": "inline", "inputs": [[1], [«"x"»]], "targets": [1, 2]'),
    code: 'wrong-type',
    mentions: ['1', '2', '"inputs"', '"x"'],
  },
  {
    what: 'null in inputs',
    text: data('"type": "inline", "inputs": [[«null»]], "targets": [1]'),
    code: 'wrong-type',
  },
  {
    what: 'neither targets nor labels',
    text: specText({ data: '«{» "type": "inline", "inputs": [[1]] }' }),
    code: 'missing-option',
    mentions: ['"targets"', '"labels"'],
    remedyMentions: ['"targets"'],
  },
  {
    what: 'targets and labels',
    text: data('"type": "inline", "inputs": [[1]], "targets": [1], "labels": «[0]»'),
    code: 'too-many-targets',
  },
  {
    what: 'a CSV without a path',
    text: specText({ data: '«{» "type": "csv" }' }),
    code: 'missing-key',
    mentions: ['"path"'],
  },
];

describe('parseSpec', () => {
  it.each(cases)('$what', ({ text: source, ...expected }) => {
    // A range that extends to the end of the text has no end mark.
    const mark = parseMarkedText(source.includes('»') ? source : `${source}»`);
    const { spec, problems } = parseSpec(mark.text);
    expect(spec).toBeUndefined();
    expectSingleProblem(problems, mark, expected);
  });

  it('reports several problems in the order of the text', () => {
    const { problems } = parseSpec(specText({ layers: '["tahn", 5]', epochs: '0', seed: '-1' }));
    expect(problems.map(({ code }) => code)).toEqual(['unknown-layer', 'wrong-type', 'out-of-range', 'out-of-range']);
    expect(problems.map(({ start }) => start)).toEqual(problems.map(({ start }) => start).sort((a, b) => a - b));
  });

  it('limits the number of problems', () => {
    const { problems } = parseSpec(specText({ layers: `[${Array(900).fill('"tahn"').join(',')}]` }));
    expect(problems).toHaveLength(100);
  });

  it('counts UTF-16 units, as editors do', () => {
    const mark = parseMarkedText(specText({ name: '"🙂 ∇"', epochs: '«0»' }));
    expectSingleProblem(parseSpec(mark.text).problems, mark, {
      code: 'out-of-range',
    });
  });

  it('fills in every default', () => {
    const { spec, problems } = parseSpec(specText());
    expect(problems).toEqual([]);
    const { source, data: dataset, layers, loss, optimizer, schedule, ...rest } = spec!;
    expect(rest).toEqual({
      name: 'Untitled',
      transforms: [],
      augment: [],
      auxiliaryLosses: [],
      batchSize: 32,
      shuffle: true,
      epochs: 100,
      seed: 0,
      precision: 'float32',
      deterministic: 'machine',
      gradientCheck: { every: 0, step: 6e-6, rtol: 1e-5, atol: 1e-10, mode: 'training' },
      clip: {},
      penalty: { l1: 0, l2: 0, biases: false },
      rules: {},
      sweep: [],
    });
    expect(schedule).toMatchObject({ type: 'constant', options: {}, per: 'epoch', warmup: 0, spansRun: false });
    expect(dataset).toMatchObject({
      type: 'circles',
      options: { samples: 400, noise: 0.1, factor: 0.5 },
      split: { validation: 0.2, test: 0.2 },
    });
    expect(loss).toMatchObject({ type: 'cross_entropy', options: {} });
    expect(optimizer).toMatchObject({ type: 'sgd', options: { lr: 0.1, momentum: 0 } });
    expect(layers.map(({ name, freeze }) => ({ name, freeze }))).toEqual([
      { name: 'linear1', freeze: [] },
      { name: 'tanh1', freeze: [] },
      { name: 'linear2', freeze: [] },
    ]);
    expect(layers[0].options).toEqual({
      out_features: 4,
      bias: true,
      init: { type: 'fan_in_uniform' },
      bias_init: { type: 'fan_in_uniform' },
    });
    expect(layers.map(({ range: { start, end } }) => source.text.slice(start, end))).toEqual([
      '{ "type": "linear", "out_features": 4 }',
      '"tanh"',
      '{ "type": "linear", "out_features": 2 }',
    ]);
  });

  it('keeps what is written, and fills in the rest', () => {
    const { spec } = parseSpec(
      specText({
        data: '{ "type": "circles", "split": { "validation": 0.3 } }',
        optimizer: '{ "type": "sgd", "momentum": 0.9 }',
        batch_size: '"full"',
        gradient_check: '{ "every": 10 }',
        layers: '[{ "type": "linear", "out_features": 2, "name": "only", "freeze": ["bias"] }]',
      }),
    );
    expect(spec!.data.split).toEqual({ validation: 0.3, test: 0.2 });
    expect(spec!.optimizer.options).toEqual({ lr: 0.1, momentum: 0.9, nesterov: false, weight_decay: 0 });
    expect(spec!.batchSize).toBe('full');
    expect(spec!.gradientCheck).toEqual({ every: 10, step: 6e-6, rtol: 1e-5, atol: 1e-10, mode: 'training' });
    expect(spec!.layers[0]).toMatchObject({ name: 'only', freeze: ['bias'] });
    expect(spec!.layers[0].options).not.toHaveProperty('name');
  });

  it.each([
    ['comments and trailing commas', specText().replace('{\n', '{ // one\n /* two */').replace('2 }]', '2, },]')],
    ['a byte order mark', `\uFEFF${specText()}`],
    ['line ends of Windows', specText().replaceAll('\n', '\r\n')],
    ['a $schema', specText().replace('{', '{ "$schema": "../media/nabla.schema.json",')],
  ])('takes %s', (_what, text) => {
    expect(parseSpec(text).problems).toEqual([]);
  });
});

describe('a parse in pieces', () => {
  const layers = Array.from({ length: 40 }, (_, i) => (i % 2 ? 'relu' : { type: 'linear', out_features: 3 }));
  const specOf = (loss: string): string =>
    JSON.stringify({ data: 'circles', layers: [...layers, { type: 'linear', out_features: 2 }], loss });

  it.each([
    ['cross_entropy', 3],
    // Explained, corrected, and validated again.
    ['cross_entropi', 5],
  ])('of %s lets others work in between, and finds the same', (loss, pieces) => {
    const task = parseSpecTask(specOf(loss));
    let yields = 0;
    let result = task.next();
    for (; !result.done; result = task.next()) yields++;
    expect(yields).toBeGreaterThanOrEqual(pieces);
    expect(result.value.problems).toEqual(parseSpec(specOf(loss)).problems);
  });
});
