// Every value of one tensor of the selected layer: its output, the gradient that arrives there, a parameter, or the
// gradient of one.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { AnswerTo, LayerInfo, Question, TensorKind, TensorReading } from '../../src/protocol/panel';
import type { Context, Settings, View } from '../context';
import { takeAway } from '../controls/take-away';
import { icon, value } from '../controls/value';
import { NumberField } from '../controls/number-field';
import { whatIfBar } from '../controls/what-if-bar';
import { drawLegend } from '../controls/legend';
import { counted, formatCount, formatIndex, formatShape, fullNumber } from '../numbers';
import { type Cell, Heatmap, type Scale, scaleOf } from '../heatmap';
import { keepPins, pinsOf } from '../pins';
import { Slices } from '../slices';
import { triedOf, tryWeight, whatIfIfAny } from '../what-if';
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
    return [...(wanted && pinsOf(settings).since === null ? [wanted] : []), ...whatIfIfAny(settings)];
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
    let answered = 0;
    let compared: Compared | null = null;
    const since = new Slices<'changed_since'>(context, ({ reached }) => reached === pinsOf(context.settings).since, () => {
      answered++;
      update(true);
    });
    /** The cell whose weight is to be tried. */
    let picked: Cell | null = null;
    const heatmap = new Heatmap(() => renderBelow(), (cell) => {
      picked = cell;
      renderBelow();
      host.querySelector<HTMLInputElement>('#tensor-try')?.focus();
    });
    const tryField = new NumberField({
      id: 'tensor-try', label: 'What if it were', title: 'Tries another value, here and in the view What if. The run is not touched.', width: 'wide',
      refuse: (words) => context.notify('warning', words),
      commit(typed) {
        const weight = pickedWeight();
        if (weight) tryWeight(context, { parameter: weight.parameter, index: weight.index, value: typed });
        return null;
      },
    });
    /** A single weight of a parameter as it is now. */
    const pickedWeight = () => {
      const [layer, wanted] = [selected(context.data), wantedTensor(context.data, context.settings)];
      const own = layer?.parameters.find(({ shortName }) => shortName === wanted?.parameter);
      if (!picked || !shown || !own || wanted?.kind !== 'parameter' || shown.rowStride * shown.columnStride !== 1) return null;
      if (picked.row >= shown.rows || picked.column >= shown.columns) return null;
      const index = picked.row * shown.columns + picked.column;
      return { parameter: own.name, index, ...picked, value: (compared?.now ?? shown).cells[index] };
    };
    const tryIt = (): TemplateResult | typeof nothing => {
      const weight = pickedWeight();
      if (!weight) return wantedTensor(context.data, context.settings)?.kind === 'parameter' && shown ? html`<p class="hint">Click a cell, or press Enter on it, to try another value.</p>` : nothing;
      const tried = triedOf(context.settings).weights.find(({ parameter, index }) => parameter === weight.parameter && index === weight.index);
      return html`<div class="chooser"><span><bdi>${weight.parameter}</bdi>${formatIndex(shown?.shape.length === 1 ? [weight.column] : [weight.row, weight.column])}</span>
        ${tryField.template(fullNumber(tried?.value ?? weight.value))}</div>`;
    };
    map.append(heatmap.canvas);

    const renderBelow = (): void => {
      render(shown ? reading(context, shown, heatmap.cursor, compared) : absence(context, since), head);
      render(shown ? html`${tryIt()}${compared ? otherBatch(context, shown) : nothing}${details(context, { reading: shown, canvas: heatmap.canvas, title }, open, (event) => {
        open = (event.target as HTMLDetailsElement).open;
        renderBelow();
      })}` : nothing, below);
      const legend = head.querySelector('canvas');
      if (legend && shown) drawLegend(legend, scaleFor(shown, compared), context.theme);
    };
    const draw = (): void => {
      const { data, theme, settings } = context;
      const wanted = wantedTensor(data, settings);
      const pins = pinsOf(settings);
      const beside = wanted && pins.since !== null ? { ...wanted, about: 'changed_since', since: pins.since } as const : null;
      since.want(`${data.run} ${data.frame?.sequence}`, beside);
      compared = since.answer;
      shown = beside ? (compared?.[pins.show] ?? null) : wanted && context.answer(wanted);
      map.hidden = shown === null;
      const layer = selected(data);
      if (!shown || !layer || !wanted) return;
      const key = `${compared ? answered : data.frame?.sequence} ${theme.version} ${map.clientWidth} ${JSON.stringify(wanted)} ${JSON.stringify(pins)}`;
      if (key === drawn) return;
      drawn = key;
      title = `${nameOf(layer, wanted)}${!beside || pins.show === 'now' ? '' : pins.show === 'then' ? ` at step ${beside.since}` : `, now less that at step ${beside.since}`}`;
      heatmap.canvas.setAttribute('aria-label', `${title}, ${formatShape(shown.shape)}. Arrow keys move from cell to cell.`);
      heatmap.draw(shown, scaleFor(shown, compared), theme, map.clientWidth, { row: shown.rowStride, column: shown.columnStride });
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
        since.want('', null);
        resized.disconnect();
        for (const part of [top, head, below]) render(nothing, part);
      },
    };
  },
};

