// Every value of one tensor of the selected layer: its output, its output gradient, a parameter, or a parameter
// gradient.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { QueryValue, LayerInfo, Query, TensorKind, TensorTile } from '../../src/protocol/panel';
import type { Context, Settings, View } from '../context';
import { exportActions } from '../controls/export-actions';
import { renderIcon, renderValue } from '../controls/number-value';
import { cellMenu } from '../controls/cell-menu';
import { NumberField } from '../controls/number-field';
import { whatIfBar } from '../controls/what-if-bar';
import { drawLegend } from '../controls/legend';
import { pluralize, formatInteger, formatIndex, formatShape, formatExact } from '../../src/presentation/numbers';
import { entryExpression, tensorExpression } from '../../src/presentation/tensor-expressions';
import { type Cell, Heatmap, type ColorScale, colorScale } from '../canvas/heatmap';
import { shownStep } from '../../src/presentation/phases';
import { unravelIndex } from '../../src/presentation/tensor-index';
import { updatePins, getPins } from '../state/pins';
import { openQuery } from '../state/run-queries';
import { PollingQuery } from '../state/polling-query';
import { getOverrides, overrideWeight, activeWhatIfQueries } from '../state/overrides';
import type { PanelData } from '../state/store';

type TensorQuery = Query<'tensor'>;

const kindLabels: Record<TensorKind, string> = {
  output: 'output',
  output_gradient: 'dL/d output',
  parameter: 'parameter',
  parameter_gradient: 'dL/d parameter',
  buffer: 'buffer',
  internal: 'internal',
  internal_gradient: 'dL/d internal',
};

const isParameterKind = (kind: TensorKind): boolean =>
  kind === 'parameter' || kind === 'parameter_gradient' || kind === 'buffer';
const isInternalKind = (kind: TensorKind): boolean => kind === 'internal' || kind === 'internal_gradient';
const isGradient = (kind: TensorKind): boolean => kind.endsWith('_gradient');

/** The tensors among which the kind takes one by its short name. */
const namedTensors = (layer: LayerInfo, kind: TensorKind): readonly { readonly shortName: string }[] =>
  isInternalKind(kind) ? layer.internals : kind === 'buffer' ? layer.buffers : layer.parameters;

/** Unless one is selected, the first layer with parameters. */
const selectedLayer = ({ model, layer }: PanelData): LayerInfo | undefined =>
  layer === null
    ? (model?.layers.find(({ parameters }) => parameters.length > 0) ?? model?.layers[0])
    : model?.layers[layer];

/** The query for the settings, as far as the selected layer has such a tensor. */
function tensorQuery(data: PanelData, { tensor, parameter }: Settings): TensorQuery | null {
  const layer = selectedLayer(data);
  if (!layer) return null;
  if (!isParameterKind(tensor) && !isInternalKind(tensor)) return { type: 'tensor', layer: layer.index, kind: tensor };
  const own = namedTensors(layer, tensor);
  const found = own.find(({ shortName }) => shortName === parameter) ?? own[0];
  if (!found)
    return {
      type: 'tensor',
      layer: layer.index,
      kind: isGradient(tensor) ? 'output_gradient' : 'output',
    };
  return { type: 'tensor', layer: layer.index, kind: tensor, parameter: found.shortName };
}

const tensorLabel = (layer: LayerInfo, { kind, parameter }: TensorQuery): string =>
  parameter !== undefined
    ? `${isGradient(kind) ? 'dL/d ' : ''}${layer.name}.${parameter}`
    : `${kindLabels[kind]} of ${layer.name}`;

