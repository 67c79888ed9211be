// Several losses: what training, evaluation, the check and queries make of them.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Attribution, NodeId } from '../../src/protocol/queries';
import { ReferenceKernels } from '../../src/engine/kernels/reference-kernels';
import { runToCompletion } from '../../src/engine/cooperative-task';
import { GradientCheck } from '../../src/gradcheck';
import { loadRun } from '../../src/model-spec/load';
import { phaseLabel } from '../../src/presentation/phases';
import { observeStep } from '../../src/session/observe-step';
import { evaluate } from '../../src/session/evaluation';
import { runQuery } from '../../src/session/queries';
import { StepValues } from '../../src/session/step-values';
import { TrainingSession } from '../../src/session/session';
import { noFiles } from '../support/data-files';

const spec = {
  data: { type: 'circles', samples: 50 },
  layers: [
    { type: 'linear', out_features: 4, name: 'a' },
    { type: 'tanh', name: 'hidden' },
    { type: 'linear', out_features: 2, name: 'head' },
    { type: 'linear', out_features: 2, name: 'decoder', inputs: ['hidden'] },
    { type: 'linear', out_features: 3, inputs: ['decoder'], name: 'b' },
    'tanh',
    { type: 'linear', out_features: 2, name: 'last' },
  ],
  loss: 'cross_entropy',
  auxiliary_losses: [
    { type: 'cross_entropy', input: 'head', loss_weight: 0.3 },
    { type: 'huber', input: 'decoder', target: 'inputs', loss_weight: 2, delta: 0.5, name: 'reconstruction' },
    { type: 'mse', loss_weight: 0.1 },
  ],
  optimizer: { type: 'sgd', lr: 0.1, momentum: 0.9 },
  batch_size: 8,
  seed: 3,
};

function open(changes: object = {}, options: object = {}): TrainingSession {
  const text = JSON.stringify({ ...spec, ...changes });
  const { run, problems } = loadRun(text, noFiles);
  if (!run) throw new Error(problems[0].message);
  return new TrainingSession(run, text, options);
}

const PRECISE = { precision: 'float64' };
const NAMES = ['last_loss', 'head_loss', 'reconstruction', 'last_loss2'];
const WEIGHTS = [1, 0.3, 2, 0.1];

const weighted = (values: readonly number[]): number => values.reduce((sum, value, i) => sum + WEIGHTS[i] * value, 0);

