// `nablascope summary`: the shapes and sizes of a network, layer by layer, and what transforms of its data learn, before anything runs.
import { isOrAre } from '../../engine/counted';
import type { FittedTransform } from '../../engine/transforms/apply';
import { counted, grouped } from '../../gradcheck/words';
import { formatBytes, type LayerFigures, type ReceptiveField, type Resolved, summarize } from '../../spec';
import type { Call } from '../arguments';
import { chosen, shapeText, table } from '../format';
import { jsonText } from '../json';
import { resolveSpec } from '../open';
import { EXIT, type ExitCode, paint, type Terminal } from '../terminal';

type SummaryCall = Extract<Call, { command: 'summary' }>;

const total = (figures: readonly LayerFigures[], of: 'parameters' | 'trained' | 'macs'): number =>
  figures.reduce((sum, figure) => sum + figure[of], 0);

export async function summary(terminal: Terminal, call: SummaryCall): Promise<ExitCode> {
  const { resolved, fitted, warnings } = await resolveSpec(terminal, call);
  const { model, spec, size, memory, samples } = resolved;
  const figures = summarize(model, spec.precision, size);
  if (!call.json) {
    terminal.out.write(toText(terminal, resolved, figures, fitted));
    return EXIT.good;
  }
  terminal.out.write(
    jsonText({
      command: 'summary', file: call.file, name: spec.name, problems: warnings,
      inputShape: model.inputShape,
      layers: model.layers.map(({ name, definition, outputShape }, i) => ({ name, kind: definition.kind, outputShape, ...figures[i] })),
      loss: model.loss.definition.kind,
      total: { parameters: total(figures, 'parameters'), trained: total(figures, 'trained'), macs: total(figures, 'macs'), memory },
      batchSize: resolved.batchSize, samples, precision: spec.precision,
      transforms: fitted.map(({ definition: { kind }, values }) => ({
        kind, learned: values.map(({ name, shape, values: all }) => ({ name, shape, values: [...all] })),
      })),
    }),
  );
  return EXIT.good;
}

const count = (value: number): string => (value === 0 ? '·' : grouped(value));

const fieldText = (field: ReceptiveField): string => (field === 'all' ? 'all' : shapeText(field));

/** More are not printed one by one. */
const MOST_VALUES = 4;

const short = (value: number): string => chosen(Number(value.toPrecision(6)));

/** A row for each tensor that a transform learned. */
function learned(terminal: Terminal, fitted: readonly FittedTransform[], samples: number): string[] {
  const rows = fitted.flatMap(({ definition: { kind }, values }) =>
    values.map(({ name, shape, values: all }, i) => {
      const [least, most] = all.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
      const first = [...all.subarray(0, MOST_VALUES)].map(short).join(', ');
      return [i === 0 ? kind : '', name, shapeText(shape), all.length > MOST_VALUES ? `${first}, …` : first, short(least), short(most)];
    }),
  );
  const [titles, ...lines] = table(['Transform', 'Learned', 'Shape', 'Values', 'Smallest', 'Largest'], rows, 4);
  return [paint(terminal, 'bold', titles), ...lines, `Transforms: fitted to the ${counted(samples, 'training sample')}, applied to every part.`];
}

function toText(terminal: Terminal, { model, spec, memory, batchSize, samples }: Resolved, figures: readonly LayerFigures[], fitted: readonly FittedTransform[]): string {
  const head = ['Layer', 'Kind', 'Output', 'Parameters', 'Multiply-adds', 'Memory', 'Receptive field', 'Fully connected'];
  const rows = model.layers.map(({ name, definition, outputShape }, i) => {
    const { parameters, macs, memory: bytes, receptiveField, dense } = figures[i];
    return [
      name, definition.kind, shapeText(outputShape), count(parameters), count(macs), formatBytes(bytes), fieldText(receptiveField),
      dense === null ? '·' : grouped(dense),
    ];
  });
  const [parameters, trained, macs] = (['parameters', 'trained', 'macs'] as const).map((of) => total(figures, of));
  const input = ['input', '·', shapeText(model.inputShape), '·', '·', '·', '·', '·'];
  const sum = ['total', '·', '·', grouped(parameters), grouped(macs), formatBytes(memory), '·', '·'];
  const [titles, ...lines] = table(head, [input, ...rows, sum], 2);
  const [last] = lines.splice(-1);
  return [
    `${spec.name}: ${model.loss.definition.kind}, batches of ${grouped(batchSize)}, ${spec.precision}`,
    '',
    paint(terminal, 'bold', titles),
    ...lines,
    paint(terminal, 'bold', last),
    '',
    ...(fitted.length > 0 ? [...learned(terminal, fitted, samples.train), ''] : []),
    ...(trained < parameters ? [`${grouped(parameters - trained)} of the parameters ${isOrAre(parameters - trained)} frozen.`] : []),
    'Multiply-adds: of one sample\'s way forward, biases and functions of single values not counted.',
    'Memory: of parameters, outputs and gradients while training; the total also holds the data.',
    'Fully connected: parameters of a linear layer, with bias, of the same input and output.',
    '',
  ].join('\n');
}