export const tensors: View = {
  id: 'tensors',
  title: 'Tensors',
  probes: [],
  queries: (data, settings) => {
    const wanted = tensorQuery(data, settings);
    return [...(wanted && getPins(settings).since === null ? [wanted] : []), ...activeWhatIfQueries(settings)];
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
    let shown: TensorTile | null = null;
    let drawn = '';
    let title = '';
    let answered = 0;
    let compared: TensorComparison | null = null;
    const since = new PollingQuery<'changed_since'>(
      context,
      ({ reachedStep }) => reachedStep === getPins(context.settings).since,
      () => {
        answered++;
        update(true);
      },
    );
    /** The cell whose weight is edited. */
    let picked: Cell | null = null;
    const heatmap = new Heatmap(
      () => renderBelow(),
      (cell) => {
        picked = cell;
        renderBelow();
        host.querySelector<HTMLInputElement>('#tensor-try')?.focus();
      },
    );
    const tryField = new NumberField({
      id: 'tensor-try',
      label: 'What if it were',
      title: 'Show the effect of another value, here and in What if. The run is not changed.',
      width: 'wide',
      onInvalid: (words) => context.notify('warning', words),
      commit(typed) {
        const weight = pickedWeight();
        if (weight) overrideWeight(context, { parameter: weight.parameter, index: weight.index, value: typed });
        return null;
      },
    });
    /** The current value of a single weight. */
    const pickedWeight = () => {
      const [layer, wanted] = [selectedLayer(context.data), tensorQuery(context.data, context.settings)];
      const own = layer?.parameters.find(({ shortName }) => shortName === wanted?.parameter);
      if (!picked || !shown || !own || wanted?.kind !== 'parameter' || shown.rowStride * shown.columnStride !== 1)
        return null;
      if (picked.row >= shown.rows || picked.column >= shown.columns) return null;
      const index = picked.row * shown.columns + picked.column;
      return { parameter: own.name, index, ...picked, value: (compared?.now ?? shown).cells[index]! };
    };
    const tryIt = (): TemplateResult | typeof nothing => {
      const weight = pickedWeight();
      if (!weight)
        return tensorQuery(context.data, context.settings)?.kind === 'parameter' && shown
          ? html`<p class="hint">Click a cell or press Enter to change its value.</p>`
          : nothing;
      const tried = getOverrides(context.settings).weights.find(
        ({ parameter, index }) => parameter === weight.parameter && index === weight.index,
      );
      return html`<div class="chooser">
        <span
          ><bdi>${weight.parameter}</bdi
          >${formatIndex(shown?.shape.length === 1 ? [weight.column] : [weight.row, weight.column])}</span
        >
        ${tryField.template(formatExact(tried?.value ?? weight.value))}
      </div>`;
    };
    map.append(heatmap.canvas);

    /** The entry under the cursor, for the context menu; none where a cell stands for several or for another step. */
    const updateMenu = (): void => {
      const wanted = tensorQuery(context.data, context.settings);
      const { model } = context.data;
      const { cursor, canvas } = heatmap;
      if (!model || !wanted || !shown || !cursor || compared || shown.rowStride * shown.columnStride !== 1)
        delete canvas.dataset.vscodeContext;
      else
        canvas.dataset.vscodeContext = cellMenu(
          tensorExpression(model, wanted),
          shown.shape,
          cursor.row * shown.columns + cursor.column,
        );
    };
    const renderBelow = (): void => {
      updateMenu();
      render(shown ? cursorInfo(context, shown, heatmap.cursor, compared) : emptyMessage(context, since), head);
      render(
        shown
          ? html`${tryIt()}${compared ? differentBatchNote(context, shown) : nothing}${details(
              context,
              { reading: shown, canvas: heatmap.canvas, title },
              open,
              (event) => {
                open = (event.target as HTMLDetailsElement).open;
                renderBelow();
              },
            )}`
          : nothing,
        below,
      );
      const legend = head.querySelector('canvas');
      if (legend && shown) drawLegend(legend, scaleFor(shown, compared), context.theme);
    };
    const draw = (): void => {
      const { data, theme, settings } = context;
      const wanted = tensorQuery(data, settings);
      const pins = getPins(settings);
      const beside =
        wanted && pins.since !== null ? ({ ...wanted, type: 'changed_since', since: pins.since } as const) : null;
      since.request(`${data.runVersion} ${data.frame?.sequence}`, beside);
      compared = since.result;
      shown = beside ? (compared?.[pins.show] ?? null) : wanted && context.latestResult(wanted);
      map.hidden = shown === null;
      const layer = selectedLayer(data);
      if (!shown || !layer || !wanted) return;
      const key = `${compared ? answered : data.frame?.sequence} ${theme.version} ${map.clientWidth} ${JSON.stringify(wanted)} ${JSON.stringify(pins)}`;
      if (key === drawn) return;
      drawn = key;
      title = `${tensorLabel(layer, wanted)}${!beside || pins.show === 'now' ? '' : pins.show === 'then' ? ` at step ${beside.since}` : `, now less that at step ${beside.since}`}`;
      heatmap.canvas.setAttribute(
        'aria-label',
        `${title}, ${formatShape(shown.shape)}. Arrow keys move from cell to cell.`,
      );
      heatmap.draw(shown, scaleFor(shown, compared), theme, map.clientWidth, {
        row: shown.rowStride,
        column: shown.columnStride,
      });
    };
    const resized = new ResizeObserver(draw);
    resized.observe(map);
    const update = (text: boolean): void => {
      draw();
      if (!text) return;
      render(html`${whatIfBar(context, true)}${chooser(context)}`, top);
      renderBelow();
    };
    return {
      update,
      dispose() {
        since.request('', null);
        resized.disconnect();
        for (const part of [top, head, below]) render(nothing, part);
      },
    };
  },
};

