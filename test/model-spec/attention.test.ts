// Sequences in a spec: layers of indices and of positions × features, and what is wrong with what they are given.
import { describe, expect, it } from 'vitest';
import { GradientCheck } from '../../src/gradcheck';
import type { CheckReport } from '../../src/protocol/check-report';
import { loadRun } from '../../src/model-spec/load';
import type { PredictionSummary } from '../../src/protocol/queries';
import { runQuery } from '../../src/session/queries';
import { TrainingSession } from '../../src/session/session';
import { noFiles } from '../support/data-files';
import { compileRun } from '../support/session-fixtures';

const embedding = (more: object = {}): object => ({
  type: 'embedding',
  num_embeddings: 5,
  embedding_dim: 4,
  ...more,
});
const INPUTS = [
  [0, 1, 2],
  [3, 4, 0],
  [2, 2, 1],
  [4, 1, 1],
];
const data = { type: 'inline', inputs: INPUTS, labels: [0, 1, 0, 1] };
const specOf = (layers: readonly unknown[], more: object = {}): string =>
  JSON.stringify({ data, layers, loss: 'cross_entropy', batch_size: 2, epochs: 20, ...more });
const classify = ['flatten', { type: 'linear', out_features: 2 }];
const open = (text: string): TrainingSession => new TrainingSession(compileRun(text), text, { checkpointInterval: 4 });

/** The gradient check of the step after the first, so that no parameter has its initial value. */
function checkNow(session: TrainingSession): CheckReport {
  const { network, run } = session;
  if (session.position.step === 0) session.step();
  const check = new GradientCheck({ network, pass: session.passToCheck(), step: 1, options: run.gradientCheck });
  while (check.advance(1000));
  return check.report();
}

const problemsOf = (text: string) =>
  loadRun(text, noFiles).problems.map(({ code, start, end }) => ({ code, text: text.slice(start, end) }));

describe('layers of sequences', () => {
  const block = [
    embedding(),
    { type: 'positional_encoding', init: { type: 'normal', std: 0.3 } },
    {
      type: 'residual',
      layers: [
        { type: 'rms_norm', normalized_shape: [4] },
        { type: 'multihead_attention', num_heads: 2 },
      ],
    },
    {
      type: 'residual',
      layers: [
        { type: 'layer_norm', normalized_shape: [4] },
        { type: 'linear', out_features: 6 },
        'gelu',
        { type: 'linear', out_features: 4 },
        { type: 'dropout', p: 0.2 },
      ],
    },
    ...classify,
  ];

  it('keep the positions, and layers of single numbers work at each of them', () => {
    const shapes = compileRun(specOf(block)).model.layers.map(
      ({ name, outputShape }) => `${name} ${outputShape.join('×')}`,
    );
    expect(shapes).toEqual([
      'embedding1 3×4',
      'positional_encoding1 3×4',
      'rms_norm1 3×4',
      'multihead_attention1 3×4',
      'residual1 3×4',
      'layer_norm1 3×4',
      'linear1 3×6',
      'gelu1 3×6',
      'linear2 3×4',
      'dropout1 3×4',
      'residual2 3×4',
      'flatten1 12',
      'linear3 2',
    ]);
  });

  it('pass the gradient check in both modes', () => {
    for (const mode of ['training', 'evaluation'] as const) {
      const text = specOf(block, { gradient_check: { mode } });
      const { counts, layers } = checkNow(open(text));
      expect(counts.wrong).toBe(0);
      expect(counts.pass).toBeGreaterThan(150);
      expect(layers.flatMap(({ tensors }) => tensors).every((tensor) => tensor.counts.wrong === 0)).toBe(true);
    }
  });

  it('go back to the bit, and name what they compute inside', () => {
    const text = specOf(block);
    const straight = open(text);
    for (let i = 0; i < 7; i++) straight.step();
    const hash = straight.stateHash();
    for (let i = 0; i < 9; i++) straight.step();
    straight.seek(7);
    expect(straight.stateHash()).toBe(hash);
    expect(straight.model.layers[3].internals.map(({ shortName, shape }) => [shortName, shape])).toEqual([
      ['q', [3, 4]],
      ['k', [3, 4]],
      ['v', [3, 4]],
      ['scores', [2, 3, 3]],
      ['weights', [2, 3, 3]],
      ['heads', [3, 4]],
    ]);
    straight.step();
    const { data: weights } = straight.pass.internal(3, 'weights')!;
    // Each position's weights are a distribution.
    for (let from = 0; from < weights.length; from += 3)
      expect(weights[from] + weights[from + 1] + weights[from + 2]).toBeCloseTo(1, 6);
  });

  it('attends across two sequences named in "inputs"', () => {
    const layers = [
      embedding({ name: 'tokens' }),
      { type: 'linear', out_features: 4, name: 'memory' },
      { type: 'multihead_attention', num_heads: 2, is_causal: true, inputs: ['tokens', 'memory'] },
      ...classify,
    ];
    expect(problemsOf(specOf(layers))).toEqual([]);
    const text = specOf(layers);
    expect(checkNow(open(text)).counts.wrong).toBe(0);
  });

  it('a row for padding starts at 0 and stays there', () => {
    const text = specOf([embedding({ padding_idx: 1 }), ...classify], { optimizer: { type: 'adam', lr: 0.1 } });
    const session = open(text);
    for (let i = 0; i < 5; i++) session.step();
    const { data: table } = session.network.parameters[0].value;
    expect([...table.subarray(4, 8)]).toEqual([0, 0, 0, 0]);
    expect(table.subarray(0, 4).some((value) => value === 0)).toBe(false);
    expect(checkNow(session).counts.wrong).toBe(0);
  });

  it('a row for padding that is not 0 is output, and gets no gradient', () => {
    const session = open(specOf([embedding({ padding_idx: 1 }), ...classify]));
    const { value, gradient } = session.network.parameters[0];
    value.data.fill(2, 4, 8);
    session.step();
    const { input, outputs } = session.passToCheck();
    const padded = [...input.data].flatMap((index, i) => (Math.round(index) === 1 ? i : []));
    expect(padded.length).toBeGreaterThan(0);
    for (const i of padded) expect([...outputs[0].data.subarray(i * 4, (i + 1) * 4)]).toEqual([2, 2, 2, 2]);
    expect([...gradient.data.subarray(4, 8)]).toEqual([0, 0, 0, 0]);
    // The padding is a constant for the check too, alone and in the network.
    const { counts, layers } = checkNow(session);
    expect(counts.wrong).toBe(0);
    expect(layers[0].tensors.map(({ verdict }) => verdict)).not.toContain('wrong');
  });
});

