// Every value of one tensor of the selected layer: its output, the gradient that arrives there, a parameter, or the
// gradient of one.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { LayerInfo, Question, TensorKind, TensorReading } from '../../src/protocol/panel';
import type { Context, Settings, View } from '../context';
import { takeAway } from '../controls/take-away';
import { icon, value } from '../controls/value';
import { drawLegend } from '../controls/legend';
import { counted, formatIndex, formatShape, fullNumber } from '../numbers';
import { type Cell, Heatmap, type Scale, scaleOf } from '../heatmap';
import type { PanelData } from '../store';

type TensorQuestion = Question<'tensor'>;

const kindNames: Record<TensorKind, string> = {
  output: 'output', output_gradient: 'dL/d output', parameter: 'parameter', parameter_gradient: 'dL/d parameter', buffer: 'buffer',
};

const ofParameter = (kind: TensorKind): boolean => kind === 'parameter' || kind === 'parameter_gradient' || kind === 'buffer';

const selected = (data: PanelData): LayerInfo | undefined => data.model?.layers[data.layer ?? 0];

/** What the settings ask for, as far as the selected layer has it. */
function wantedTensor(data: PanelData, { tensor, parameter }: Settings): TensorQuestion | null {
  const layer = selected(data);
  if (!layer) return null;
  if (!ofParameter(tensor)) return { about: 'tensor', layer: layer.index, kind: tensor };
  const own: readonly { readonly shortName: string }[] = tensor === 'buffer' ? layer.buffers : layer.parameters;
  const found = own.find(({ shortName }) => shortName === parameter) ?? own[0];
  if (!found) return { about: 'tensor', layer: layer.index, kind: tensor === 'parameter_gradient' ? 'output_gradient' : 'output' };
  return { about: 'tensor', layer: layer.index, kind: tensor, parameter: found.shortName };
}

const nameOf = (layer: LayerInfo, { kind, parameter }: TensorQuestion): string =>
  ofParameter(kind) ? `${kind === 'parameter_gradient' ? 'dL/d ' : ''}${layer.name}.${parameter}` : `${kindNames[kind]} of ${layer.name}`;

export const tensors: View = {
  id: 'tensors',
  title: 'Tensors',
  needs: [],
  questions: (data, settings) => {
    const wanted = wantedTensor(data, settings);
    return wanted ? [wanted] : [];
  },
  mount(host, context) {
    const top = document.createElement('div');
    const head = document.createElement('div');
    const map = document.createElement('div');
    const below = document.createElement('div');
    map.className = 'map';
    head.className = 'map-head';
    host.append(top, head, map, below);
    let open = false;
    let shown: TensorReading | null = null;
    let drawn = '';
    let title = '';
    const heatmap = new Heatmap(() => renderBelow());
    map.append(heatmap.canvas);

    const renderBelow = (): void => {
      render(shown ? reading(context, shown, heatmap.cursor) : absence(context), head);
      render(shown ? details(context, { reading: shown, canvas: heatmap.canvas, title }, open, (event) => {
        open = (event.target as HTMLDetailsElement).open;
        renderBelow();
      }) : nothing, below);
      const legend = head.querySelector('canvas');
      if (legend && shown) drawLegend(legend, scaleFor(shown), context.theme);
    };
    const draw = (): void => {
      const { data, theme, settings } = context;
      const wanted = wantedTensor(data, settings);
      shown = wanted && context.answer(wanted);
      map.hidden = shown === null;
      const layer = selected(data);
      if (!shown || !layer || !wanted) return;
      const key = `${data.frame?.sequence} ${theme.version} ${map.clientWidth} ${JSON.stringify(wanted)}`;
      if (key === drawn) return;
      drawn = key;
      title = nameOf(layer, wanted);
      heatmap.canvas.setAttribute('aria-label', `${title}, ${formatShape(shown.shape)}. Arrow keys move from cell to cell.`);
      heatmap.draw(shown, scaleFor(shown), theme, map.clientWidth, { row: shown.rowStride, column: shown.columnStride });
    };
    const resized = new ResizeObserver(draw);
    resized.observe(map);
    return {
      update(text) {
        draw();
        if (!text) return;
        render(chooser(context), top);
        renderBelow();
      },
      dispose() {
        resized.disconnect();
        for (const part of [top, head, below]) render(nothing, part);
      },
    };
  },
};

/** Weights and gradients have signs; an output that is never negative is a magnitude. */
const scaleFor = (reading: TensorReading): Scale => scaleOf(reading, reading.kind !== 'output');

function chooser(context: Context): TemplateResult {
  const { data, settings, set, select } = context;
  const layer = selected(data);
  const wanted = wantedTensor(data, settings);
  if (!layer || !wanted) return html``;
  const choice = (kind: TensorKind, parameter: string | null, label: string) => {
    const on = wanted.kind === kind && (wanted.parameter ?? null) === parameter;
    return html`<button class="segment" aria-pressed=${on ? 'true' : 'false'}
      @click=${() => set({ tensor: kind, ...(parameter !== null && { parameter }) })}>${label}</button>`;
  };
  return html`<div class="chooser">
    <label class="field"><span>Layer</span>
      <select @change=${(event: Event) => select(Number((event.target as HTMLSelectElement).value))}>
        ${data.model?.layers.map(({ index, name }) => html`<option value=${index} ?selected=${index === layer.index}>${name}</option>`)}
      </select>
    </label>
    <span class="segments" role="group" aria-label="Tensor">
      ${choice('output', null, 'output')}${choice('output_gradient', null, 'dL/d output')}
      ${layer.parameters.map(({ shortName }) => html`${choice('parameter', shortName, shortName)}${choice('parameter_gradient', shortName, `dL/d ${shortName}`)}`)}
      ${layer.buffers.map(({ shortName }) => choice('buffer', shortName, shortName))}
    </span>
  </div>`;
}