/** Weights and gradients are signed; an output that is never negative is a magnitude. */
function scaleFor(reading: TensorTile, compared: TensorComparison | null): ColorScale {
  const difference = reading === compared?.difference;
  const own = colorScale(reading, (reading.kind !== 'output' && reading.kind !== 'internal') || difference);
  const other = difference || !compared ? null : reading === compared.now ? compared.then : compared.now;
  if (!other) return own;
  // The same color scale for both steps, so that switching between them shows the difference.
  const both = colorScale(other, own.kind === 'signed');
  const high = Math.max(own.high, both.high);
  const signed = own.kind === 'signed' || both.kind === 'signed';
  return signed ? { kind: 'signed', low: -high, high } : { kind: 'magnitude', low: 0, high };
}

type TensorComparison = QueryValue<'changed_since'>;

function chooser(context: Context): TemplateResult {
  const { data, settings, updateSettings, selectLayer } = context;
  const layer = selectedLayer(data);
  const wanted = tensorQuery(data, settings);
  if (!layer || !wanted) return html``;
  const choice = (kind: TensorKind, parameter: string | null, label: string) => {
    const on = wanted.kind === kind && (wanted.parameter ?? null) === parameter;
    return html`<button
      class="segment"
      aria-pressed=${on ? 'true' : 'false'}
      @click=${() => updateSettings({ tensor: kind, ...(parameter !== null && { parameter }) })}
    >
      ${label}
    </button>`;
  };
  return html`<div class="chooser">
    <label class="field"
      ><span>Layer</span>
      <select @change=${(event: Event) => selectLayer(Number((event.target as HTMLSelectElement).value))}>
        ${data.model?.layers.map(({ index, name }) => html`<option value=${index} ?selected=${index === layer.index}>${name}</option>`)}
      </select>
    </label>
    <span class="segments" role="group" aria-label="Tensor">
      ${choice('output', null, 'output')}${choice('output_gradient', null, 'dL/d output')}
      ${layer.parameters.map(({ shortName }) => html`${choice('parameter', shortName, shortName)}${choice('parameter_gradient', shortName, `dL/d ${shortName}`)}`)}
      ${layer.internals.map(({ shortName }) => html`${choice('internal', shortName, shortName)}${choice('internal_gradient', shortName, `dL/d ${shortName}`)}`)}
      ${layer.buffers.map(({ shortName }) => choice('buffer', shortName, shortName))}
    </span>
    ${comparisonChooser(context)}
  </div>`;
}

/** The pinned step to compare the tensor with. */
function comparisonChooser(context: Context): TemplateResult | typeof nothing {
  const { steps, since, show } = getPins(context.settings);
  if (steps.length === 0) return nothing;
  const segment = (which: typeof show, label: string) =>
    html`<button
      class="segment"
      aria-pressed=${show === which ? 'true' : 'false'}
      @click=${() => updatePins(context, { show: which })}
    >
      ${label}
    </button>`;
  return html`<label class="field" title="Compare this tensor with a pinned step, which is replayed bit for bit"
      ><span>Since</span>
      <select
        id="since"
        @change=${(event: Event) => updatePins(context, { since: Number((event.target as HTMLSelectElement).value) < 0 ? null : Number((event.target as HTMLSelectElement).value) })}
      >
        <option value="-1" ?selected=${since === null}>no step</option>
        ${steps.map((step) => html`<option value=${step} ?selected=${step === since}>step ${formatInteger(step)}</option>`)}
      </select></label
    >
    ${
      since === null
        ? nothing
        : html`<span class="segments" role="group" aria-label="Shown values">
            ${segment('now', 'now')}${segment('then', `step ${formatInteger(since)}`)}${segment('difference', 'difference')}</span
          >`
    }`;
}