describe('a class at each position', () => {
  const text = 'abcabdabcabdabcabd';
  const next = (more: object = {}, loss: unknown = 'cross_entropy', width = 4): string =>
    JSON.stringify({
      data: { type: 'text', text, length: 4, stride: 2, split: { validation: 0.3 }, ...more },
      layers: [
        { type: 'embedding', num_embeddings: 4, embedding_dim: width, name: 'tokens' },
        { type: 'residual', layers: [{ type: 'multihead_attention', num_heads: 2, is_causal: true }] },
        { type: 'linear', out_features: 4, bias: false, share: 'tokens.weight' },
      ],
      loss,
      optimizer: { type: 'adam', lr: 0.02 },
      batch_size: 3,
      epochs: 60,
    });

  it('has a loss and an accuracy that are means over the positions', () => {
    const session = open(next());
    const { run, network } = session;
    const { train } = run.split;
    const pass = network.evaluationPass(train.length);
    pass.loadBatch(run.dataset.inputs, run.targets, train, 0);
    pass.evaluate();
    let [loss, correct] = [0, 0];
    const logits = pass.prediction.data;
    train.forEach((sample, row) => {
      for (let t = 0; t < 4; t++) {
        const own = [...logits.subarray((row * 4 + t) * 4, (row * 4 + t + 1) * 4)];
        const target = run.dataset.targets[sample * 4 + t];
        loss += Math.log(own.reduce((sum, x) => sum + Math.exp(x), 0)) - own[target];
        if (own.indexOf(Math.max(...own)) === target) correct++;
      }
    });
    const evaluation = session.evaluate().train!;
    expect(evaluation.loss).toBeCloseTo(loss / (4 * train.length), 5);
    expect(evaluation.accuracy).toBeCloseTo(correct / (4 * train.length), 12);
    expect(evaluation.perplexity).toBeCloseTo(Math.exp(loss / (4 * train.length)), 4);
  });

  it('is learned, checked, and predicted for every position', () => {
    const session = open(next({ split: { validation: 0 } }));
    while (session.position.step < session.totalSteps) session.step();
    // What follows "ab" depends on what comes before it, which the first positions of a sample do not know.
    expect(session.evaluate().train!.accuracy).toBeGreaterThan(0.8);
    expect(checkNow(session).counts.wrong).toBe(0);
    const found = runQuery(session, { type: 'predictions', split: 'train' }).value as PredictionSummary;
    expect(found.loss).toBeCloseTo(session.evaluate().train!.loss, 5);
    expect(found.confusion?.reduce((a, b) => a + b, 0)).toBe(4 * found.evaluated);
    expect(found.worst[0].predictedClasses).toHaveLength(4);
    expect(found.worst[0].target).toHaveLength(4);
  });

  it('may be the only one', () => {
    const session = open(next({ text: 'abcdabcdabcdabcdabcd', length: 1, stride: 1 }));
    while (session.position.step < session.totalSteps) session.step();
    expect(session.evaluate().train!.accuracy).toBe(1);
    expect(checkNow(session).counts.wrong).toBe(0);
  });

  it('leaves out the class of "ignore_index", in loss, accuracy and perplexity', () => {
    const session = open(
      next({}, { type: 'cross_entropy', ignore_index: 0, label_smoothing: 0.1, weight: [1, 2, 1, 0.5] }),
    );
    session.step();
    expect(checkNow(session).counts.wrong).toBe(0);
    const { correct, labeled } = session.pass.countCorrect();
    const targets = [
      ...session.batch.order.subarray(session.batch.from, session.batch.from + session.batch.size),
    ].flatMap((sample) => [...session.run.dataset.targets.subarray(4 * sample, 4 * sample + 4)]);
    expect(labeled).toBe(targets.filter((target) => target !== 0).length);
    expect(correct).toBeLessThanOrEqual(labeled);
    expect(Number.isFinite(session.evaluate().validation?.perplexity ?? NaN)).toBe(true);
  });

  it.each([
    ['a layer that flattens the positions', 'flatten', {}],
    ['another number of outputs', { type: 'linear', out_features: 3 }, {}],
    ['a loss for one target per sample', 'identity', { loss: 'multi_margin' }],
    ['a weight for too few classes', 'identity', { loss: { type: 'cross_entropy', weight: [1, 2] } }],
    ['a class to ignore that does not exist', 'identity', { loss: { type: 'cross_entropy', ignore_index: 4 } }],
  ])('%s is a problem', (_name, last, more) => {
    const spec = JSON.parse(next()) as { layers: unknown[] };
    const changed = JSON.stringify({ ...spec, ...more, layers: [...spec.layers, last] });
    expect(problemsOf(changed).map(({ code }) => code)).toEqual(['loss-mismatch']);
  });
});

