// Networks with a custom loss or a custom penalty, given as objects.
import type { Loss, Penalty } from '../../src/engine/custom/contract';
import { createCustomLoss } from '../../src/engine/custom/custom-loss';
import { createCustomPenalty } from '../../src/engine/custom/custom-penalty';
import type { LossDefinition } from '../../src/engine/losses/loss';
import { GradientCheck } from '../../src/gradcheck';
import type { CheckReport } from '../../src/protocol/check-report';
import { type CustomLayerProvider, type LoadedRun, loadRun } from '../../src/model-spec';
import { TrainingSession } from '../../src/session/session';
import { specRules } from '../../src/diagnostics';
import { noFiles } from './data-files';

const place = { file: '/losses/mine.ts', line: 7, column: 3 };
const unwatched = { enter: () => undefined, leave: () => undefined };
const located = (defaultExport: unknown) => ({ defaultExport, locate: () => place });

export const customLoss = (loss: unknown): LossDefinition =>
  createCustomLoss('mine.loss.ts', { name: 'the loss', index: 9 }, located(loss), unwatched) as LossDefinition;

export const customPenalty = (penalty: unknown) =>
  createCustomPenalty('mine.penalty.ts', { name: 'the penalty', index: 9 }, located(penalty), unwatched);

interface Custom {
  readonly loss?: Loss;
  readonly penalty?: Penalty;
}

const providerOf = ({ loss, penalty }: Custom): CustomLayerProvider => ({
  getDefinition: () => {
    throw new RangeError('no custom layer');
  },
  ...(loss && { getLoss: () => customLoss(loss) }),
  ...(penalty && { getPenalty: () => customPenalty(penalty) }),
});

/** Three classes of points, five hidden units. */
const textWith = ({ loss, penalty }: Custom, changes: object): string =>
  JSON.stringify({
    data: 'blobs',
    layers: [{ type: 'linear', out_features: 5 }, 'tanh', { type: 'linear', out_features: 3 }],
    loss: loss ? { type: 'custom', module: './mine.loss.ts' } : 'cross_entropy',
    ...(penalty && { penalty: { module: './mine.penalty.ts' } }),
    batch_size: 16,
    ...changes,
  });

export const loadWith = (custom: Custom, changes: object = {}): LoadedRun =>
  loadRun(textWith(custom, changes), noFiles, { customLayers: providerOf(custom), rules: specRules });

export function sessionWith(custom: Custom, changes: object = {}): TrainingSession {
  const { run, problems } = loadWith(custom, changes);
  if (!run) throw new Error(JSON.stringify(problems));
  return new TrainingSession(run, textWith(custom, changes));
}

export function startCheckWith(custom: Custom, changes: object = {}): GradientCheck {
  const session = sessionWith(custom, changes);
  return new GradientCheck({
    network: session.network,
    pass: session.passToCheck(),
    step: 0,
    options: session.run.gradientCheck,
  });
}

export function checkWith(custom: Custom, changes: object = {}): CheckReport {
  const check = startCheckWith(custom, changes);
  while (check.advance(1000));
  return check.report();
}

/** -Σ y log softmax(z), the mean over the batch, by ops. */
export const crossEntropyForward: Loss['forward'] = ({ outputs, targets, ops }) =>
  ops.negate(ops.mean(ops.sum(ops.multiply(targets, ops.logSoftmax(outputs)), 1)));
