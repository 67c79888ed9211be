// The filters of a convolution below the network diagram: of the selected layer, or of the first convolution.
import { createElements } from '../controls/elements';
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { QueryValue, Query } from '../../src/protocol/panel';
import type { Context, Component, Settings } from '../context';
import { exportActions } from '../controls/export-actions';
import { renderValue } from '../controls/number-value';
import { type Cell, Heatmap, colorScale } from '../canvas/heatmap';
import { pluralize, formatIndex, formatShape } from '../../src/presentation/numbers';
import type { PanelData } from '../state/store';
import { hasOverrides, getOverrides } from '../state/overrides';

type Filters = QueryValue<'filters'>;

/** The query for them; null if the network has no convolution. */
export function filtersQuery(
  { model, layer }: PanelData,
  settings: Settings,
  edges: Query<'filters'>['edges'],
): Query<'filters'> | null {
  const own = (model?.layers ?? []).filter(({ parameters }) =>
    parameters.some(({ shortName, shape }) => shortName === 'weight' && shape.length === 4),
  );
  const found = own.find(({ index }) => index === layer) ?? own[0];
  const counterfactual = getOverrides(settings);
  return found
    ? {
        type: 'filters',
        layer: found.index,
        edges,
        ...(hasOverrides(counterfactual) && { counterfactual, sample: settings.sample }),
      }
    : null;
}

export function mountFilters(host: HTMLElement, context: Context, question: () => Query<'filters'> | null): Component {
  const [head, map, below] = createElements('div', 'div', 'div');
  host.append(head, map, below);
  map.className = 'map';
  head.className = 'map-head';
  let open = false;
  let shown: Filters | null = null;
  const heatmap = new Heatmap(() => text());
  map.append(heatmap.canvas);

  const draw = (): void => {
    const asked = question();
    shown = asked && context.latestResult(asked);
    host.hidden = asked === null;
    map.hidden = shown === null;
    if (!shown) return;
    const { shape, parameter, outputs, inputs } = shown;
    heatmap.canvas.setAttribute(
      'aria-label',
      `Filters ${parameter}, ${formatShape(shape)}: one row per output channel, one column per input channel. Arrow keys move between cells.`,
    );
    heatmap.draw(
      shown,
      colorScale(shown, true),
      context.theme,
      Math.min(map.clientWidth, inputs.length * shape[3]! * 12 + 60),
      undefined,
      { rows: shape[2]!, columns: shape[3]!, rowLabels: outputs, columnLabels: inputs },
    );
  };
  const text = (): void => {
    const asked = question();
    if (!asked) return;
    render(
      html`<div class="chart-head">
          <h2>Filters of <bdi>${context.data.model?.layers[asked.layer]?.name}</bdi></h2>
          <span class="unit"
            >${asked.counterfactual ? html`<b data-tried-filters>What if:</b> ` : nothing}${asked.edges}; a row an
            output channel, a column an input channel</span
          >
        </div>
        <p class="reading" role="status" aria-live="off">
          ${
            !shown
              ? html`<span class="hint"
                  >${asked.counterfactual && asked.edges === 'update' ? 'Counterfactual weights have no update.' : 'Not computed yet in this step.'}</span
                >`
              : heatmap.cursor
                ? cursorInfo(shown, heatmap.cursor)
                : html`<span class="hint">Hover over a cell or use the arrow keys to read its value.</span>`
          }
        </p>`,
      head,
    );
    render(
      shown
        ? html`${omittedNote(shown)}
            <details class="data" @toggle=${toggle}>
              <summary>Table</summary>
              ${open ? renderTable(context, heatmap.canvas, shown) : nothing}
            </details>`
        : nothing,
      below,
    );
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

/** Flat index of the output channel, input channel, row and column of a cell. */
function filterIndex({ shape, outputs, inputs }: Filters, { row, column }: Cell): number[] {
  const height = shape[2]!;
  const width = shape[3]!;
  return [outputs[Math.floor(row / height)]!, inputs[Math.floor(column / width)]!, row % height, column % width];
}

const cursorInfo = (filters: Filters, cell: Cell): TemplateResult =>
  html`<b><bdi>${filters.parameter}</bdi>${formatIndex(filterIndex(filters, cell))}</b>:
    ${renderValue(filters.cells[cell.row * filters.columns + cell.column], { signed: true })}`;

function omittedNote({ shape, outputs, inputs }: Filters): TemplateResult | typeof nothing {
  const [all, shown] = [shape[0]! * shape[1]!, outputs.length * inputs.length];
  return shown < all
    ? html`<p class="hint">
        ${shown} of ${pluralize(all, 'filter')} are shown, evenly chosen; Tensors has the whole ${formatShape(shape)}.
      </p>`
    : nothing;
}

/** One row per filter, its values row by row. */
function renderTable(
  context: Context,
  canvas: HTMLCanvasElement,
  { parameter, shape, outputs, inputs, columns, cells }: Filters,
): TemplateResult {
  const height = shape[2]!;
  const width = shape[3]!;
  const rows = [...outputs].flatMap((output, o) =>
    [...inputs].map((input, i) => ({
      name: formatIndex([output, input]),
      values: Array.from(
        { length: height * width },
        (_, at) => cells[(o * height + Math.floor(at / width)) * columns + i * width + (at % width)],
      ),
    })),
  );
  const places = Array.from({ length: height * width }, (_, at) => formatIndex([Math.floor(at / width), at % width]));
  const exportTable = () => ({
    headers: ['filter', ...places],
    rows: rows.map(({ name, values }) => [name, ...values]),
  });
  return html`<p class="hint">
      ${exportActions(context, { title: `Filters ${parameter}`, table: exportTable, canvas })}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: filters">
      <table>
        <thead>
          <tr>
            <th scope="col">filter</th>
            ${places.map((place) => html`<th scope="col">${place}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ name, values }) =>
              html`<tr>
                <th scope="row">${name}</th>
                ${values.map((cell) => html`<td>${renderValue(cell, { signed: true })}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}
