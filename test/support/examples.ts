// The examples, opened as in the terminal and the editor, with their custom layers.
import type { CheckReport } from '../../src/protocol/check-report';
import type { Problem } from '../../src/protocol/problem';
import fs from 'node:fs';
import path from 'node:path';
import { importCustomLayers } from '../../src/custom-layers/import-custom-layers';
import { GradientCheck } from '../../src/gradcheck';
import { openSpec } from '../../src/session/open-spec';
import { TrainingSession } from '../../src/session/session';
import { type CustomLayerProvider, parseSpec, withoutSweep } from '../../src/model-spec';
import { variantText } from '../../src/sweep/plan';
import { folderFiles } from './data-files';

export const folder = path.resolve(__dirname, '../../examples');

/** File names without extension. */
export const names = fs
  .readdirSync(folder)
  .filter((file) => file.endsWith('.nabla.json'))
  .map((file) => path.basename(file, '.nabla.json'));

/** The findings that an example shows. */
export const shownFindings: Readonly<Record<string, readonly string[]>> = {
  'scalar-network': ['equal-units', 'equal-outgoing'],
  'saturated-start': ['weights-one-sided'],
  'wrong-probability-gradient': ['equal-units'],
};

export const textOf = (name: string): string => fs.readFileSync(path.join(folder, `${name}.nabla.json`), 'utf8');

/** The custom layers of examples. */
const customLayers = new Map<string, CustomLayerProvider>();
for (const name of names) {
  const { spec } = parseSpec(textOf(name));
  if (spec)
    customLayers.set(
      name,
      await importCustomLayers(spec, { folder, root: folder }, { enter: () => undefined, leave: () => undefined }),
    );
}

/** @param text replaces the text of the example */
export function openExample(
  name: string,
  text = textOf(name),
): { session: TrainingSession; problems: readonly Problem[] } {
  const { run, problems } = openSpec(text, folderFiles(folder), customLayers.get(name));
  if (!run) throw new Error(problems.map(({ message }) => message).join('\n'));
  return { session: new TrainingSession(run, text), problems };
}

export const example = (name: string): TrainingSession => openExample(name).session;

/** An example with a part of its text replaced. */
export function exampleWith(name: string, from: string, to: string): TrainingSession {
  const text = textOf(name);
  if (!text.includes(from)) throw new Error(`${name} does not say ${from}`);
  return openExample(name, text.replace(from, to)).session;
}

/** An example with options set, by their paths as in a sweep. */
export function exampleVariant(name: string, settings: Readonly<Record<string, unknown>>): TrainingSession {
  const { spec } = parseSpec(textOf(name));
  if (!spec) throw new Error(`${name} has errors`);
  return openExample(name, variantText(withoutSweep(spec.source.value), settings)).session;
}

export function train(session: TrainingSession, steps = session.totalSteps): TrainingSession {
  for (let i = 0; i < steps; i++) session.step();
  return session;
}

export const values = (session: TrainingSession, name: string): number[] => [
  ...session.network.parameters.find((parameter) => parameter.name === name)!.value.data,
];

export const gradient = (session: TrainingSession, name: string): number[] => [
  ...session.network.parameters.find((parameter) => parameter.name === name)!.gradient.data,
];

/** Trains a step up to its update, so that the gradients belong to the current weights. */
export function advanceToUpdate(session: TrainingSession): TrainingSession {
  const phases = 2 * session.run.model.layers.length + 3;
  for (let i = 0; i < phases; i++) session.stepPhase();
  if (session.position.phase !== phases) throw new Error(`stands in phase ${session.position.phase}, not ${phases}`);
  return session;
}

/** The gradient check at the session's position; only the last layers if there are more than `entries`. */
export function gradientCheckReport(session: TrainingSession, entries = Infinity): CheckReport {
  const check = new GradientCheck({
    network: session.network,
    pass: session.passToCheck(),
    step: session.position.step,
    options: session.run.gradientCheck,
    kernels: session.kernelOptions,
  });
  while (check.checked < entries && check.advance(16));
  return check.report();
}
