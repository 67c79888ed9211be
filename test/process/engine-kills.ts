// Kills the engine process during training, right after a manual change was confirmed: no confirmed change is lost, and
// the restored run is that of a session that was never killed.
import { Random } from '../../src/engine/random';
import type { SessionCommand } from '../../src/protocol/command';
import { TrainingSession } from '../../src/session/session';
import { compileRun } from '../support/session-fixtures';
import { TestEngine } from './built-engine';

/** With the largest, a record takes long to send. */
const HIDDEN = [4, 64, 512];
const FURTHER_STEPS = 5;
const FIRST_CHANGE = { parameter: 'linear2.weight', index: 0, value: 0.5 };

const specOf = (hidden: number): string =>
  JSON.stringify({
    data: { type: 'circles', samples: 100 },
    layers: [
      { type: 'linear', out_features: hidden },
      'tanh',
      { type: 'linear', out_features: hidden },
      'tanh',
      { type: 'linear', out_features: 2 },
    ],
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.05, momentum: 0.9 },
    batch_size: 16,
    epochs: 100_000,
  });

/** @returns what was lost or differs; null if nothing */
export async function checkKill(engineFile: string, seed: number, index: number): Promise<string | null> {
  const random = new Random(seed, `kill ${index}`);
  const text = specOf(HIDDEN[index % HIDDEN.length]!);
  // Before its first checkpoint, a run is restored from its seed, and a record is small.
  const step = 33 + random.integerBelow(20);
  const value = random.normal();
  const command: SessionCommand =
    random.integerBelow(2) === 0
      ? { type: 'setWeights', weights: [{ parameter: 'linear1.weight', index: random.integerBelow(8), value }] }
      : { type: 'fork', step, lr: Math.abs(value), seed: random.integerBelow(100) };
  const engine = new TestEngine(engineFile);
  try {
    await engine.open(text);
    await engine.client.calls.command({ type: 'runToStep', step });
    await engine.until(() => engine.last?.position.step === step && engine.last.target === null);
    // The record of the second change follows that of the first too soon to be sent by itself.
    await engine.client.calls.command({ type: 'setWeights', weights: [FIRST_CHANGE] });
    await engine.client.calls.command(command);
    // Sometimes at once, sometimes while it trains on.
    if (index % 2 === 1) {
      const frames = engine.frames.length;
      await engine.client.calls.command({ type: 'run' });
      await engine.until(() => engine.frames.length > frames);
    }
  } finally {
    process.kill(engine.client.pid!, 'SIGKILL');
    await engine.client.exited;
  }
  const record = engine.records[engine.records.length - 1];
  if (!record) return 'there is no record';
  const isKept = record.changes.some((change) =>
    command.type === 'setWeights'
      ? 'parameter' in change && change.value === value
      : 'lr' in change && command.type === 'fork' && change.lr === command.lr,
  );
  if (!isKept) return `the confirmed ${command.type} at step ${step} is lost`;
  // The run that was never killed.
  const straight = new TrainingSession(compileRun(text), text);
  straight.seek(step);
  straight.setWeights([FIRST_CHANGE]);
  if (command.type === 'setWeights') straight.setWeights(command.weights);
  else if (command.type === 'fork') {
    straight.setLearningRate(command.lr!);
    straight.setSeed(command.seed!);
  }
  const restored = TrainingSession.resume(compileRun(text), record);
  const target = restored.position.step + FURTHER_STEPS;
  restored.seek(target);
  straight.seek(target);
  return restored.stateHash() === straight.stateHash() ? null : `the restored run differs at step ${target}`;
}
