// `nablascope trace`: one training step in full: every value of the forward pass, the gradient of the loss with respect
// to each, and the parameters before and after the update.
import { pluralize, formatInteger } from '../../presentation/plain-numbers';
import { type LossShare, lossShares } from '../../presentation/loss-shares';
import { countClasses } from '../../engine/datasets/count-classes';
import type { NodeId } from '../../protocol/queries';
import { cachedNodeFormula, cachedNodeNames } from '../../session/node-formulas';
import { targetGradient } from '../../session/target-gradient';
import { locateNonFinite } from '../../session/locate-non-finite';
import { formatShape, type Tensor } from '../../engine/kernels/tensor';
import { shownInternals } from '../../engine/network-model';
import type { TrainingSession } from '../../session/session';
import { type CommandArgs, defineCommand, stepOption } from '../command';
import { NO_LIMITS, formatMatrix, type MatrixLimits, formatPercent, SCREEN_LIMITS } from '../format';
import { printJson, toNestedList } from '../json';
import { openSpec } from '../open-spec';
import { flag } from '../options';
import { EXIT, type ExitCode, type Line, paint, printLines, type Terminal } from '../terminal';
import { describeDivergence, reachStep, requireStep, stoppedEarly } from '../train-to';

const options = {
  step: stepOption(1, 'The step, counted from 1 (default 1)'),
  full: flag({ help: 'Print all rows and columns of large matrices' }),
};

type TraceArgs = CommandArgs<typeof options>;

export const traceCommand = defineCommand({
  description: [
    'Prints one training step in full: the batch, every value of the forward pass, the gradient of the loss ' +
      'with respect to each of them, and every parameter before and after the update with its gradient.',
    'With --json, numbers have all their digits.',
  ],
  options,
  run: trace,
});

interface TensorWithGradient {
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
  /** Each of several losses. */
  readonly losses?: readonly LossShare[];
  readonly accuracy: number | null;
  /** Share of the most frequent class in the batch; null if targets are values. */
  readonly largestClass: number | null;
  readonly input: TensorWithGradient;
  readonly target: Tensor;
  /** What computes the loss, and each node of the backward pass: from the loss to the input. */
  readonly formula: string | null;
  readonly backward: readonly {
    /** What it is the gradient of, in the names of the formulas. */
    readonly name: string;
    readonly formula: string | null;
    readonly gradient: Tensor;
  }[];
  readonly layers: readonly {
    readonly name: string;
    readonly kind: string;
    readonly formula: string | null;
    /** Intermediate values by name. */
    readonly internals: readonly (TensorWithGradient & { readonly name: string })[];
    readonly output: TensorWithGradient;
    readonly parameters: readonly ParameterTrace[];
  }[];
}

async function trace(terminal: Terminal, args: TraceArgs): Promise<ExitCode> {
  const { session, warnings } = await openSpec(terminal, args);
  const step = args.step ?? 1;
  const { name } = session.run;
  requireStep(session, step);
  const reached = await reachStep(terminal, session, step - 1);
  if (reached.kind === 'interrupted') return stoppedEarly(terminal, args, 'trace', session, step, warnings);
  if (reached.kind === 'diverged') {
    if (args.json)
      printJson(terminal, { command: 'trace', file: args.file, name, problems: warnings, diverged: reached.nonFinite });
    else printLines(terminal, terminal.err, [describeDivergence(reached.nonFinite)]);
    return EXIT.failed;
  }
  const traced = traceStep(session);
  if (args.json)
    printJson(terminal, {
      command: 'trace',
      file: args.file,
      name,
      problems: warnings,
      backend: session.model.backend,
      ...toJson(traced),
    });
  else printLines(terminal, terminal.out, toLines(session, traced, args.full ? NO_LIMITS : SCREEN_LIMITS));
  if (Number.isFinite(traced.loss)) return EXIT.success;
  const nonFinite = locateNonFinite(session);
  printLines(terminal, terminal.err, [describeDivergence(nonFinite)]);
  return EXIT.failed;
}

const cloneTensor = ({ shape, data }: Tensor): Tensor => ({ shape, data: data.slice() });

/** Performs the next step of the session and copies what the update overwrites. */
function traceStep(session: TrainingSession): Trace {
  const { lr, network, run } = session;
  const before = network.parameters.map(({ value }) => cloneTensor(value));
  // Only a measured step computes the gradient of the input.
  session.step(true);
  const { pass, batchPosition, loss, accuracy, position } = session;
  const { inputGradient } = pass;
  const { order, from, size } = session.batch;
  const counts = countClasses(run, order.subarray(from, from + size));
  if (!inputGradient) throw new Error('a training pass has a gradient of its input');
  return {
    step: position.step,
    epoch: batchPosition.epoch,
    batch: batchPosition.batch,
    lr,
    loss: loss ?? NaN,
    ...(session.model.losses && { losses: lossShares(session.model, session.losses) }),
    accuracy,
    largestClass: counts && Math.max(...counts) / size,
    input: { value: pass.input, gradient: inputGradient },
    target: pass.target,
    formula: cachedNodeFormula(network, { of: 'loss' })?.text ?? null,
    backward: backwardNodes(session, inputGradient),
    layers: run.model.layers.map((model, layer) => ({
      name: model.name,
      kind: model.definition.kind,
      formula: cachedNodeFormula(network, { of: 'output', layer })?.text ?? null,
      internals: shownInternals(model).map(({ name }) => ({
        name,
        value: pass.internal(layer, name)!,
        gradient: pass.internalGradient(layer, name)!,
      })),
      output: { value: pass.outputs[layer]!, gradient: pass.outputGradients[layer]! },
      parameters: network.parameters.flatMap(({ shortName, layer: owner, frozen, gradient, value }, i) =>
        owner === layer ? [{ name: shortName, frozen, before: before[i]!, gradient, after: value }] : [],
      ),
    })),
  };
}

