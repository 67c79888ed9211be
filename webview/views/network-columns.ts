// The columns of a picture of the network: labels, the column of the current phase, and the text for a screen reader.
import type { ColumnLabel, DiagramModel } from '../canvas/network-diagram';
import type { Context } from '../context';
import { formatShape } from '../../src/presentation/numbers';
import { kindLabel, lastCompletedPhase } from '../../src/presentation/phases';

export const columnLabels = ({ data }: Context): ColumnLabel[] => [
  { name: 'input', kind: '', shape: data.model?.inputShape ?? [], inputs: [] },
  ...(data.model?.layers ?? []).map(({ name, kind, outputShape, inputs }) => ({
    name,
    kind: kindLabel(kind),
    shape: outputShape,
    // The first column is the network's input.
    inputs: inputs.map((input) => input + 1),
  })),
];

/** What a picture of the network says to a screen reader. */
export const describeNetwork = (labels: readonly ColumnLabel[], sample: number): string =>
  `The network for sample ${sample}: ${labels.map((_, column) => describeColumn(labels, column)).join(', ')}.`;

/** `add1 4 from tanh1 and linear1`; without its inputs for a column that takes the one before. */
function describeColumn(labels: readonly ColumnLabel[], column: number): string {
  const { name, shape, inputs } = labels[column]!;
  const isSequential = inputs.every((input) => input === column - 1);
  const from = isSequential ? '' : ` from ${inputs.map((input) => labels[input]!.name).join(' and ')}`;
  return `${name} ${formatShape(shape)}${from}`;
}

/** The column of the current phase; for the loss, the last one, with direction backward. */
export function activePhase({ data }: Context): DiagramModel['activePhase'] {
  const phase = lastCompletedPhase(data.model, data.frame);
  if (!phase || !data.model) return null;
  if (phase.kind === 'forward' || phase.kind === 'backward') return { column: phase.layer + 1, direction: phase.kind };
  if (phase.kind === 'loss') return { column: data.model.layers.length, direction: 'forward' };
  return phase.kind === 'loss_backward' ? { column: data.model.layers.length, direction: 'backward' } : null;
}
