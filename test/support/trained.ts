// Examples trained with other options, for tests that compare final losses and accuracies.
import type { TrainingSession } from '../../src/session/session';
import { parseSpec } from '../../src/model-spec';
import { exampleVariant, textOf, train } from './examples';

type Settings = Readonly<Record<string, unknown>>;

const sessions = new Map<string, TrainingSession>();

/** An example after training; the same session for the same settings, so do not train it further. */
export function trained(name: string, settings: Settings = {}): TrainingSession {
  const key = JSON.stringify([name, settings]);
  const session = sessions.get(key) ?? train(exampleVariant(name, settings));
  sessions.set(key, session);
  return session;
}

/** The values that an example's sweep lists for an option. */
export function sweepValues(name: string, option: string): readonly unknown[] {
  const found = parseSpec(textOf(name)).spec?.sweep.find(({ path }) => path === option);
  if (!found) throw new Error(`the sweep of ${name} has no ${option}`);
  return found.values;
}

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The mean final loss or accuracy of a split over seeds. */
export const meanOver = (
  seeds: readonly number[],
  name: string,
  settings: Settings,
  part: 'train' | 'validation' | 'test',
  of: 'loss' | 'accuracy' = 'loss',
): number => mean(seeds.map((seed) => trained(name, { ...settings, seed }).evaluate()[part]![of]!));

/** The sample standard deviation (n - 1) of the final losses over seeds. */
export function spreadOver(
  seeds: readonly number[],
  ...of: [string, Settings, 'train' | 'validation' | 'test']
): number {
  const center = meanOver(seeds, ...of);
  const squares = seeds.map((seed) => (meanOver([seed], ...of) - center) ** 2);
  return Math.sqrt((mean(squares) * seeds.length) / (seeds.length - 1));
}

/** The Euclidean norm. */
export const norm = (values: Iterable<number>): number => Math.hypot(...values);

/** A layer's output, and its gradient, for the batch of the step. */
export const output = ({ pass }: TrainingSession, layer: number): number[] => [...pass.outputs[layer].data];
export const outputGradient = ({ pass }: TrainingSession, layer: number): number[] => [
  ...pass.outputGradients[layer].data,
];
