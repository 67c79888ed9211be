// What each layer gives, holds, computes and sees, before anything runs: the table that people know, with its totals.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { LayerFigures, LayerInfo, ModelInfo } from '../../src/protocol/panel';
import type { Context, View } from '../context';
import { takeAway } from '../controls/take-away';
import { value } from '../controls/value';
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
    <th scope="row"><bdi>${name}</bdi>${name === kind ? nothing : html` <span class="hint">${kind}</span>`}</th>
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
      Shapes of one sample; memory with batches of ${counted(batchSize, 'sample')}, in ${model.precision}; computed by <code>${model.backend}</code>.
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
    ${model.transforms.length > 0 ? fitted(model) : nothing}
    <dl class="meanings">${columns.map(([name, meaning]) => html`<div><dt>${name}</dt><dd>${meaning}</dd></div>`)}</dl>
  `;
}

/** What the transforms of the data learned, before anything else happens to it. */
const fitted = ({ transforms, samples }: ModelInfo): TemplateResult => html`
  <h2>Transforms of the data</h2>
  <p class="hint">Fitted to the ${counted(samples.train, 'training sample')}, applied to every part.</p>
  <div class="scroll" tabindex="0" role="region" aria-label="Table: what transforms of the data learned"><table class="values">
    <thead><tr><th scope="col">transform</th><th scope="col" class="text">learned</th><th scope="col">shape</th><th scope="col">smallest</th><th scope="col">largest</th><th scope="col" class="text">values</th></tr></thead>
    <tbody>${transforms.flatMap(({ kind, summary, values }) => values.map(({ name, shape, first, count, min, max }, i) => html`<tr data-fitted=${`${kind} ${name}`}>
      <th scope="row" title=${summary}>${i === 0 ? kind : nothing}</th><td class="text">${name}</td><td class="number">${formatShape(shape)}</td>
      <td>${value(min)}</td><td>${value(max)}</td>
      <td class="text">${first.map((each, j) => html`${j > 0 ? ', ' : ''}${value(each)}`)}${count > first.length ? `, … ${formatCount(count)} in all` : ''}</td>
    </tr>`))}</tbody>
  </table></div>
`;

/** A row a layer. */
const sheetOf = ({ layers }: ModelInfo): Sheet => ({
  heads: ['layer', 'kind', 'output', 'parameters', 'multiply-adds', 'memory in bytes', 'receptive field', 'fully connected'],
  rows: layers.map(({ name, kind, outputShape, figures }) => [
    name, kind, outputShape.join('×'), figures.parameters, figures.macs, figures.memory, field(figures), figures.dense,
  ]),
});
