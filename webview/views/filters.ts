// The filters of a convolution under the picture of the network: of the selected layer, or of the first that has any.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { AnswerTo, Question } from '../../src/protocol/panel';
import type { Context, Mounted, Settings } from '../context';
import { takeAway } from '../controls/take-away';
import { value } from '../controls/value';
import { type Cell, Heatmap, scaleOf } from '../heatmap';
import { counted, formatIndex, formatShape } from '../numbers';
import type { PanelData } from '../store';
import { isTried, triedOf } from '../what-if';

type Filters = AnswerTo<'filters'>;

/** The question about them; null where the network has no convolution. */
export function filtersOf({ model, layer }: PanelData, settings: Settings, edges: Question<'filters'>['edges']): Question<'filters'> | null {
  const own = (model?.layers ?? []).filter(({ parameters }) => parameters.some(({ shortName, shape }) => shortName === 'weight' && shape.length === 4));
  const found = own.find(({ index }) => index === layer) ?? own[0];
  const tried = triedOf(settings);
  return found ? { about: 'filters', layer: found.index, edges, ...(isTried(tried) && { tried, sample: settings.sample }) } : null;
}

export function mountFilters(host: HTMLElement, context: Context, question: () => Question<'filters'> | null): Mounted {
  const [head, map, below] = Array.from({ length: 3 }, () => document.createElement('div'));
  host.append(head, map, below);
  map.className = 'map';
  head.className = 'map-head';
  let open = false;
  let shown: Filters | null = null;
  const heatmap = new Heatmap(() => text());
  map.append(heatmap.canvas);

  const draw = (): void => {
    const asked = question();
    shown = asked && context.answer(asked);
    host.hidden = asked === null;
    map.hidden = shown === null;
    if (!shown) return;
    const { shape, parameter, outputs, inputs } = shown;
    heatmap.canvas.setAttribute('aria-label', `Filters ${parameter}, ${formatShape(shape)}: a row an output channel, a column an input channel. Arrow keys move from cell to cell.`);
    heatmap.draw(shown, scaleOf(shown, true), context.theme, Math.min(map.clientWidth, inputs.length * shape[3] * 12 + 60), undefined, { rows: shape[2], columns: shape[3], rowNames: outputs, columnNames: inputs });
  };
  const text = (): void => {
    const asked = question();
    if (!asked) return;
    render(html`<div class="chart-head"><h2>Filters of <bdi>${context.data.model?.layers[asked.layer]?.name}</bdi></h2><span class="unit">${asked.tried ? html`<b data-tried-filters>What if:</b> ` : nothing}${asked.edges}; a row an output channel, a column an input channel</span></div>
      <p class="reading" role="status" aria-live="off">${
        !shown ? html`<span class="hint">${asked.tried && asked.edges === 'update' ? 'What is only tried is not updated.' : 'The step has not come so far yet.'}</span>`
        : heatmap.cursor ? reading(shown, heatmap.cursor)
        : html`<span class="hint">Point at a cell, or use the arrow keys, to read its value.</span>`
      }</p>`, head);
    render(shown ? html`${omitted(shown)}<details class="data" @toggle=${toggle}><summary>Table</summary>${open ? table(context, heatmap.canvas, shown) : nothing}</details>` : nothing, below);
  };
  const toggle = (event: Event): void => {
    open = (event.target as HTMLDetailsElement).open;
    text();
  };
  return {
    update(withText) {
      draw();
      if (withText) text();
    },
    dispose() {
      for (const part of [head, below]) render(nothing, part);
    },
  };
}

/** Output channel, input channel, row and column of a cell. */
function placeOf({ shape, outputs, inputs }: Filters, { row, column }: Cell): number[] {
  const [, , height, width] = shape;
  return [outputs[Math.floor(row / height)], inputs[Math.floor(column / width)], row % height, column % width];
}

const reading = (filters: Filters, cell: Cell): TemplateResult =>
  html`<b><bdi>${filters.parameter}</bdi>${formatIndex(placeOf(filters, cell))}</b>: ${value(filters.cells[cell.row * filters.columns + cell.column], { signed: true })}`;

function omitted({ shape, outputs, inputs }: Filters): TemplateResult | typeof nothing {
  const [all, shown] = [shape[0] * shape[1], outputs.length * inputs.length];
  return shown < all ? html`<p class="hint">${shown} of ${counted(all, 'filter')} are shown, evenly chosen; Tensors has the whole ${formatShape(shape)}.</p>` : nothing;
}

/** A row a filter, its values row by row. */
function table(context: Context, canvas: HTMLCanvasElement, { parameter, shape, outputs, inputs, columns, cells }: Filters): TemplateResult {
  const [, , height, width] = shape;
  const rows = [...outputs].flatMap((output, o) => [...inputs].map((input, i) => ({
    name: formatIndex([output, input]),
    values: Array.from({ length: height * width }, (_, at) => cells[(o * height + Math.floor(at / width)) * columns + i * width + (at % width)]),
  })));
  const places = Array.from({ length: height * width }, (_, at) => formatIndex([Math.floor(at / width), at % width]));
  const sheet = () => ({ heads: ['filter', ...places], rows: rows.map(({ name, values }) => [name, ...values]) });
  return html`<p class="hint">${takeAway(context, { title: `Filters ${parameter}`, sheet, canvas })}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: filters"><table>
      <thead><tr><th scope="col">filter</th>${places.map((place) => html`<th scope="col">${place}</th>`)}</tr></thead>
      <tbody>${rows.map(({ name, values }) => html`<tr><th scope="row">${name}</th>${values.map((cell) => html`<td>${value(cell, { signed: true })}</td>`)}</tr>`)}</tbody>
    </table></div>`;
}