describe('problems', () => {
  it('an index out of range names its sample and position, and has its place', () => {
    const text = specOf([embedding({ num_embeddings: 4 }), ...classify]);
    expect(problemsOf(text)).toEqual([{ code: 'data', text: '4' }]);
    const [{ message }] = loadRun(text, noFiles).problems;
    expect(message).toContain('Sample 2, position 2');
    expect(message).toContain('embedding1');
  });

  it('a number that is no index has its place', () => {
    const inputs = [
      [0, 1],
      [2, 0.5],
    ];
    const text = specOf([embedding(), ...classify], { data: { type: 'inline', inputs, labels: [0, 1] } });
    expect(problemsOf(text)).toEqual([{ code: 'data', text: '0.5' }]);
  });

  it('a transform that changes indices is named', () => {
    const text = specOf([embedding(), ...classify], { transforms: ['standardize'] });
    const [problem] = loadRun(text, noFiles).problems;
    expect(problem.code).toBe('data');
    expect(problem.remedy).toContain('standardize');
  });

  it.each([
    ['an embedding of outputs', [{ type: 'linear', out_features: 3 }, embedding(), ...classify], 'needs-indices'],
    ['attention without positions', [{ type: 'multihead_attention', num_heads: 1 }, ...classify], 'shape-mismatch'],
    ['positions without positions', ['positional_encoding', ...classify], 'shape-mismatch'],
    [
      'heads that do not divide the features',
      [embedding(), { type: 'multihead_attention', num_heads: 3 }, ...classify],
      'shape-mismatch',
    ],
    [
      'another embed_dim',
      [embedding(), { type: 'multihead_attention', num_heads: 1, embed_dim: 6 }, ...classify],
      'shape-mismatch',
    ],
    [
      'a table that is too short',
      [embedding(), { type: 'positional_encoding', max_len: 2 }, ...classify],
      'shape-mismatch',
    ],
    ['padding that is no row', [embedding({ padding_idx: 5 }), ...classify], 'out-of-range'],
  ])('%s', (_name, layers, code) => {
    expect(problemsOf(specOf(layers)).map((problem) => problem.code)).toEqual([code]);
  });
});
