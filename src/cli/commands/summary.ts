// `nablascope summary`: shapes and sizes of a network, layer by layer, and what the transforms of its data learn.
// Trains nothing.
import type { LayerSummary, ReceptiveField } from '../../protocol/model-info';
import { isOrAre } from '../../engine/format-count';
import type { FittedTransform } from '../../engine/transforms/apply-transforms';
import { pluralize, formatInteger } from '../../presentation/plain-numbers';
import { hasBranches, inputNames } from '../../presentation/layer-inputs';
import type { NetworkModel } from '../../engine/network-model';
import { inputsOf } from '../../engine/network-graph';
import { formatBytes, type Resolved, summarize } from '../../model-spec';
import { defineCommand, type CommonArgs } from '../command';
import { formatShortest, shapeText, formatTable } from '../format';
import { printJson } from '../json';
import { resolveSpec } from '../open-spec';
import { EXIT, type ExitCode, type Line, paint, printLines, type Terminal } from '../terminal';

export const summaryCommand = defineCommand({
  description: [
    'Prints the output shape, parameters, multiply-adds, memory and receptive field of every layer, the ' +
      'parameters of a fully connected layer of the same input and output, and what the transforms of the data ' +
      'learned. Nothing is trained.',
  ],
  options: {},
  run: summary,
});

const sumFigures = (figures: readonly LayerSummary[], of: 'parameters' | 'trained' | 'macs'): number =>
  figures.reduce((sum, figure) => sum + figure[of], 0);

async function summary(terminal: Terminal, args: CommonArgs): Promise<ExitCode> {
  const { resolved, fitted, problems, isTooLarge } = await resolveSpec(terminal, args);
  const exit = isTooLarge ? EXIT.usageError : EXIT.success;
  const { model, spec, size, memory, samples } = resolved;
  const figures = summarize(model, spec.precision, size);
  const connected = connectedLayers(model);
  const shared = sharedParameterNames(model);
  if (!args.json) {
    printLines(terminal, terminal.out, toLines(resolved, figures, fitted));
    return exit;
  }
  printJson(terminal, {
    command: 'summary',
    file: args.file,
    name: spec.name,
    problems,
    inputShape: model.inputShape,
    layers: model.layers.map(({ name, definition, outputShape }, i) => ({
      name,
      kind: definition.kind,
      inputs: inputNames(connected, i),
      ...(shared.has(name) && { shares: shared.get(name) }),
      outputShape,
      ...figures[i],
    })),
    loss: model.loss.definition.kind,
    ...(model.auxiliaryLosses && {
      auxiliaryLosses: model.auxiliaryLosses.map(({ name, definition, weight, layer, target }) => ({
        name,
        kind: definition.kind,
        weight,
        layer: model.layers[layer]!.name,
        target,
      })),
    }),
    total: {
      parameters: sumFigures(figures, 'parameters'),
      trained: sumFigures(figures, 'trained'),
      macs: sumFigures(figures, 'macs'),
      memory,
    },
    batchSize: resolved.batchSize,
    samples,
    precision: spec.precision,
    transforms: fitted.map(({ definition: { kind }, values }) => ({
      kind,
      learned: values.map(({ name, shape, values: all }) => ({ name, shape, values: [...all] })),
    })),
  });
  return exit;
}

const connectedLayers = (model: NetworkModel) =>
  model.layers.map(({ name }, i) => ({ name, inputs: inputsOf(model, i) }));

/** The parameters of other layers that layers use, by the layer's name. */
const sharedParameterNames = ({ layers }: NetworkModel): ReadonlyMap<string, readonly string[]> =>
  new Map(
    layers.flatMap(({ name, sharedParameters = {} }) => {
      const shared = Object.entries(sharedParameters).map(([short, owner]) => `${layers[owner]!.name}.${short}`);
      return shared.length > 0 ? [[name, shared] as const] : [];
    }),
  );

const formatCount = (value: number): string => (value === 0 ? '·' : formatInteger(value));

const formatReceptiveField = (field: ReceptiveField): string => (field === 'all' ? 'all' : shapeText(field));

