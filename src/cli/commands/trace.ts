// `nablascope trace`: one training step in full. Every intermediate value of the forward pass, the gradient with
// respect to each, and the parameters before and after the update.
import { counted, grouped, short } from '../../gradcheck/words';
import { locateNonFinite } from '../../session/non-finite';
import { formatShape, type Tensor } from '../../engine/kernels/tensor';
import type { TrainingSession } from '../../session/session';
import type { Call } from '../arguments';
import { EVERYTHING, matrix, type MatrixLimits, percent, SCREEN } from '../format';
import { jsonText, nested } from '../json';
import { openSpec } from '../open';
import { divergence, reachStep, requireStep } from '../reach';
import { EXIT, type ExitCode, paint, type Terminal } from '../terminal';

type TraceCall = Extract<Call, { command: 'trace' }>;

interface Value {
  readonly value: Tensor;
  /** dL/d value. */
  readonly gradient: Tensor;
}

interface ParameterTrace {
  readonly name: string;
  readonly frozen: boolean;
  readonly before: Tensor;
  readonly gradient: Tensor;
  readonly after: Tensor;
}

interface Trace {
  readonly step: number;
  readonly epoch: number;
  readonly batch: number;
  readonly lr: number;
  readonly loss: number;
  readonly accuracy: number | null;
  readonly input: Value;
  readonly target: Tensor;
  readonly layers: readonly {
    readonly name: string;
    readonly kind: string;
    readonly output: Value;
    readonly parameters: readonly ParameterTrace[];
  }[];
}

export async function trace(terminal: Terminal, call: TraceCall): Promise<ExitCode> {
  const { session, warnings } = await openSpec(terminal, call);
  requireStep(session, call.step);
  const reached = await reachStep(terminal, session, call.step - 1);
  if (reached.kind === 'interrupted') return EXIT.interrupted;
  if (reached.kind === 'diverged') {
    if (call.json) terminal.out.write(jsonText({ command: 'trace', file: call.file, problems: warnings, diverged: reached.nonFinite }));
    else terminal.err.write(`${divergence(reached.nonFinite)}\n`);
    return EXIT.failed;
  }
  const traced = takeStep(session);
  if (call.json) terminal.out.write(jsonText({ command: 'trace', file: call.file, name: session.run.name, problems: warnings, backend: session.model.backend, ...toJson(traced) }));
  else terminal.out.write(toText(terminal, session, traced, call.full ? EVERYTHING : SCREEN));
  if (Number.isFinite(traced.loss)) return EXIT.good;
  const nonFinite = locateNonFinite(session);
  terminal.err.write(`${divergence(nonFinite)}\n`);
  return EXIT.failed;
}

const copy = ({ shape, data }: Tensor): Tensor => ({ shape, data: data.slice() });

/** Does the next step of the session and keeps all of it. */
function takeStep(session: TrainingSession): Trace {
  const { lr, network, run } = session;
  const before = network.parameters.map(({ value }) => copy(value));
  // Measured, a step also makes the gradient of the input.
  session.step(true);
  const { pass, place, loss, accuracy, position } = session;
  const { inputGradient } = pass;
  if (!inputGradient) throw new Error('a training pass has a gradient of its input');
  return {
    step: position.step,
    epoch: place.epoch,
    batch: place.batch,
    lr,
    loss: loss ?? NaN,
    accuracy,
    input: { value: pass.input, gradient: inputGradient },
    target: pass.target,
    layers: run.model.layers.map(({ name, definition }, layer) => ({
      name,
      kind: definition.kind,
      output: { value: pass.outputs[layer], gradient: pass.outputGradients[layer] },
      parameters: network.parameters.flatMap(({ shortName, layer: owner, frozen, gradient, value }, i) =>
        owner === layer ? [{ name: shortName, frozen, before: before[i], gradient, after: value }] : [],
      ),
    })),
  };
}

function toText(terminal: Terminal, session: TrainingSession, traced: Trace, limits: MatrixLimits): string {
  const { run, model, totalSteps } = session;
  const { step, epoch, batch, lr, loss, accuracy, input, target, layers } = traced;
  const lines: string[] = [];
  const heading = (text: string): void => void lines.push('', paint(terminal, 'bold', text));
  const tensor = (title: string, { shape, data }: Tensor): void => {
    lines.push(`  ${title}  ${paint(terminal, 'dim', formatShape(shape))}`, ...matrix(shape, data, limits).map((row) => `    ${row}`));
  };
  lines.push(
    `${run.name}: step ${grouped(step)} of ${grouped(totalSteps)} (epoch ${grouped(epoch)}, batch ${grouped(batch)}), ` +
      `${counted(input.value.shape[0], 'sample')}, lr ${lr}, ${run.precision}, ${model.backend}`,
    'Rows are samples; rows of a weight are units. dL/d… is the gradient of the loss.',
  );
  heading('input');
  tensor('value', input.value);
  tensor('dL/d input', input.gradient);
  for (const { name, kind, output, parameters } of layers) {
    heading(name === kind ? name : `${name} (${kind})`);
    tensor('output', output.value);
    tensor('dL/d output', output.gradient);
    for (const parameter of parameters) {
      tensor(parameter.name, parameter.before);
      tensor(`dL/d ${parameter.name}`, parameter.gradient);
      if (parameter.frozen) lines.push(`  ${parameter.name} is frozen: the update leaves it as it is`);
      else tensor(`${parameter.name} after the update`, parameter.after);
    }
  }
  heading(`loss (${run.model.loss.definition.kind})`);
  tensor('target', target);
  lines.push(`  value  ${loss.toPrecision(9)}${accuracy === null ? '' : `, ${percent(accuracy)} of the batch right`}`);
  if (!Number.isFinite(loss)) lines.push(`  ${short(loss)} is no loss to train on`);
  return `${lines.join('\n')}\n`;
}

function toJson({ input, target, layers, ...rest }: Trace) {
  const valueJson = ({ value, gradient }: Value) => ({ shape: value.shape, value: nested(value.shape, value.data), gradient: nested(gradient.shape, gradient.data) });
  return {
    ...rest,
    input: valueJson(input),
    target: { shape: target.shape, value: nested(target.shape, target.data) },
    layers: layers.map(({ name, kind, output, parameters }) => ({
      name,
      kind,
      output: valueJson(output),
      parameters: parameters.map(({ before, gradient, after, ...about }) => ({
        ...about,
        shape: before.shape,
        before: nested(before.shape, before.data),
        gradient: nested(gradient.shape, gradient.data),
        after: nested(after.shape, after.data),
      })),
    })),
  };
}
