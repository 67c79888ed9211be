// A table of what each layer outputs, stores, computes and sees, before anything runs, with totals.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { LayerSummary, LayerInfo, ModelInfo } from '../../src/protocol/panel';
import type { Context, View } from '../context';
import { exportActions } from '../controls/export-actions';
import { renderValue } from '../controls/number-value';
import { pluralize, formatBytes, formatInteger, formatShape } from '../../src/presentation/numbers';
import { describeInputs } from '../../src/presentation/layer-inputs';
import type { TableExport } from '../export/table-export';

const columns = [
  ['output', 'Shape of one sample’s output.'],
  ['parameters', 'Number of entries of its parameters.'],
  ['receptive field', 'Input positions that one output depends on, including padding.'],
  ['fully connected', 'Parameters of a linear layer, with bias, of the same input and output size.'],
  ['multiply-adds', 'Multiply-adds in one sample’s forward pass. Biases and element-wise functions are not counted.'],
  [
    'memory',
    'Memory of its parameters, outputs and gradients during training. The total includes memory that layers share.',
  ],
] as const;

const totalOf = ({ layers }: ModelInfo, of: 'parameters' | 'trained' | 'macs'): number =>
  layers.reduce((sum, { figures }) => sum + figures[of], 0);

export const shapes: View = {
  id: 'shapes',
  title: 'Shapes',
  probes: [],
  mount(host, context) {
    return {
      update(text) {
        const { model } = context.data;
        if (text && model) render(table(context, model), host);
      },
      dispose: () => render(nothing, host),
    };
  },
};

const countCell = (count: number): TemplateResult =>
  html`<td class="number ${count === 0 ? 'zero' : ''}">${count === 0 ? '·' : formatInteger(count)}</td>`;

const formatReceptiveField = ({ receptiveField }: LayerSummary): string =>
  receptiveField === 'all' ? 'all' : formatShape(receptiveField);

function row(layer: LayerInfo, layers: readonly LayerInfo[], context: Context): TemplateResult {
  const { index, name, kind, outputShape, figures } = layer;
  const from = describeInputs(layers, index);
  return html`<tr
    data-shape-of=${name}
    class=${context.data.layer === index ? 'chosen' : ''}
    @click=${() => context.selectLayer(index)}
  >
    <th scope="row">
      <bdi>${name}</bdi>${name.replace(/\d+$/, '') === kind ? nothing : html` <span class="hint">${kind}</span>`}${
        from === null ? nothing : html` <span class="hint" data-inputs>from <bdi>${from}</bdi></span>`
      }
    </th>
    <td class="number">${formatShape(outputShape)}</td>
    ${countCell(figures.parameters)}
    <td class="number">${formatReceptiveField(figures)}</td>
    ${countCell(figures.dense ?? 0)}${countCell(figures.macs)}
    <td class="number">${formatBytes(figures.memory)}</td>
  </tr>`;
}

function table(context: Context, model: ModelInfo): TemplateResult {
  const { layers, inputShape, memory, batchSize } = model;
  const [parameters, trained, macs] = [totalOf(model, 'parameters'), totalOf(model, 'trained'), totalOf(model, 'macs')];
  return html`
    <p class="hint">
      Shapes of one sample; memory with batches of ${pluralize(batchSize, 'sample')}, in ${model.precision}; computed by
      <code>${model.backend}</code>.
      ${trained < parameters ? html`<b>${pluralize(parameters - trained, 'parameter')} frozen.</b>` : nothing}
      ${exportActions(context, { title: 'Shapes', table: () => shapesTable(model) })}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: shapes and sizes by layer">
      <table class="values shapes">
        <thead>
          <tr>
            <th scope="col">layer</th>
            ${columns.map(([name, meaning]) => html`<th scope="col" title=${meaning}>${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">input</th>
            <td class="number">${formatShape(inputShape)}</td>
            ${columns.slice(1).map(() => countCell(0))}
          </tr>
          ${layers.map((layer) => row(layer, layers, context))}
        </tbody>
        <tfoot>
          <tr data-shape-of="total">
            <th scope="row">total</th>
            ${countCell(0)}${countCell(parameters)}${countCell(0)}${countCell(0)}${countCell(macs)}
            <td class="number">${formatBytes(memory)}</td>
          </tr>
        </tfoot>
      </table>
    </div>
    ${model.transforms.length > 0 ? fittedTransforms(model) : nothing}
    <dl class="meanings">
      ${columns.map(
        ([name, meaning]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${meaning}</dd>
          </div>`,
      )}
    </dl>
  `;
}

/** What the transforms of the data learned. */
const fittedTransforms = ({ transforms, samples }: ModelInfo): TemplateResult => html`
  <h2>Transforms of the data</h2>
  <p class="hint">Fitted to the ${pluralize(samples.train, 'training sample')}, applied to every split.</p>
  <div class="scroll" tabindex="0" role="region" aria-label="Table: what transforms of the data learned">
    <table class="values">
      <thead>
        <tr>
          <th scope="col">transform</th>
          <th scope="col" class="text">learned</th>
          <th scope="col">shape</th>
          <th scope="col">smallest</th>
          <th scope="col">largest</th>
          <th scope="col" class="text">values</th>
        </tr>
      </thead>
      <tbody>
        ${transforms.flatMap(({ kind, summary, values }) =>
          values.map(
            ({ name, shape, first, count, min, max }, i) =>
              html`<tr data-fitted=${`${kind} ${name}`}>
                <th scope="row" title=${summary}>${i === 0 ? kind : nothing}</th>
                <td class="text">${name}</td>
                <td class="number">${formatShape(shape)}</td>
                <td>${renderValue(min)}</td>
                <td>${renderValue(max)}</td>
                <td class="text">
                  ${first.map((each, j) => html`${j > 0 ? ', ' : ''}${renderValue(each)}`)}${count > first.length ? `, … ${formatInteger(count)} in all` : ''}
                </td>
              </tr>`,
          ),
        )}
      </tbody>
    </table>
  </div>
`;

/** One row per layer. */
const shapesTable = ({ layers }: ModelInfo): TableExport => ({
  headers: [
    'layer',
    'kind',
    'output',
    'parameters',
    'receptive field',
    'fully connected',
    'multiply-adds',
    'memory in bytes',
  ],
  rows: layers.map(({ name, kind, outputShape, figures }) => [
    name,
    kind,
    outputShape.join('×'),
    figures.parameters,
    formatReceptiveField(figures),
    figures.dense,
    figures.macs,
    figures.memory,
  ]),
});