/** Why there is nothing to see, and what to do. */
function absence({ data, settings }: Context): TemplateResult {
  const wanted = wantedTensor(data, settings);
  const { frame } = data;
  if (!wanted || !frame) return html`<section class="empty"><p>There is no layer to look at.</p></section>`;
  const { step, phase } = frame.position;
  const running = frame.status === 'running' || frame.status === 'seeking';
  if (!running && step === 0 && phase === 0) {
    return html`<section class="empty"><p><b>Nothing measured yet.</b> Press Step (F10) to train one step, or Next phase (F11).</p></section>`;
  }
  if (!running && phase > 0) {
    return html`<section class="empty"><p><b>This step has not come so far yet.</b> Press Next phase (F11) until it has been through this layer.</p></section>`;
  }
  return html`<section class="empty"><p>The engine is asked for this tensor.</p></section>`;
}

/** Above the map, so that it does not move under the pointer: the cell that is pointed at, and the scale. */
function reading(context: Context, reading: TensorReading, cursor: Cell | null): TemplateResult {
  const { columns, cells, rowStride, columnStride } = reading;
  const scale = scaleFor(reading);
  const at = cursor ? cells[cursor.row * columns + cursor.column] : null;
  return html`
    <div class="legend">
      ${value(scale.low)}<canvas aria-hidden="true" width="1" height="1"></canvas>${value(scale.high)}
      <span class="hint">${scale.kind === 'signed' ? 'centred at 0' : 'from 0'}</span>
    </div>
    <p class="reading" role="status" aria-live=${context.data.frame?.status === 'running' ? 'off' : 'polite'}>${
      cursor
        ? html`${span('row', cursor.row, rowStride)}, ${span('column', cursor.column, columnStride)}: ${value(at, { signed: true })}
          <button class="quiet" @click=${() => context.send({ type: 'copy', text: fullNumber(at ?? NaN) })}>${icon('copy')} Copy</button>`
        : html`<span class="hint">Point at a cell, or use the arrow keys, to read its value.</span>`
    }</p>
  `;
}

interface Drawn {
  readonly reading: TensorReading;
  readonly title: string;
  readonly canvas: HTMLCanvasElement;
}

function details(context: Context, drawn: Drawn, open: boolean, toggle: (event: Event) => void): TemplateResult {
  const { reading } = drawn;
  const { rows, columns, rowStride, columnStride, shape } = reading;
  const reduced = rowStride > 1 || columnStride > 1;
  return html`
    <p class="hint">
      Shape <b class="number">${formatShape(shape)}</b>${ofParameter(reading.kind) ? '' : ', the batch in front'}: ${counted(shape.reduce((a, b) => a * b, 1), 'value')},
      smallest ${value(reading.min)}, largest ${value(reading.max)}.
      ${reduced ? html`<b>Reduced:</b> a cell stands for ${rowStride} × ${columnStride} values and shows the one of largest magnitude.` : nothing}
    </p>
    <details class="data" @toggle=${toggle}>
      <summary>Table</summary>
      ${open ? table(context, drawn, `${rows} by ${columns}`) : nothing}
    </details>
  `;
}

function span(word: string, index: number, stride: number): TemplateResult {
  return stride === 1 ? html`${word} <b class="number">${index}</b>` : html`${word}s <b class="number">${index * stride}</b> to <b class="number">${(index + 1) * stride - 1}</b>`;
}

function table(context: Context, { reading, title, canvas }: Drawn, size: string): TemplateResult {
  const { rows, columns, cells, rowStride, columnStride } = reading;
  const row = (i: number): Float64Array => cells.subarray(i * columns, (i + 1) * columns);
  const heads = ['', ...Array.from({ length: columns }, (_, j) => formatIndex([j * columnStride]))];
  const sheet = () => ({ heads, rows: Array.from({ length: rows }, (_, i) => [formatIndex([i * rowStride]), ...row(i)]) });
  return html`
    <p class="hint">${takeAway(context, { title, sheet, canvas })}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${`Table: ${size} values`}><table>
      <thead><tr><th scope="col"><span class="unseen">row</span></th>${Array.from({ length: columns }, (_, j) => html`<th scope="col">${formatIndex([j * columnStride])}</th>`)}</tr></thead>
      <tbody>${Array.from({ length: rows }, (_, i) => html`<tr><th scope="row">${formatIndex([i * rowStride])}</th>${[...row(i)].map((cell) => html`<td>${value(cell, { signed: true })}</td>`)}</tr>`)}</tbody>
    </table></div>
  `;
}