/** Why a comparison is not available. */
function comparisonEmptyMessage(
  { data, settings }: Context,
  { result, error, isBusy }: PollingQuery<'changed_since'>,
): TemplateResult | null {
  const { since } = getPins(settings);
  if (since === null || !data.frame) return null;
  const say = (text: TemplateResult | string) => html`<section class="empty"><p>${text}</p></section>`;
  if (error) return say(error);
  if (since > data.frame.furthestStep)
    return say(
      html`<b>This run has not reached step ${formatInteger(since)}.</b> Run to it, or compare with another step.`,
    );
  if (result && result.reachedStep < since)
    return say(`Replaying to step ${formatInteger(since)}: now at step ${formatInteger(result.reachedStep)}.`);
  if (result && !result.difference)
    return say('The two batches have different sizes and cannot be subtracted. Choose one of the steps.');
  return isBusy ? say('Loading both steps…') : null;
}

/** Why there is nothing to show, and what to do. */
function emptyMessage(context: Context, since: PollingQuery<'changed_since'>): TemplateResult {
  const { data, settings } = context;
  const beside = comparisonEmptyMessage(context, since);
  if (beside) return beside;
  const wanted = tensorQuery(data, settings);
  const { frame } = data;
  if (!wanted || !frame) return html`<section class="empty"><p>This network has no layer.</p></section>`;
  const { step, phase } = frame.position;
  const running = frame.status === 'running' || frame.status === 'seeking';
  if (!running && step === 0 && phase === 0) {
    return html`<section class="empty">
      <p><b>Nothing measured yet.</b> Press Step (F10) to train one step, or Next phase (F11).</p>
    </section>`;
  }
  if (!running && phase > 0) {
    return html`<section class="empty">
      <p><b>Not computed yet in this step.</b> Press Next phase (F11) until it reaches this layer.</p>
    </section>`;
  }
  return html`<section class="empty"><p>Loading tensor…</p></section>`;
}

/** Above the map, so that it does not move under the pointer: the cell at the cursor, and the scale. */
function cursorInfo(
  context: Context,
  reading: TensorTile,
  cursor: Cell | null,
  compared: TensorComparison | null,
): TemplateResult {
  const { columns, cells, rowStride, columnStride } = reading;
  const scale = scaleFor(reading, compared);
  const at = cursor ? cells[cursor.row * columns + cursor.column] : null;
  return html`
    <div class="legend">
      ${renderValue(scale.low)}<canvas aria-hidden="true" width="1" height="1"></canvas>${renderValue(scale.high)}
      <span class="hint">${scale.kind === 'signed' ? 'centered at 0' : 'from 0'}</span>
    </div>
    <p class="reading" role="status" aria-live=${context.data.frame?.status === 'running' ? 'off' : 'polite'}>
      ${
        cursor
          ? html`${strideNote('row', cursor.row, rowStride)}, ${strideNote('column', cursor.column, columnStride)}:
              ${compared && cursor ? html`${comparisonValues(context, compared, cursor)}` : renderValue(at, { signed: true })}
              <button class="quiet" @click=${() => void context.extension.copyText(formatExact(at ?? NaN))}>
                ${renderIcon('copy')} Copy
              </button>
              ${whyButton(context, reading, cursor, compared)} ${sinceButton(context, reading, cursor, compared)}`
          : html`<span class="hint">Point at a cell, or use the arrow keys, to read its value.</span>`
      }
    </p>
  `;
}

/** For a parameter or its gradient, whose cells are entries of a node of the step. */
function whyButton(
  context: Context,
  { kind, rowStride, columnStride, columns }: TensorTile,
  { row, column }: Cell,
  compared: TensorComparison | null,
): TemplateResult | typeof nothing {
  const wanted = tensorQuery(context.data, context.settings);
  if (compared || rowStride * columnStride !== 1 || wanted?.parameter === undefined) return nothing;
  if (kind !== 'parameter' && kind !== 'parameter_gradient') return nothing;
  const node = { of: kind, layer: wanted.layer, parameter: wanted.parameter };
  return html`<button
    class="quiet"
    data-action="why"
    @click=${({ currentTarget }: Event) =>
      context.explain({ node, index: row * columns + column }, currentTarget as Element)}
  >
    ${renderIcon('question')} Why?
  </button>`;
}