describe('a run with several losses', () => {
  it('shows each of them, and their weighted sum', () => {
    const session = open(PRECISE);
    expect(session.model.losses?.map(({ name }) => name)).toEqual(NAMES);
    expect(session.losses).toBeNull();
    session.step();
    expect(session.losses).toHaveLength(4);
    expect(weighted(session.losses!)).toBeCloseTo(session.loss!, 14);
  });

  it('gives the same bits in one call as phase by phase, on any step', () => {
    for (const precision of ['float32', 'float64']) {
      const [fused, phases] = [open({ precision }), open({ precision })];
      for (let step = 0; step < 12; step++) {
        fused.step();
        do phases.stepPhase();
        while (phases.position.phase > 0);
        expect(fused.stateHash()).toBe(phases.stateHash());
        expect(fused.loss).toBe(phases.loss);
      }
    }
  });

  it('goes back to any step, bit for bit', () => {
    const straight = open();
    const hashes = [straight.stateHash()];
    for (let step = 1; step <= 20; step++) {
      straight.step();
      hashes.push(straight.stateHash());
    }
    const session = open({}, { checkpointInterval: 4 });
    session.seek(20);
    for (const step of [20, 13, 2, 17, 0, 9]) {
      session.seek(step);
      expect(session.stateHash()).toBe(hashes[step]);
    }
  });

  it('evaluates splits by the mean of each over all samples', () => {
    const session = open(PRECISE);
    session.seek(3);
    const { train } = runToCompletion(evaluate(session.network, session.run));
    const { run, network } = session;
    // One sample at a time.
    const sums = [0, 0, 0, 0];
    const pass = network.evaluationPass(1);
    for (const sample of run.split.train) {
      pass.loadBatch(run.dataset.inputs, run.targets, Uint32Array.of(sample), 0);
      pass.forwardAll();
      pass.lossValues().forEach((value, i) => (sums[i] += value));
    }
    const means = sums.map((sum) => sum / run.split.train.length);
    train!.losses!.forEach((value, i) => expect(value).toBeCloseTo(means[i], 12));
    expect(train!.loss).toBeCloseTo(weighted(means), 12);
  });

  it('has no parts with one loss', () => {
    const session = open({ layers: [{ type: 'linear', out_features: 2 }], auxiliary_losses: [] });
    session.step();
    expect(session.model.losses).toBeUndefined();
    const { train } = runToCompletion(evaluate(session.network, session.run));
    expect(train).not.toHaveProperty('losses');
  });

  it('names each of them in expressions, from the loss phase on', () => {
    const session = open();
    session.step();
    const values = new StepValues(session);
    const phase = session.model.phases.findIndex(({ kind }) => kind === 'loss') + 1;
    NAMES.forEach((name, i) => {
      const operand = values.scopeAt(values.currentPhase).resolve(name, 'value');
      if (typeof operand === 'string' || operand.kind !== 'number') throw new Error(name);
      expect(operand.read()).toBe(session.losses![i]);
      expect(values.computedAt(name, 'value')).toBe(phase);
      expect(typeof values.scopeAt(phase - 1).resolve(name, 'value')).toBe('string');
    });
  });

  it('cannot take the name of another value', () => {
    const others = new StepValues(open()).names.filter(({ group, label }) => group === 'run' && !NAMES.includes(label));
    expect(others.map(({ label }) => label)).toContain('lr');
    for (const { label } of others) {
      const text = JSON.stringify({ ...spec, auxiliary_losses: [{ type: 'mse', input: 'head', name: label }] });
      expect([label, loadRun(text, noFiles).problems[0]?.code]).toEqual([label, 'duplicate-name']);
    }
  });

  it('shows the rules the loss of a whole batch where only some losses are sums', () => {
    const session = open({
      ...PRECISE,
      data: { type: 'circles', samples: 1000, split: { validation: 0, test: 0 } },
      batch_size: 1000,
      optimizer: { type: 'sgd', lr: 0 },
      auxiliary_losses: [
        { type: 'mse', input: 'head', reduction: 'sum' },
        { type: 'mse', input: 'decoder', target: 'inputs' },
      ],
    });
    const observed = vi.spyOn(session.monitor, 'observe');
    session.step(true);
    observeStep(session);
    const [{ loss, sample }] = observed.mock.calls[0];
    expect(session.network.size.evaluationBatchSize).toBeLessThan(1000);
    const { evaluationBatchSize: count } = session.network.size;
    const pass = session.network.evaluationPass(count);
    pass.loadBatch(session.run.dataset.inputs, session.run.targets, session.batch.order, session.batch.from);
    pass.forwardAll();
    const [main, sum, mean] = pass.lossValues();
    expect(sample!.loss).toBeCloseTo(main + (1000 / count) * sum + mean, 9);
    expect(Math.abs(sample!.loss / loss - 1)).toBeLessThan(0.2);
  });
});

