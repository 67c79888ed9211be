// System A's support vector machine, compared with one solved in the dual to its KKT conditions
// (test/golden/freeze-kernel.py).
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadRun } from '../../src/model-spec/load';
import { evaluateGrid } from '../../src/session/queries/input-grid';
import type { TrainingSession } from '../../src/session/session';
import '../support/allclose';
import { noFiles } from '../support/data-files';
import { exampleWith, gradientCheckReport, example, openExample, textOf, train, values } from '../support/examples';
import { expectMentions } from './marked-text';

interface SvmCase {
  readonly kernel: string;
  readonly C: number;
  readonly violation: number;
  readonly objective: number;
  readonly dual: number;
  readonly accuracy: number;
  readonly axis: readonly number[];
  /** First coordinate varies fastest. */
  readonly decision: readonly number[];
}

const read = (file: string): unknown => JSON.parse(readFileSync(path.join(__dirname, '../golden', file), 'utf8'));
const svmCases = (read('svm.json') as { cases: SvmCase[] }).cases;
const points = read('svm-points.json') as number[][];

function decisionValues(session: TrainingSession, axis: readonly number[]): number[] {
  const span = { name: '', min: axis[0], max: axis[axis.length - 1] };
  const found: number[] = [];
  evaluateGrid(session.network, [span, span], axis.length, axis.length, ({ prediction }, from, size) => {
    for (let i = 0; i < size; i++) found[from + i] = prediction.data[i];
  });
  return found;
}

describe('the support vector machine', () => {
  it('is trained on the points that the reference was solved for', () => {
    const { dataset, split } = example('svm').run;
    expect(
      [...split.train].flatMap((i) => [...dataset.inputs.slice(2 * i, 2 * i + 2), dataset.targets[i]]),
    ).toBeAllclose(points.flat());
  });

  it.each(svmCases)(
    '$kernel: the same objective, accuracy, and sign of the decision on a grid',
    ({ kernel, C, violation, objective, dual, accuracy, axis, decision }) => {
      // The reference verifies itself: no condition is violated, and no machine can be better than the dual value.
      expect(violation).toBeLessThan(1e-9);
      expect(objective - dual).toBeLessThan(1e-6 * objective);
      const session = train(exampleWith('svm', '"kernel": "rbf"', `"kernel": "${kernel}"`));
      const { loss, accuracy: own } = session.evaluate().train!;
      const squares = values(session, 'decision.weight').reduce((sum, w) => sum + w * w, 0);
      // ½ l2 |w|² + mean hinge is 1 / (C n) times the machine's own objective.
      expect(C * points.length * (0.5 * 0.005 * squares + loss)).toBeCloseTo(objective, 1);
      expect(own).toBe(accuracy);
      const found = decisionValues(session, axis);
      const agreeing = found.filter((value, i) => Math.sign(value) === Math.sign(decision[i])).length;
      expect(agreeing / decision.length).toBeGreaterThanOrEqual(0.99);
    },
  );

  it('has right gradients, including dx in isolation', () => {
    const session = exampleWith('svm', '"centers": 160', '"centers": 20');
    train(session, 3);
    const { counts, layers } = gradientCheckReport(session);
    expect(counts.wrong).toBe(0);
    expect(counts.pass).toBeGreaterThan(0);
    const tensors = layers.flatMap(({ name, tensors: each }) =>
      each.map((tensor) => [name, tensor.name, tensor.counts.wrong, tensor.counts.pass > 0]),
    );
    expect(tensors).toContainEqual(['kernel1', 'input', 0, true]);
    expect(tensors).toContainEqual(['decision', 'weight', 0, true]);
  });

  it('draws other centers for another seed, the same for the same, and keeps them in checkpoints', () => {
    const [first, again, other] = [1, 1, 2].map((seed) => {
      const text = textOf('svm').replace('"centers": 160', '"centers": 20').replace('"seed": 1', `"seed": ${seed}`);
      return openExample('svm', text).session;
    });
    const centers = ({ network }: TrainingSession): number[] => [...network.buffers[0].value.data];
    expect(centers(again)).toEqual(centers(first));
    expect(centers(other)).not.toEqual(centers(first));
    const before = first.stateHash();
    train(first, 5);
    first.seek(0, 0);
    expect(first.stateHash()).toBe(before);
  });
});

describe('the feature map of a kernel', () => {
  it.each(['float32', 'float64'])(
    "gives back the kernel: y · y' is k(x, x') for training samples, in %s",
    (precision) => {
      const session = openExample('svm', textOf('svm').replace('"float64"', `"${precision}"`)).session;
      session.stepPhase();
      session.stepPhase();
      const {
        input,
        outputs: [output],
        batchSize,
      } = session.pass;
      let worst = 0;
      for (let a = 0; a < batchSize; a++) {
        for (let b = 0; b <= a; b++) {
          let dot = 0;
          for (let j = 0; j < 160; j++) dot += output.data[a * 160 + j] * output.data[b * 160 + j];
          const distance = Math.hypot(
            input.data[2 * a] - input.data[2 * b],
            input.data[2 * a + 1] - input.data[2 * b + 1],
          );
          worst = Math.max(worst, Math.abs(dot - Math.exp(-(distance ** 2))));
        }
      }
      expect(worst).toBeLessThan(precision === 'float64' ? 1e-6 : 1e-2);
    },
  );

  it('must be the first layer, with enough training samples', () => {
    const alone = textOf('svm').replace(/,\s*"sweep".*/, '');
    const problems = (from: string, to: string) => loadRun(alone.replace(from, to), noFiles).problems;
    const [notFirst] = problems('"layers": [', '"layers": ["tanh",');
    expect(notFirst.code).toBe('not-first');
    expectMentions(notFirst.message, ['kernel1', 'tanh1']);
    const [tooFew] = problems('"centers": 160', '"centers": 161');
    expect(tooFew.code).toBe('too-few-samples');
    expectMentions(tooFew.message, ['kernel1', '161', '160']);
  });
});