/** Weights and gradients have signs; an output that is never negative is a magnitude. */
function scaleFor(reading: TensorReading, compared: Compared | null): Scale {
  const difference = reading === compared?.difference;
  const own = scaleOf(reading, reading.kind !== 'output' || difference);
  const other = difference || !compared ? null : reading === compared.now ? compared.then : compared.now;
  if (!other) return own;
  // The same colours for now and then: else the difference could not be seen by going from one to the other.
  const both = scaleOf(other, own.kind === 'signed');
  const high = Math.max(own.high, both.high);
  const signed = own.kind === 'signed' || both.kind === 'signed';
  return signed ? { kind: 'signed', low: -high, high } : { kind: 'magnitude', low: 0, high };
}

type Compared = AnswerTo<'changed_since'>;



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
    ${besideChooser(context)}
  </div>`;
}

/** Which pinned step the tensor is seen beside. */
function besideChooser(context: Context): TemplateResult | typeof nothing {
  const { steps, since, show } = pinsOf(context.settings);
  if (steps.length === 0) return nothing;
  const segment = (which: typeof show, label: string) =>
    html`<button class="segment" aria-pressed=${show === which ? 'true' : 'false'} @click=${() => keepPins(context, { show: which })}>${label}</button>`;
  return html`<label class="field" title="Shows this tensor beside itself at a pinned step, computed again to the bit"><span>Since</span>
      <select id="since" @change=${(event: Event) => keepPins(context, { since: Number((event.target as HTMLSelectElement).value) < 0 ? null : Number((event.target as HTMLSelectElement).value) })}>
        <option value="-1" ?selected=${since === null}>no step</option>
        ${steps.map((step) => html`<option value=${step} ?selected=${step === since}>step ${formatCount(step)}</option>`)}
      </select></label>
    ${since === null ? nothing : html`<span class="segments" role="group" aria-label="What is drawn">
      ${segment('now', 'now')}${segment('then', `step ${formatCount(since)}`)}${segment('difference', 'difference')}</span>`}`;
}

/** Why a tensor cannot be seen beside itself, or not yet. */
function besideAbsence({ data, settings }: Context, { answer, trouble, busy }: Slices<'changed_since'>): TemplateResult | null {
  const { since } = pinsOf(settings);
  if (since === null || !data.frame) return null;
  const say = (text: TemplateResult | string) => html`<section class="empty"><p>${text}</p></section>`;
  if (trouble) return say(trouble);
  if (since > data.frame.frontier) return say(html`<b>Step ${formatCount(since)} was not reached in this run.</b> Run to there, or compare with another step.`);
  if (answer && answer.reached < since) return say(`Step ${formatCount(since)} is computed again: at step ${formatCount(answer.reached)}.`);
  if (answer && !answer.difference) return say('The two batches are of different sizes, so there is no difference. Choose now or then.');
  return busy ? say('The engine is asked for both steps.') : null;
}

/** Why there is nothing to see, and what to do. */
function absence(context: Context, since: Slices<'changed_since'>): TemplateResult {
  const { data, settings } = context;
  const beside = besideAbsence(context, since);
  if (beside) return beside;
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
function reading(context: Context, reading: TensorReading, cursor: Cell | null, compared: Compared | null): TemplateResult {
  const { columns, cells, rowStride, columnStride } = reading;
  const scale = scaleFor(reading, compared);
  const at = cursor ? cells[cursor.row * columns + cursor.column] : null;
  return html`
    <div class="legend">
      ${value(scale.low)}<canvas aria-hidden="true" width="1" height="1"></canvas>${value(scale.high)}
      <span class="hint">${scale.kind === 'signed' ? 'centred at 0' : 'from 0'}</span>
    </div>
    <p class="reading" role="status" aria-live=${context.data.frame?.status === 'running' ? 'off' : 'polite'}>${
      cursor
        ? html`${span('row', cursor.row, rowStride)}, ${span('column', cursor.column, columnStride)}: ${compared && cursor ? html`${parts(context, compared, cursor)}` : value(at, { signed: true })}
          <button class="quiet" @click=${() => context.send({ type: 'copy', text: fullNumber(at ?? NaN) })}>${icon('copy')} Copy</button>`
        : html`<span class="hint">Point at a cell, or use the arrow keys, to read its value.</span>`
    }</p>
  `;
}

/** The cell now, then, and their difference. */
function parts({ settings }: Context, { now, then, difference }: Compared, { row, column }: Cell): TemplateResult {
  const at = (reading: TensorReading | null) => (reading ? value(reading.cells[row * reading.columns + column], { signed: true }) : value(null));
  return html`<span data-part="now">now ${at(now)}</span>, <span data-part="then">at step ${formatCount(pinsOf(settings).since ?? 0)} ${at(then)}</span>,
    <span data-part="difference">difference ${at(difference)}</span>`;
}

function otherBatch({ data, settings }: Context, { kind }: TensorReading): TemplateResult | typeof nothing {
  if (ofParameter(kind) || data.model?.batchesPerEpoch === 1) return nothing;
  return html`<p class="hint"><b>Another batch:</b> the rows at step ${formatCount(pinsOf(settings).since ?? 0)} are other samples than the rows now.</p>`;
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
