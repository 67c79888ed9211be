// Random seeks in a run, with any budget of checkpoints and manual changes, against a run that goes straight to each
// step.
import { Random } from '../../src/engine/random';
import type { TrainingSession } from '../../src/session/session';
import { createSession } from './session-fixtures';

const LAST_STEP = 24;

/** Runs in which going back is difficult: running statistics, random layers, momentum, batches of two sizes. */
const SPECS: readonly object[] = [
  {
    data: { type: 'circles', samples: 50 },
    layers: [{ type: 'linear', out_features: 4 }, 'tanh', { type: 'linear', out_features: 2 }],
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.2, momentum: 0.9 },
    batch_size: 8,
  },
  {
    data: { type: 'moons', samples: 60 },
    layers: [
      { type: 'linear', out_features: 6 },
      'batch_norm1d',
      'relu',
      { type: 'dropout', p: 0.3 },
      { type: 'linear', out_features: 2 },
    ],
    loss: 'cross_entropy',
    optimizer: 'adam',
    schedule: 'cosine',
    batch_size: 16,
    precision: 'float64',
  },
  {
    data: { type: 'images', size: 6, samples: 30, classes: 2 },
    augment: ['random_horizontal_flip'],
    layers: [
      { type: 'conv2d', out_channels: 2, kernel_size: 3, padding: 1 },
      'relu',
      { type: 'max_pool2d', kernel_size: 2 },
      'flatten',
      { type: 'linear', out_features: 2 },
    ],
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.05 },
    batch_size: 7,
  },
];

interface Change {
  readonly step: number;
  readonly apply: (session: TrainingSession) => void;
}

function drawChanges(random: Random): readonly Change[] {
  const changes = Array.from({ length: random.integerBelow(4) }, (): Change => {
    const step = random.integerBelow(LAST_STEP);
    const value = random.normal();
    switch (random.integerBelow(3)) {
      case 0:
        return { step, apply: (session) => void session.setLearningRate(Math.abs(value) / 10) };
      case 1:
        return { step, apply: (session) => void session.setSeed(random.integerBelow(1000)) };
      default:
        return {
          step,
          apply: (session) => session.setWeights([{ parameter: session.network.parameters[0]!.name, index: 0, value }]),
        };
    }
  });
  return changes.sort((a, b) => a.step - b.step);
}

/** The hash of every step, and the session with its changes. */
function straight(
  spec: object,
  changes: readonly Change[],
): { readonly hashes: readonly string[]; readonly session: TrainingSession } {
  const session = createSession({ ...spec, epochs: 20 });
  for (const { step, apply } of changes) {
    session.seek(step);
    apply(session);
  }
  session.seek(0);
  const hashes = [session.stateHash()];
  for (let step = 1; step <= LAST_STEP; step++) {
    session.step();
    hashes.push(session.stateHash());
  }
  return { hashes, session };
}

/**
 * Seeks `count` times in run `index`.
 * @returns what differs; null if nothing does
 */
export function checkSeeks(seed: number, index: number, count: number): string | null {
  const random = new Random(seed, `seeks ${index}`);
  const spec = SPECS[index % SPECS.length]!;
  const changes = drawChanges(random);
  const { hashes, session: source } = straight(spec, changes);
  const session = createSession(
    { ...spec, epochs: 20 },
    {
      checkpointBudget: [0, 3000, 20_000, 2 ** 22][random.integerBelow(4)]!,
      checkpointInterval: 1 + random.integerBelow(8),
    },
  );
  for (const change of source.record().changes) {
    session.seek(change.step);
    if ('lr' in change) session.setLearningRate(change.lr);
    else if ('seed' in change) session.setSeed(change.seed);
    else session.setWeights([change]);
  }
  for (let seek = 0; seek < count; seek++) {
    const step = random.integerBelow(LAST_STEP + 1);
    session.seek(step);
    if (session.stateHash() !== hashes[step]) return `seek ${seek} to step ${step} of run ${index} differs`;
  }
  return null;
}