/** Maximum number of values of a learned tensor that are printed individually. */
const MAX_VALUES = 4;

const formatNumber = (value: number): string => formatShortest(Number(value.toPrecision(6)));

/** One row per tensor that a transform learned. */
function transformLines(fitted: readonly FittedTransform[], samples: number): Line[] {
  const rows = fitted.flatMap(({ definition: { kind }, values }) =>
    values.map(({ name, shape, values: all }, i) => {
      const [min, max] = all.reduce(
        ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
        [Infinity, -Infinity],
      );
      const first = [...all.subarray(0, MAX_VALUES)].map(formatNumber).join(', ');
      return [
        i === 0 ? kind : '',
        name,
        shapeText(shape),
        all.length > MAX_VALUES ? `${first}, …` : first,
        formatNumber(min),
        formatNumber(max),
      ];
    }),
  );
  const [titles, ...lines] = formatTable(['Transform', 'Learned', 'Shape', 'Values', 'Smallest', 'Largest'], rows, 4);
  return [
    paint('bold', titles),
    ...lines,
    `Transforms: fitted to the ${pluralize(samples, 'training sample')}, applied to every split.`,
  ];
}

function toLines(
  { model, spec, memory, batchSize, samples }: Resolved,
  figures: readonly LayerSummary[],
  fitted: readonly FittedTransform[],
): Line[] {
  const head = [
    'Layer',
    'Kind',
    'Output',
    'Parameters',
    'Multiply-adds',
    'Memory',
    'Receptive field',
    'Fully connected',
  ];
  const connected = connectedLayers(model);
  const branches = hasBranches(connected);
  if (branches) head.splice(2, 0, 'Inputs');
  const withInputs = (row: string[], inputs: string): string[] =>
    branches ? [...row.slice(0, 2), inputs, ...row.slice(2)] : row;
  const rows = model.layers.map(({ name, definition, outputShape }, i) => {
    const { parameters, macs, memory: bytes, receptiveField, dense } = figures[i]!;
    const row = [
      name,
      definition.kind,
      shapeText(outputShape),
      formatCount(parameters),
      formatCount(macs),
      formatBytes(bytes),
      formatReceptiveField(receptiveField),
      dense === null ? '·' : formatInteger(dense),
    ];
    return withInputs(row, inputNames(connected, i).join(', '));
  });
  const parameters = sumFigures(figures, 'parameters');
  const trained = sumFigures(figures, 'trained');
  const macs = sumFigures(figures, 'macs');
  const input = ['input', '·', shapeText(model.inputShape), '·', '·', '·', '·', '·'];
  const totalRow = ['total', '·', '·', formatInteger(parameters), formatInteger(macs), formatBytes(memory), '·', '·'];
  const [titles, ...lines] = formatTable(
    head,
    [withInputs(input, '·'), ...rows, withInputs(totalRow, '·')],
    branches ? 3 : 2,
  );
  const last = lines.pop()!;
  return [
    `${spec.name}: ${model.loss.definition.kind}, batch size ${formatInteger(batchSize)}, ${spec.precision}`,
    '',
    paint('bold', titles),
    ...lines,
    paint('bold', last),
    '',
    ...(fitted.length > 0 ? [...transformLines(fitted, samples.train), ''] : []),
    ...(model.auxiliaryLosses ?? []).map(
      ({ name, definition, weight, layer, target }) =>
        `${name}: ${definition.kind} of ${model.layers[layer]!.name} and the ${target}, added with the weight ${weight}.`,
    ),
    ...[...sharedParameterNames(model)].map(([name, shared]) => `${name} uses ${shared.join(', ')}.`),
    ...(trained < parameters
      ? [`${formatInteger(parameters - trained)} of the parameters ${isOrAre(parameters - trained)} frozen.`]
      : []),
    "Multiply-adds: in one sample's forward pass. Biases and element-wise functions are not counted.",
    'Memory: parameters, outputs and gradients during training. The total includes the data.',
    'Fully connected: parameters of a linear layer with bias, of the same input and output.',
  ];
}