/** The gradients of the step in the order of the backward pass. */
function backwardNodes(session: TrainingSession, inputGradient: Tensor): Trace['backward'] {
  const { network, pass } = session;
  const names = cachedNodeNames(network);
  const node = (name: string, id: NodeId, gradient: Tensor) => ({
    name,
    formula: cachedNodeFormula(network, id)?.text ?? null,
    gradient,
  });
  const ofTarget = targetGradient(session);
  return [
    node(names.loss, { of: 'loss_gradient' }, { shape: [], data: Float64Array.of(1) }),
    ...(ofTarget ? [node(names.target, { of: 'target_gradient' }, { shape: pass.target.shape, data: ofTarget })] : []),
    ...network.model.layers
      .map((_, layer) => [
        node(names.layer(layer), { of: 'output_gradient', layer }, pass.outputGradients[layer]!),
        ...network.parameters
          .filter((parameter) => parameter.layer === layer)
          .map(({ name, shortName, gradient }) =>
            node(names.parameter(name), { of: 'parameter_gradient', layer, parameter: shortName }, gradient),
          ),
      ])
      .reverse()
      .flat(),
    node(names.input, { of: 'input_gradient' }, inputGradient),
  ];
}

function toLines(session: TrainingSession, traced: Trace, limits: MatrixLimits): Line[] {
  const { run, model, totalSteps } = session;
  const { step, epoch, batch, lr, loss, accuracy, largestClass, input, target, layers, backward } = traced;
  const lines: Line[] = [];
  const heading = (text: string): void => void lines.push('', paint('bold', text));
  const tensor = (title: string, { shape, data }: Tensor): void => {
    lines.push(
      [`  ${title}  `, paint('dim', formatShape(shape))],
      ...formatMatrix(shape, data, limits).map((row) => `    ${row}`),
    );
  };
  lines.push(
    `${run.name}: step ${formatInteger(step)} of ${formatInteger(totalSteps)} ` +
      `(epoch ${formatInteger(epoch)}, batch ${formatInteger(batch)}), ` +
      `${pluralize(input.value.shape[0]!, 'sample')}, lr ${lr}, ${run.precision}, ${model.backend}`,
    'Rows are samples; rows of a weight are units. ∂l/∂x is the gradient of the loss l with respect to x.',
  );
  heading('input');
  tensor('value', input.value);
  const showFormula = (formula: string | null): void => {
    if (formula !== null) lines.push(`  ${formula}`);
  };
  for (const { name, kind, formula, internals, output, parameters } of layers) {
    heading(name === kind ? name : `${name} (${kind})`);
    showFormula(formula);
    for (const parameter of parameters) tensor(parameter.name, parameter.before);
    for (const internal of internals) tensor(internal.name, internal.value);
    tensor('output', output.value);
  }
  heading(`loss (${run.model.loss.definition.kind})`);
  showFormula(traced.formula);
  tensor('target', target);
  lines.push(
    `  value  ${loss.toPrecision(9)}` +
      (accuracy === null ? '' : `, accuracy of the batch ${formatPercent(accuracy)}`) +
      (largestClass === null ? '' : ` (largest class ${formatPercent(largestClass)})`),
  );
  for (const { name, weight, value, share } of traced.losses ?? [])
    lines.push(`  ${name}  ${weight} × ${value?.toPrecision(9)} = ${share?.toPrecision(9)}`);
  lines.push('', paint('bold', 'backward pass, from the loss to the input'));
  for (const { name, formula, gradient } of backward) tensor(formula ?? `∂l/∂${name}`, gradient);
  for (const { name, internals } of layers)
    for (const internal of internals) tensor(`∂l/∂ ${internal.name} of ${name}`, internal.gradient);
  heading('update');
  for (const { name: layer, parameters } of layers)
    for (const { name, frozen, after } of parameters) {
      if (frozen) lines.push(`  ${layer}.${name} is frozen: the update does not change it`);
      else tensor(`${layer}.${name} after the update`, after);
    }
  return lines;
}

function toJson({ input, target, backward, layers, ...rest }: Trace) {
  const valueJson = ({ value, gradient }: TensorWithGradient) => ({
    shape: value.shape,
    value: toNestedList(value.shape, value.data),
    gradient: toNestedList(gradient.shape, gradient.data),
  });
  return {
    ...rest,
    input: valueJson(input),
    target: { shape: target.shape, value: toNestedList(target.shape, target.data) },
    backward: backward.map(({ gradient, ...about }) => ({
      ...about,
      shape: gradient.shape,
      gradient: gradient.shape.length === 0 ? gradient.data[0]! : toNestedList(gradient.shape, gradient.data),
    })),
    layers: layers.map(({ name, kind, formula, internals, output, parameters }) => ({
      name,
      kind,
      formula,
      ...(internals.length > 0 && {
        internals: internals.map((internal) => ({ name: internal.name, ...valueJson(internal) })),
      }),
      output: valueJson(output),
      parameters: parameters.map(({ before, gradient, after, ...about }) => ({
        ...about,
        shape: before.shape,
        before: toNestedList(before.shape, before.data),
        gradient: toNestedList(gradient.shape, gradient.data),
        after: toNestedList(after.shape, after.data),
      })),
    })),
  };
}
