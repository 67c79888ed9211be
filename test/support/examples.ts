// The examples, opened as the terminal and the editor open them, with the layers of their own.
import fs from 'node:fs';
import path from 'node:path';
import { loadLayers } from '../../src/code/load-layers';
import { GradientCheck, type CheckReport } from '../../src/gradcheck';
import { openSpec } from '../../src/session/load';
import { TrainingSession } from '../../src/session/session';
import { type LayerCode, parseSpec, type Problem } from '../../src/spec';
import { filesIn } from './files';

export const folder = path.resolve(__dirname, '../../examples');

/** File names, without their ending. */
export const names = fs.readdirSync(folder).filter((file) => file.endsWith('.nabla.json')).map((file) => path.basename(file, '.nabla.json'));

export const textOf = (name: string): string => fs.readFileSync(path.join(folder, `${name}.nabla.json`), 'utf8');

/** The layers of their own that examples have. */
const code = new Map<string, LayerCode>();
for (const name of names) {
  const { spec } = parseSpec(textOf(name));
  if (spec) code.set(name, await loadLayers(spec, { folder, root: folder }, { enter: () => undefined, leave: () => undefined }));
}

/** @param text in place of the example's own. */
export function open(name: string, text = textOf(name)): { session: TrainingSession; problems: readonly Problem[] } {
  const { run, problems } = openSpec(text, filesIn(folder), code.get(name));
  if (!run) throw new Error(problems.map(({ message }) => message).join('\n'));
  return { session: new TrainingSession(run, text), problems };
}

export const example = (name: string): TrainingSession => open(name).session;

/** An example with a piece of its text replaced. */
export function changed(name: string, from: string, to: string): TrainingSession {
  const text = textOf(name);
  if (!text.includes(from)) throw new Error(`${name} does not say ${from}`);
  return open(name, text.replace(from, to)).session;
}

export function train(session: TrainingSession, steps = session.totalSteps): TrainingSession {
  for (let i = 0; i < steps; i++) session.step();
  return session;
}

export const values = (session: TrainingSession, name: string): number[] =>
  [...session.network.parameters.find((parameter) => parameter.name === name)!.value.data];

export const gradient = (session: TrainingSession, name: string): number[] =>
  [...session.network.parameters.find((parameter) => parameter.name === name)!.gradient.data];

/** Takes a step as far as its update, so that the gradients are those of the weights that stand. */
export function toUpdate(session: TrainingSession): TrainingSession {
  const phases = 2 * session.run.model.layers.length + 3;
  for (let i = 0; i < phases; i++) session.stepPhase();
  if (session.position.phase !== phases) throw new Error(`stands in phase ${session.position.phase}, not ${phases}`);
  return session;
}

/** The gradient check of where a session stands, of the last layers alone where there is more than `entries`. */
export function checked(session: TrainingSession, entries = Infinity): CheckReport {
  const check = new GradientCheck({
    network: session.network, pass: session.passToCheck(), step: session.position.step, options: session.run.gradientCheck, kernels: session.kernelOptions,
  });
  while (check.checked < entries && check.advance(16));
  return check.report();
}