describe('the check of several losses', () => {
  const check = (session: TrainingSession) => {
    const task = new GradientCheck({
      network: session.network,
      pass: session.passToCheck(),
      step: session.position.step,
      options: session.run.gradientCheck,
      kernels: { backend: 'reference' },
    });
    while (task.advance(64));
    return task.report();
  };

  it('passes every entry, with shortcuts and without, and each loss in isolation', () => {
    const session = open();
    session.seek(2);
    const { counts, layers, compared, diagnosis } = check(session);
    expect(counts.wrong).toBe(0);
    expect(counts.pass).toBeGreaterThan(45);
    expect(compared.agreed).toBe(true);
    expect(compared.entries).toBeGreaterThan(10);
    expect(diagnosis).toBeNull();
    const losses = layers.filter(({ tensors }) => tensors[0]?.name === 'prediction');
    expect(losses.map(({ name }) => name)).toEqual([null, 'head_loss', 'reconstruction', 'last_loss2']);
    for (const { tensors } of losses) expect(tensors[0].verdict).toBe('pass');
  });

  const plant = (axpby: (out: { data: Float64Array }, x: { data: Float64Array }, b: number) => void) => {
    const spy = vi
      .spyOn(ReferenceKernels.prototype, 'axpby')
      .mockImplementation((out, x, _a, b) => axpby(out as never, x as never, b));
    onTestFinished(() => spy.mockRestore());
  };

  it('names a loss whose gradient is forgotten, added twice, or not weighted', () => {
    const session = open({
      auxiliary_losses: [{ type: 'mse', loss_weight: 0.25 }],
      layers: spec.layers.slice(0, 2).concat([{ type: 'linear', out_features: 2, name: 'last' }]),
    });
    session.seek(2);
    const causeWith = (factor: (weight: number) => number) => {
      plant((out, x, b) => out.data.forEach((value, i) => (out.data[i] = value + factor(b) * x.data[i])));
      const { counts, diagnosis } = check(session);
      expect(counts.wrong).toBeGreaterThan(0);
      return diagnosis!.cause;
    };
    expect(causeWith(() => 0)).toBe('contribution_missing');
    expect(causeWith((weight) => 2 * weight)).toBe('contribution_twice');
    expect(causeWith(() => 1)).toBe('scale_missing');
  });
});

describe('why, with several losses', () => {
  const ask = (node: NodeId, index = 1): Attribution => {
    const session = open(PRECISE);
    session.step(true);
    const { value } = runQuery(session, { type: 'attribution', node, index, sample: null });
    if (!value) throw new Error('no answer');
    return value;
  };

  it('the gradient of an output that a loss and a layer take is the sum of both', () => {
    const { kind, terms, remainder, value, formula } = ask({ of: 'output_gradient', layer: 3 });
    expect(kind).toBe('sum');
    expect(terms.reduce((sum, term) => sum + term.value, remainder)).toBeCloseTo(value, 12);
    const ofLoss = terms.filter(({ factors }) => factors.some(({ name }) => name === 'loss weight'));
    expect(ofLoss).toHaveLength(1);
    expect(ofLoss[0].factors[0].value).toBe(2);
    expect(formula).not.toBeNull();
  });

  it('the gradient of a head comes from its output and the targets by a rule', () => {
    const { kind, terms } = ask({ of: 'output_gradient', layer: 2 });
    expect(kind).toBe('rule');
    const sources = new Set(terms.flatMap(({ factors }) => factors.map(({ source }) => source!.node.of)));
    expect([...sources].sort()).toEqual(['output', 'target']);
  });

  it('the gradient of the targets comes from all that the losses which compare with them take', () => {
    const { terms } = ask({ of: 'target_gradient' });
    const nodes = terms.flatMap(({ factors }) => factors.map(({ source }) => source!.node));
    expect(new Set(nodes.map((node) => (node.of === 'output' ? node.layer : node.of)))).toEqual(
      new Set([2, 6, 'target']),
    );
  });

  it('knows the gradient of an output after the losses, or after the first layer that takes it', () => {
    const session = open();
    const lossBackward = session.model.phases.findIndex(({ kind }) => kind === 'loss_backward');
    expect(phaseLabel(session.model, session.model.phases[lossBackward])).toBe('backward: loss');
    session.seek(0, lossBackward + 1);
    const known = session.model.layers.map(({ index }) => session.progress.hasOutputGradient(index));
    expect(known).toEqual([false, false, true, false, false, false, true]);
  });
});
