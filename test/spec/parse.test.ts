// Every way in which a text can fail to be a spec: its code, its exact range, what it says, what it advises.
import { describe, expect, it } from 'vitest';
import { parseSpec } from '../../src/spec/parse';
import { type Expected, expectOnly, marked, specText } from './marked';

interface Case extends Expected {
  readonly what: string;
  readonly text: string;
}

const layer = (options: string): string => specText({ layers: `[${options}, { "type": "linear", "out_features": 2 }]` });
const linear = (options: string): string => layer(`{ "type": "linear", ${options} }`);
const data = (options: string): string => specText({ data: `{ ${options} }` });

const cases: readonly Case[] = [
  // Syntax.
  { what: 'an empty file', text: '«»', code: 'empty', message: 'no spec in this file', remedy: /^Start with \{ "data": "circles"/ },
  { what: 'comments only', text: '«// nothing yet\n»', code: 'empty', message: 'no spec', remedy: 'Start with' },
  { what: 'an opening brace', text: '«{»', code: 'syntax', message: 'ends too early', remedy: 'Close the object with }' },
  { what: 'a text cut off after a comma', text: '{ "data": "circles"«,»\n', code: 'syntax', message: 'ends too early', remedy: 'key' },
  { what: 'a text cut off in a list', text: '{ "layers": ["tanh«"»', code: 'syntax', message: 'ends too early. A closing bracket ] is missing', remedy: ']' },
  { what: 'a text without its closing quote', text: '{ "data": «"circles»\n}', code: 'syntax', message: 'never ends', remedy: 'double quote' },
  { what: 'a missing comma', text: '{ "data": "circles" «"loss"»: "mse" }', code: 'syntax', message: 'A comma is missing', remedy: 'comma' },
  { what: 'a missing colon', text: '{ "data" «"circles"» }', code: 'syntax', message: 'colon is missing', remedy: 'colon' },
  { what: 'a key without quotes', text: '{ «data»: "circles" }', code: 'syntax', message: 'not JSON', remedy: 'in double quotes' },
  { what: 'Python spelling', text: specText({ shuffle: '«True»' }), code: 'syntax', message: 'not JSON', remedy: 'only true, false' },
  { what: 'a comment without end', text: '{ «/* }', code: 'syntax', message: 'comment never ends', remedy: /\*\// },
  { what: 'something after the spec', text: `${specText()}«]»`, code: 'syntax', message: 'Something follows the end', remedy: 'remove the rest' },
  { what: 'a list', text: '«[]»', code: 'wrong-type', message: 'The spec cannot be a list', remedy: /object \{ … \}/ },
  { what: 'null', text: '«null»', code: 'wrong-type', message: 'The spec cannot be null', remedy: /object/ },
  { what: 'very deep nesting', text: `${'['.repeat(64)}«[»${'['.repeat(50000)}`, code: 'too-deep', message: 'more than 64 deep', remedy: /remove/ },
  { what: 'a key given twice', text: specText({ seed: '1,\n  «"seed"»: 2' }), code: 'duplicate-key', message: '"seed" is given twice', remedy: 'Keep one' },
  { what: 'a key given twice, further in', text: linear('"out_features": 1, «"out_features"»: 2'), code: 'duplicate-key', message: '"out_features" is given twice', remedy: 'Keep one' },

  // Keys.
  { what: 'a missing key', text: '«{» "data": "xor", "layers": ["tanh"] }', code: 'missing-key', message: '"loss" is missing', remedy: /^Add "loss"\. / },
  { what: 'an unknown key, near a known one', text: specText().replace('"loss"', '«"epoch"»: 1, "loss"'), code: 'unknown-key', message: '"epoch" is not an option of a spec', remedy: 'Did you mean "epochs"?' },
  { what: 'a key known elsewhere', text: specText().replace('"loss"', '«"lr"»: 0.1, "loss"'), code: 'unknown-key', message: '"lr" is not an option of a spec', remedy: '"lr" belongs into "optimizer"' },
  { what: 'a key of another library', text: specText({ optimizer: '{ "type": "sgd", «"learning_rate"»: 1 }' }), code: 'unknown-key', message: 'not an option of sgd', remedy: 'Did you mean "lr"?' },
  { what: 'a key where there are no options', text: specText({ loss: '{ "type": "cross_entropy_on_probabilities", «"scale"»: 1 }' }), code: 'unknown-key', message: 'not an option of cross_entropy_on_probabilities', remedy: 'no options here' },
  { what: 'a key of the spec inside a layer', text: linear('"out_features": 3, «"seed"»: 1'), code: 'unknown-key', message: '"seed" is not an option of linear', remedy: '"seed" belongs beside "layers"' },
  { what: 'an activation inside a layer', text: linear('"out_features": 3, «"activation"»: "relu"'), code: 'unknown-key', message: 'not an option of linear', remedy: 'a layer of its own' },
  { what: 'a key of the prototype', text: linear('"out_features": 3, «"__proto__"»: 1'), code: 'unknown-key', message: '"__proto__" is not', remedy: 'Known here' },

  // Names.
  { what: 'a misspelt layer', text: layer('«"tahn"»'), code: 'unknown-layer', message: 'There is no layer "tahn".', remedy: 'Did you mean "tanh"?' },
  { what: 'a misspelt layer with options', text: layer('{ "type": «"Linear"», "out_features": 4 }'), code: 'unknown-layer', message: 'no layer "Linear"', remedy: 'Did you mean "linear"?' },
  { what: 'a layer of another library', text: layer('{ "type": «"Dense"», "units": 4 }'), code: 'unknown-layer', message: 'no layer "Dense"', remedy: 'Did you mean "linear"?' },
  { what: 'a layer like nothing here', text: layer('«"transformer"»'), code: 'unknown-layer', message: 'no layer "transformer"', remedy: /Known here: linear, .*, tanh, sigmoid, relu, leaky_relu, .*, identity/ },
  { what: 'a layer named like a property of objects', text: layer('«"constructor"»'), code: 'unknown-layer', message: 'no layer "constructor"', remedy: 'Known here' },
  { what: 'a layer without a type', text: layer('«{» "out_features": 4 }'), code: 'missing-key', message: '"type" is missing', remedy: 'one of linear, conv2d' },
  { what: 'a layer whose type is a number', text: layer('{ "type": «7» }'), code: 'wrong-type', message: '"type" cannot be 7', remedy: 'one of linear' },
  { what: 'a layer that is a number', text: layer('«5»'), code: 'wrong-type', message: 'Layer 1 cannot be 5', remedy: 'the name of a layer, or an object' },
  { what: 'a layer that is null', text: layer('«null»'), code: 'wrong-type', message: 'Layer 1 cannot be null', remedy: 'the name of a layer' },
  { what: 'a layer that needs options', text: layer('«"linear"»'), code: 'missing-option', message: 'The layer "linear" needs options', remedy: '{ "type": "linear", "out_features": … }' },
  { what: 'a linear layer without a size', text: layer('«{» "type": "linear" }'), code: 'missing-option', message: 'out_features', remedy: 'Add "out_features"' },
  { what: 'a misspelt loss', text: specText({ loss: '«"crossentropy"»' }), code: 'unknown-loss', message: 'no loss "crossentropy"', remedy: 'Did you mean "cross_entropy"?' },
  { what: 'a loss of another library', text: specText({ loss: '«"BCEWithLogitsLoss"»' }), code: 'unknown-loss', message: 'no loss', remedy: 'Did you mean "bce_with_logits"?' },
  { what: 'a misspelt dataset', text: specText({ data: '«"circels"»' }), code: 'unknown-dataset', message: 'no dataset "circels"', remedy: 'Did you mean "circles"?' },
  { what: 'an optimizer that is not here', text: specText({ optimizer: '«"lbfgs"»' }), code: 'unknown-optimizer', message: 'no optimizer "lbfgs"', remedy: 'Known here: sgd' },
  { what: 'Nesterov without momentum', text: specText({ optimizer: '{ "type": "sgd", "nesterov": «true» }' }), code: 'missing-option', message: 'there is none', remedy: 'Add "momentum"' },
  { what: 'a schedule of another library', text: specText({ schedule: '«"CosineAnnealingLR"»' }), code: 'unknown-schedule', message: 'no schedule "CosineAnnealingLR"', remedy: 'Did you mean "cosine"' },
  { what: 'a schedule that needs options', text: specText({ schedule: '«"step"»' }), code: 'missing-option', message: 'The schedule "step" needs options', remedy: '"step_size": …' },
  { what: 'two ways to clip', text: specText({ clip: '{ "norm": 1, "value": «2» }' }), code: 'too-many-clips', message: 'not by both', remedy: 'Keep' },
  { what: 'a negative penalty', text: specText({ penalty: '{ "l2": «-1» }' }), code: 'out-of-range', message: '"l2" cannot be -1', remedy: 'of 0 or more' },
  { what: 'betas of one number', text: specText({ optimizer: '{ "type": "adam", "betas": «[0.9]» }' }), code: 'out-of-range', message: '"betas" has 1 entry', remedy: 'Give' },
  { what: 'a misspelt initializer', text: linear('"out_features": 4, "init": «"zero"»'), code: 'unknown-initializer', message: 'no initializer "zero"', remedy: 'Did you mean "zeros"?' },
  { what: 'an initializer that needs options', text: linear('"out_features": 4, "init": «"constant"»'), code: 'missing-option', message: 'initializer "constant" needs options', remedy: '"val": …' },
  { what: 'a misspelt choice', text: specText({ batch_size: '«"ful"»' }), code: 'unknown-value', message: '"batch_size" cannot be "ful"', remedy: 'Did you mean "full"?' },
  { what: 'a choice of another language', text: specText({ precision: '«"double"»' }), code: 'unknown-value', message: '"precision" cannot be "double"', remedy: 'Did you mean "float64"?' },

  // Sizes and other values.
  ...['0', '-1', '1.5', '-0.0', '1e999', '-1e999'].map((size) => ({
    what: `a layer of ${size} units`, text: linear(`"out_features": «${size}»`),
    code: 'out-of-range', message: `"out_features" cannot be ${size}`, remedy: 'Write a whole number of 1 or more',
  })),
  ...['0', '-1', '1.5'].map((size) => ({
    what: `a batch size of ${size}`, text: specText({ batch_size: `«${size}»` }),
    code: 'out-of-range', message: `"batch_size" cannot be ${size}`, remedy: 'a whole number of 1 or more, or "full", or leave it out for 32',
  })),
  ...['0', '-1', '1.5'].map((size) => ({
    what: `${size} samples`, text: data(`"type": "xor", "samples": «${size}»`),
    code: 'out-of-range', message: `"samples" cannot be ${size}`, remedy: 'Write a whole number of 1 or more, or leave it out for 4.',
  })),
  { what: 'a size beyond the whole numbers', text: linear('"out_features": «1e300»'), code: 'out-of-range', message: '"out_features" cannot be 1e300', remedy: 'whole number' },
  { what: 'a number in quotes', text: linear('"out_features": «"4"»'), code: 'wrong-type', message: '"out_features" cannot be "4"', remedy: 'Write 4 without quotes.' },
  { what: 'a text for a number', text: specText({ optimizer: '{ "type": "sgd", "lr": «"high"» }' }), code: 'wrong-type', message: '"lr" cannot be "high"', remedy: 'Write a number of 0 or more, or leave it out for 0.1' },
  { what: 'a number for a text', text: specText({ name: '«5»' }), code: 'wrong-type', message: '"name" cannot be 5', remedy: 'a text in double quotes' },
  { what: 'a number for true or false', text: specText({ shuffle: '«1»' }), code: 'wrong-type', message: '"shuffle" cannot be 1', remedy: 'true or false' },
  { what: 'an object for a list', text: specText({ layers: '«{}»' }), code: 'wrong-type', message: '"layers" cannot be an object', remedy: 'a list' },
  { what: 'no layers', text: specText({ layers: '«[]»' }), code: 'out-of-range', message: '"layers" is empty', remedy: 'at least 1' },
  { what: 'too many layers', text: specText({ layers: `«[${'"tanh",'.repeat(1000)}"tanh"]»` }), code: 'out-of-range', message: '"layers" has 1,001 entries', remedy: 'at most 1000' },
  { what: 'a negative seed', text: specText({ seed: '«-1»' }), code: 'out-of-range', message: '"seed" cannot be -1', remedy: 'a whole number of 0 or more' },
  { what: 'a seed that no double holds', text: specText({ seed: '«9007199254740993»' }), code: 'out-of-range', message: '"seed" cannot be 9007199254740993', remedy: 'whole number' },
  { what: 'too many epochs', text: specText({ epochs: '«2e9»' }), code: 'out-of-range', message: '"epochs" cannot be 2e9', remedy: 'from 1 to 1000000000' },
  { what: 'a negative noise', text: data('"type": "circles", "noise": «-0.1»'), code: 'out-of-range', message: '"noise" cannot be -0.1', remedy: 'a number of 0 or more' },
  { what: 'a circle as large as the other', text: data('"type": "circles", "factor": «1»'), code: 'out-of-range', message: '"factor" cannot be 1', remedy: 'from 0 to below 1' },
  { what: 'a negative spread of an initializer', text: linear('"out_features": 4, "init": { "type": "normal", "std": «-1» }'), code: 'out-of-range', message: '"std" cannot be -1', remedy: '0 or more' },
  { what: 'everything held out', text: data('"type": "circles", "split": «{ "validation": 0.5, "test": 0.5 }»'), code: 'empty-train', message: 'none is left to train on', remedy: 'less than 1' },
  { what: 'a layer name that is empty', text: layer('{ "type": "tanh", "name": «""» }'), code: 'out-of-range', message: '"name" is empty', remedy: 'at least 1' },
  { what: 'two layers of one name', text: layer('{ "type": "tanh", "name": "a" }, { "type": "tanh", "name": «"a"» }'), code: 'duplicate-name', message: 'Layers 1 and 2 are both named "a"', remedy: 'a name of its own' },
  { what: 'a name that a later layer gets by itself', text: layer('{ "type": "relu", "name": «"tanh1"» }, "tanh"'), code: 'duplicate-name', message: 'Layers 1 and 2 are both named "tanh1"', remedy: 'a name of its own' },

  // Explicit numbers.
  { what: 'ragged weights', text: linear('"weight": [[1, 2], «[3]»]'), code: 'shape-mismatch', message: 'Row 2 of the weights', remedy: 'every row' },
  { what: 'too many biases', text: linear('"out_features": 1, "bias": «[1, 2]»'), code: 'shape-mismatch', message: '2 biases for 1 unit', remedy: 'one bias for each unit' },
  { what: 'text in weights', text: linear('"weight": [[1, 2], [3, «"a"»]]'), code: 'wrong-type', message: 'Entry 2 of row 2 of "weight" cannot be "a"', remedy: 'Write a number' },
  { what: 'ragged inputs', text: data('"type": "inline", "inputs": [[1], «[2, 3]»], "targets": [1, 2]'), code: 'ragged-rows', message: 'Row 2 of "inputs" has length 2', remedy: 'the same number' },
  { what: 'too few targets', text: data('"type": "inline", "inputs": [[1], [2]], "targets": «[1]»'), code: 'length-mismatch', message: '"targets" has length 1, "inputs" length 2', remedy: 'each row' },
  { what: 'text in inputs', text: data('"type": "inline", "inputs": [[1], [«"x"»]], "targets": [1, 2]'), code: 'wrong-type', message: 'Entry 1 of row 2 of "inputs" cannot be "x"', remedy: 'Write a number' },
  { what: 'null in inputs', text: data('"type": "inline", "inputs": [[«null»]], "targets": [1]'), code: 'wrong-type', message: 'cannot be null', remedy: 'Write a number' },
  { what: 'neither targets nor labels', text: specText({ data: '«{» "type": "inline", "inputs": [[1]] }' }), code: 'missing-option', message: '"targets" or "labels"', remedy: 'Add "targets"' },
  { what: 'targets and labels', text: data('"type": "inline", "inputs": [[1]], "targets": [1], "labels": «[0]»'), code: 'too-many-targets', message: 'Both', remedy: 'Keep' },
  { what: 'a CSV without a path', text: specText({ data: '«{» "type": "csv" }' }), code: 'missing-key', message: '"path" is missing', remedy: 'The file, relative to the spec' },
];

describe('parseSpec', () => {
  it.each(cases)('$what', ({ text: source, ...expected }) => {
    // What runs to the end of the text has no mark at its end.
    const mark = marked(source.includes('»') ? source : `${source}»`);
    const { spec, problems } = parseSpec(mark.text);
    expect(spec).toBeUndefined();
    expectOnly(problems, mark, expected);
  });

  it('reports several problems in the order of the text', () => {
    const { problems } = parseSpec(specText({ layers: '["tahn", 5]', epochs: '0', seed: '-1' }));
    expect(problems.map(({ code }) => code)).toEqual(['unknown-layer', 'wrong-type', 'out-of-range', 'out-of-range']);
    expect(problems.map(({ start }) => start)).toEqual(problems.map(({ start }) => start).sort((a, b) => a - b));
  });

  it('reports no more problems than can be read', () => {
    const { problems } = parseSpec(specText({ layers: `[${Array(900).fill('"tahn"').join(',')}]` }));
    expect(problems).toHaveLength(100);
  });

  it('counts UTF-16 units, as editors do', () => {
    const mark = marked(specText({ name: '"🙂 ∇"', epochs: '«0»' }));
    expectOnly(parseSpec(mark.text).problems, mark, { code: 'out-of-range', message: 'epochs', remedy: 'whole number' });
  });

  it('fills in every default', () => {
    const { spec, problems } = parseSpec(specText());
    expect(problems).toEqual([]);
    const { source, data: dataset, layers, loss, optimizer, schedule, ...rest } = spec!;
    expect(rest).toEqual({
      name: 'Untitled', transforms: [], augment: [], batchSize: 32, shuffle: true, epochs: 100, seed: 0, precision: 'float32', deterministic: 'machine',
      gradientCheck: { every: 0, step: 6e-6, rtol: 1e-5, atol: 1e-10, mode: 'training' },
      clip: {}, penalty: { l1: 0, l2: 0, biases: false }, sweep: [],
    });
    expect(schedule).toMatchObject({ type: 'constant', options: {}, per: 'epoch', warmup: 0, spansRun: false });
    expect(dataset).toMatchObject({ type: 'circles', options: { samples: 400, noise: 0.1, factor: 0.5 }, split: { validation: 0.2, test: 0.2 } });
    expect(loss).toMatchObject({ type: 'cross_entropy', options: {} });
    expect(optimizer).toMatchObject({ type: 'sgd', options: { lr: 0.1, momentum: 0 } });
    expect(layers.map(({ name, freeze }) => ({ name, freeze }))).toEqual([
      { name: 'linear1', freeze: [] }, { name: 'tanh1', freeze: [] }, { name: 'linear2', freeze: [] },
    ]);
    expect(layers[0].options).toEqual({
      out_features: 4, bias: true, init: { type: 'fan_in_uniform' }, bias_init: { type: 'fan_in_uniform' },
    });
    expect(layers.map(({ range: { start, end } }) => source.text.slice(start, end))).toEqual([
      '{ "type": "linear", "out_features": 4 }', '"tanh"', '{ "type": "linear", "out_features": 2 }',
    ]);
  });

  it('keeps what is written, and fills in the rest of it', () => {
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
