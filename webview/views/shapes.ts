// What each layer gives, holds, computes and sees, before anything runs: the table that people know, with its totals.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { LayerFigures, LayerInfo, ModelInfo } from '../../src/protocol/panel';
import type { Context, View } from '../context';
import { takeAway } from '../controls/take-away';
import { counted, formatBytes, formatCount, formatShape } from '../numbers';
import type { Sheet } from '../sheet';

const columns = [
  ['output', 'Shape of one sample’s output.'],
  ['parameters', 'Numbers in its parameters.'],
  ['multiply-adds', 'Of one sample’s way forward; biases and functions of single values are not counted.'],
  ['memory', 'Of its parameters, outputs and gradients while it trains; the total has what all layers share, too.'],
  ['receptive field', 'Places of the input that one output depends on; padding counts.'],
  ['fully connected', 'Parameters of a linear layer, with bias, of the same input and output.'],
] as const;

const sumOf = ({ layers }: ModelInfo, of: 'parameters' | 'trained' | 'macs'): number =>
  layers.reduce((sum, { figures }) => sum + figures[of], 0);

export const shapes: View = {
  id: 'shapes',
  title: 'Shapes',
  needs: [],
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

const number = (count: number): TemplateResult => html`<td class="number ${count === 0 ? 'zero' : ''}">${count === 0 ? '·' : formatCount(count)}</td>`;

const field = ({ receptiveField }: LayerFigures): string => (receptiveField === 'all' ? 'all' : formatShape(receptiveField));

function row(layer: LayerInfo, context: Context): TemplateResult {
  const { index, name, kind, outputShape, figures } = layer;
  return html`<tr data-shape-of=${name} class=${context.data.layer === index ? 'chosen' : ''} @click=${() => context.select(index)}>
    <th scope="row">${name}${name === kind ? nothing : html` <span class="hint">${kind}</span>`}</th>
    <td class="number">${formatShape(outputShape)}</td>
    ${number(figures.parameters)}${number(figures.macs)}
    <td class="number">${formatBytes(figures.memory)}</td>
    <td class="number">${field(figures)}</td>
    ${number(figures.dense ?? 0)}
  </tr>`;
}

function table(context: Context, model: ModelInfo): TemplateResult {
  const { layers, inputShape, memory, batchSize } = model;
  const [parameters, trained, macs] = [sumOf(model, 'parameters'), sumOf(model, 'trained'), sumOf(model, 'macs')];
  return html`
    <p class="hint">
      Shapes of one sample; memory with batches of ${counted(batchSize, 'sample')}, in ${model.precision}.
      ${trained < parameters ? html`<b>${counted(parameters - trained, 'parameter')} frozen.</b>` : nothing}
      ${takeAway(context, { title: 'Shapes', sheet: () => sheetOf(model) })}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: shapes and sizes by layer"><table class="values shapes">
      <thead><tr><th scope="col">layer</th>${columns.map(([name, meaning]) => html`<th scope="col" title=${meaning}>${name}</th>`)}</tr></thead>
      <tbody>
        <tr><th scope="row">input</th><td class="number">${formatShape(inputShape)}</td>${columns.slice(1).map(() => number(0))}</tr>
        ${layers.map((layer) => row(layer, context))}
      </tbody>
      <tfoot><tr data-shape-of="total">
        <th scope="row">total</th>${number(0)}${number(parameters)}${number(macs)}<td class="number">${formatBytes(memory)}</td>${number(0)}${number(0)}
      </tr></tfoot>
    </table></div>
    <dl class="meanings">${columns.map(([name, meaning]) => html`<div><dt>${name}</dt><dd>${meaning}</dd></div>`)}</dl>
  `;
}

/** A row a layer. */
const sheetOf = ({ layers }: ModelInfo): Sheet => ({
  heads: ['layer', 'kind', 'output', 'parameters', 'multiply-adds', 'memory in bytes', 'receptive field', 'fully connected'],
  rows: layers.map(({ name, kind, outputShape, figures }) => [
    name, kind, outputShape.join('×'), figures.parameters, figures.macs, figures.memory, field(figures), figures.dense,
  ]),
});
