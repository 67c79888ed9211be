// `nablascope summary`: the shapes and sizes of a network, layer by layer, before anything runs.
import { grouped } from '../../gradcheck/words';
import { formatBytes, type LayerFigures, type ReceptiveField, type Resolved, summarize } from '../../spec';
import type { Call } from '../arguments';
import { shapeText, table } from '../format';
import { jsonText } from '../json';
import { resolveSpec } from '../open';
import { EXIT, type ExitCode, paint, type Terminal } from '../terminal';

type SummaryCall = Extract<Call, { command: 'summary' }>;

const total = (figures: readonly LayerFigures[], of: 'parameters' | 'trained' | 'macs'): number =>
  figures.reduce((sum, figure) => sum + figure[of], 0);

export async function summary(terminal: Terminal, call: SummaryCall): Promise<ExitCode> {
  const { resolved, warnings } = await resolveSpec(terminal, call);
  const { model, spec, size, memory, samples } = resolved;
  const figures = summarize(model, spec.precision, size);
  if (!call.json) {
    terminal.out.write(toText(terminal, resolved, figures));
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
    }),
  );
  return EXIT.good;
}

const count = (value: number): string => (value === 0 ? '·' : grouped(value));

const fieldText = (field: ReceptiveField): string => (field === 'all' ? 'all' : shapeText(field));

function toText(terminal: Terminal, { model, spec, memory, batchSize }: Resolved, figures: readonly LayerFigures[]): string {
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
    ...(trained < parameters ? [`${grouped(parameters - trained)} of the parameters are frozen.`] : []),
    'Multiply-adds: of one sample\'s way forward, biases and functions of single values not counted.',
    'Memory: of parameters, outputs and gradients while training; the total also holds the data.',
    'Fully connected: parameters of a linear layer, with bias, of the same input and output.',
    '',
  ].join('\n');
}