/** Searches for the step at which the value of a cell began to be as it is. */
function sinceButton(
  context: Context,
  { shape, rowStride, columnStride, columns, cells }: TensorTile,
  { row, column }: Cell,
  compared: TensorComparison | null,
): TemplateResult | typeof nothing {
  const { data, settings } = context;
  const wanted = tensorQuery(data, settings);
  if (compared || rowStride * columnStride !== 1 || !wanted) return nothing;
  const index = unravelIndex(row * columns + column, shape);
  const entry = entryExpression(tensorExpression(data.model!, wanted), index);
  const value = cells[row * columns + column]!;
  return html`<button
    class="quiet"
    data-action="since"
    title="Search the run for the step at which this value became what it is: its sign, 0, or NaN"
    @click=${() => openQuery(context, sinceQuery(entry, value), shownStep(context.data.frame!))}
  >
    ${renderIcon('history')} When did this start?
  </button>`;
}

/** The last change to the state that a value is in now. */
function sinceQuery(entry: string, value: number): string {
  return Number.isNaN(value) ? `last becomes_nan(${entry})` : `last changes_sign(${entry})`;
}

/** The cell now, then, and their difference. */
function comparisonValues(
  { settings }: Context,
  { now, then, difference }: TensorComparison,
  { row, column }: Cell,
): TemplateResult {
  const at = (reading: TensorTile | null) =>
    reading ? renderValue(reading.cells[row * reading.columns + column], { signed: true }) : renderValue(null);
  return html`<span data-part="now">now ${at(now)}</span>,
    <span data-part="then">at step ${formatInteger(getPins(settings).since ?? 0)} ${at(then)}</span>,
    <span data-part="difference">difference ${at(difference)}</span>`;
}

function differentBatchNote({ data, settings }: Context, { kind }: TensorTile): TemplateResult | typeof nothing {
  if (isParameterKind(kind) || data.model?.batchesPerEpoch === 1) return nothing;
  return html`<p class="hint">
    <b>Another batch:</b> the rows at step ${formatInteger(getPins(settings).since ?? 0)} are other samples than the
    rows now.
  </p>`;
}

interface DrawnTensor {
  readonly reading: TensorTile;
  readonly title: string;
  readonly canvas: HTMLCanvasElement;
}

function details(context: Context, drawn: DrawnTensor, open: boolean, toggle: (event: Event) => void): TemplateResult {
  const { reading } = drawn;
  const { rows, columns, rowStride, columnStride, shape } = reading;
  const reduced = rowStride > 1 || columnStride > 1;
  return html`
    <p class="hint">
      Shape <b class="number">${formatShape(shape)}</b>${isParameterKind(reading.kind) ? '' : ', the batch in front'}:
      ${pluralize(
        shape.reduce((a, b) => a * b, 1),
        'value',
      )},
      smallest ${renderValue(reading.min)}, largest ${renderValue(reading.max)}.
      ${reduced ? html`<b>Reduced:</b> a cell stands for ${rowStride} × ${columnStride} values and shows the one of largest magnitude.` : nothing}
    </p>
    <details class="data" @toggle=${toggle}>
      <summary>Table</summary>
      ${open ? renderTable(context, drawn, `${rows} by ${columns}`) : nothing}
    </details>
  `;
}

function strideNote(word: string, index: number, stride: number): TemplateResult {
  return stride === 1
    ? html`${word} <b class="number">${index}</b>`
    : html`${word}s <b class="number">${index * stride}</b> to <b class="number">${(index + 1) * stride - 1}</b>`;
}

function renderTable(context: Context, { reading, title, canvas }: DrawnTensor, size: string): TemplateResult {
  const { rows, columns, cells, rowStride, columnStride } = reading;
  const row = (i: number): Float64Array => cells.subarray(i * columns, (i + 1) * columns);
  const headers = ['', ...Array.from({ length: columns }, (_, j) => formatIndex([j * columnStride]))];
  const exportTable = () => ({
    headers,
    rows: Array.from({ length: rows }, (_, i) => [formatIndex([i * rowStride]), ...row(i)]),
  });
  return html`
    <p class="hint">${exportActions(context, { title, table: exportTable, canvas })}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${`Table: ${size} values`}>
      <table>
        <thead>
          <tr>
            <th scope="col"><span class="visually-hidden">row</span></th>
            ${Array.from({ length: columns }, (_, j) => html`<th scope="col">${formatIndex([j * columnStride])}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${Array.from(
            { length: rows },
            (_, i) =>
              html`<tr>
                <th scope="row">${formatIndex([i * rowStride])}</th>
                ${[...row(i)].map((cell) => html`<td>${renderValue(cell, { signed: true })}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  `;
}
