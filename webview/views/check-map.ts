// The error of one parameter in its own shape: a wrong row, or a transposition, is seen at a glance. A cell opens the
// entry that it stands for.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { AnswerTo, CheckReport } from '../../src/protocol/panel';
import { VERDICT_ORDER } from '../charts/scatter-chart';
import type { Context } from '../context';
import { drawLegend } from '../controls/legend';
import { takeAway } from '../controls/take-away';
import { value } from '../controls/value';
import { Heatmap, type Matrix, type Scale, scaleOf } from '../heatmap';
import { formatIndex, formatNumber, formatPower, formatShape } from '../numbers';
import { verdictNames } from '../words';

type ErrorMap = AnswerTo<'check_map'>;

const shownOf = { error: 'relative error', difference: 'difference', analytic: 'backprop', numeric: 'numeric' } as const;
type Shown = keyof typeof shownOf;

/** Powers of ten of the scale of relative errors: what is smaller has the colour of its low end. */
const [LOW, HIGH] = [-12, 0];
const ERRORS: Scale = { kind: 'magnitude', low: LOW, high: HIGH };

const ID = 'check';

interface Kept {
  readonly parameter?: unknown;
  readonly shown?: unknown;
}

/** Without a number where nothing was checked; kinks and what is below the noise have no error to show. */
export function cellsOf(map: ErrorMap, shown: Shown): Float64Array {
  const { verdict, analytic, numeric, error } = map;
  return Float64Array.from(verdict, (each, i) => {
    const name = VERDICT_ORDER.at(each);
    if (each >= VERDICT_ORDER.length || name === undefined) return NaN;
    if (shown === 'analytic') return analytic[i];
    if (shown === 'numeric') return numeric[i];
    if (shown === 'difference') return analytic[i] - numeric[i];
    if (name !== 'pass' && name !== 'wrong') return LOW;
    return Math.max(LOW, Math.min(HIGH, Math.log10(error[i])));
  });
}

/** The flat index as one number a dimension. */
function unravel(flat: number, shape: readonly number[]): number[] {
  let rest = flat;
  return shape.toReversed().map((size) => {
    const at = rest % size;
    rest = Math.floor(rest / size);
    return at;
  }).reverse();
}

export class CheckMap {
  readonly #head = document.createElement('div');
  readonly #map = document.createElement('div');
  readonly #below = document.createElement('div');
  readonly #heatmap: Heatmap;
  readonly #resized: ResizeObserver;
  #report: CheckReport | null = null;
  #asked = '';
  #answer: ErrorMap | null = null;
  #message = '';
  #drawn = '';
  #open = false;
  #disposed = false;

  /** @param open an entry was chosen */
  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
    readonly open: (parameter: string, index: number) => void,
  ) {
    this.#map.className = 'map';
    host.append(this.#head, this.#map, this.#below);
    this.#heatmap = new Heatmap(() => this.#text(), ({ row, column }) => {
      const map = this.#answer;
      if (map && map.verdict[row * map.columns + column] < VERDICT_ORDER.length) open(map.name, map.index[row * map.columns + column]);
    });
    this.#map.append(this.#heatmap.canvas);
    this.#resized = new ResizeObserver(() => this.#draw());
    this.#resized.observe(this.#map);
  }

  /** The parameter that is shown: the one chosen, else the first that is wrong, else the first. */
  get parameter(): string | undefined {
    const { parameter } = this.#kept;
    const all = this.#report?.parameters ?? [];
    return (all.find(({ name }) => name === parameter) ?? all.find(({ verdict }) => verdict === 'wrong') ?? all[0])?.name;
  }

  update(report: CheckReport | null, text: boolean): void {
    this.host.hidden = report === null;
    if (report !== this.#report) {
      this.#report = report;
      this.#asked = '';
    }
    const { parameter } = this;
    if (parameter !== undefined && parameter !== this.#asked) void this.#ask(parameter);
    this.#draw();
    if (text) this.#text();
  }

  choose(parameter: string): void {
    this.context.keep(ID, { ...this.#kept, parameter });
  }

  dispose(): void {
    this.#disposed = true;
    this.#resized.disconnect();
    for (const part of [this.#head, this.#below]) render(nothing, part);
  }

  get #kept(): Kept {
    const kept = this.context.settings.kept[ID];
    return typeof kept === 'object' && kept !== null ? kept : {};
  }

  get #shown(): Shown {
    const { shown } = this.#kept;
    return typeof shown === 'string' && shown in shownOf ? (shown as Shown) : 'error';
  }

  async #ask(parameter: string): Promise<void> {
    this.#asked = parameter;
    const report = this.#report;
    const answered = await this.context.ask({ about: 'check_map', parameter }).catch((error: unknown) => String(error));
    if (this.#disposed || this.#asked !== parameter || this.#report !== report) return;
    this.#answer = typeof answered === 'string' ? null : answered.answer;
    this.#message = typeof answered === 'string' ? answered : 'The engine no longer has this check. Press Check to make it again.';
    this.#drawn = '';
    this.#draw();
    this.#text();
  }

  #matrix(map: ErrorMap): { readonly matrix: Matrix; readonly scale: Scale } {
    const shown = this.#shown;
    const cells = cellsOf(map, shown);
    const label = shown === 'error' ? (i: number) => (cells[i] <= LOW ? '' : formatNumber(map.error[i])) : undefined;
    const matrix = { rows: map.rows, columns: map.columns, cells, label };
    return { matrix, scale: shown === 'error' ? ERRORS : scaleOf(matrix, true) };
  }

  #draw(): void {
    const map = this.#answer;
    this.#map.hidden = map === null;
    if (!map) return;
    const { theme } = this.context;
    const key = `${this.#shown} ${theme.version} ${this.#map.clientWidth} ${map.name}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    const { matrix, scale } = this.#matrix(map);
    this.#heatmap.canvas.setAttribute('aria-label', `${shownOf[this.#shown]} of ${map.name}, ${formatShape(map.shape)}. Arrow keys move from cell to cell, Enter opens an entry.`);
    this.#heatmap.draw(matrix, scale, theme, this.#map.clientWidth, { row: map.rowStride, column: map.columnStride });
  }

  #text(): void {
    const map = this.#answer;
    render(this.#report ? html`${this.#chooser(this.#report)}${map ? this.#reading(map) : html`<p class="hint">${this.#message}</p>`}` : nothing, this.#head);
    const legend = this.#head.querySelector('canvas');
    if (map && legend) drawLegend(legend, this.#matrix(map).scale, this.context.theme);
    render(map ? this.#details(map) : nothing, this.#below);
  }

  #chooser({ parameters }: CheckReport): TemplateResult {
    const shown = this.#shown;
    return html`
      <div class="chart-head"><h2>Where</h2><span class="unit">each entry in the tensor's own shape</span></div>
      <div class="chooser">
        <label class="field"><span>Parameter</span>
          <select @change=${(event: Event) => this.choose((event.target as HTMLSelectElement).value)}>
            ${parameters.map(({ name }) => html`<option value=${name} ?selected=${name === this.parameter} .selected=${name === this.parameter}>${name}</option>`)}
          </select>
        </label>
        <span class="segments" role="group" aria-label="What is shown">
          ${(Object.keys(shownOf) as Shown[]).map(
            (each) => html`<button class="segment" aria-pressed=${each === shown ? 'true' : 'false'} @click=${() => this.context.keep(ID, { ...this.#kept, shown: each })}>${shownOf[each]}</button>`,
          )}
        </span>
      </div>
    `;
  }

  #reading(map: ErrorMap): TemplateResult {
    const { scale } = this.#matrix(map);
    const { cursor } = this.#heatmap;
    const i = cursor ? cursor.row * map.columns + cursor.column : -1;
    const verdict = i < 0 ? undefined : VERDICT_ORDER.at(map.verdict[i]);
    const ends = this.#shown === 'error' ? [html`≤ ${formatPower(LOW)}`, html`≥ 1`] : [value(scale.low), value(scale.high)];
    return html`
      <div class="legend">${ends[0]}<canvas aria-hidden="true" width="1" height="1"></canvas>${ends[1]}
        <span class="hint">${this.#shown === 'error' ? 'logarithmic' : 'centred at 0'}</span></div>
      <p class="reading" role="status">${
        i < 0
          ? html`<span class="hint">Point at a cell, or use the arrow keys. A click, or Enter, opens the entry.</span>`
          : verdict === undefined
            ? html`<b class="number">${formatIndex(unravel(map.index[i], map.shape))}</b>: not checked`
            : html`<b class="number">${formatIndex(unravel(map.index[i], map.shape))}</b> ${verdictNames[verdict]}: backprop ${value(map.analytic[i], { signed: true })},
                numeric ${value(map.numeric[i], { signed: true })} <span class="hint">±</span> ${value(map.bar[i])}, relative error ${value(map.error[i])}`
      }</p>
    `;
  }

  #details(map: ErrorMap): TemplateResult {
    const { rowStride, columnStride, shape } = map;
    const reduced = rowStride > 1 || columnStride > 1;
    return html`
      <p class="hint">Shape <b class="number">${formatShape(shape)}</b>. ${
        reduced ? html`<b>Reduced:</b> a cell stands for ${rowStride} × ${columnStride} entries and shows the one with the gravest verdict and the largest error.` : nothing
      } Crosses are not checked.</p>
      <details class="data" @toggle=${this.#toggle}><summary>Table</summary>${this.#open ? this.#table(map) : nothing}</details>
    `;
  }

  readonly #toggle = (event: Event): void => {
    this.#open = (event.target as HTMLDetailsElement).open;
    this.#text();
  };

  #table(map: ErrorMap): TemplateResult {
    const { index, shape, analytic, numeric, bar, error, verdict } = map;
    const rows = [...index.keys()].slice(0, MOST_ROWS);
    const name = (i: number): string => VERDICT_ORDER.at(verdict[i])?.replace('_', ' ') ?? 'not checked';
    const sheet = () => ({
      heads: ['entry', 'backprop', 'numeric', 'error bar', 'relative error', 'verdict'],
      rows: [...index.keys()].map((i) => [formatIndex(unravel(index[i], shape)), analytic[i], numeric[i], bar[i], error[i], name(i)]),
    });
    return html`
      <p class="hint">${rows.length < index.length ? `The first ${rows.length} of ${index.length} cells.` : nothing}
        ${takeAway(this.context, { title: `Errors of ${map.name}`, sheet, canvas: this.#heatmap.canvas })}</p>
      <div class="scroll" tabindex="0" role="region" aria-label=${`Table: errors of ${map.name}`}><table>
        <thead><tr><th scope="col">entry</th><th scope="col">backprop</th><th scope="col">numeric</th><th scope="col">error bar</th><th scope="col">relative error</th><th scope="col" class="text">verdict</th></tr></thead>
        <tbody>${rows.map((i) => html`<tr>
          <th scope="row"><button class="quiet" @click=${() => this.open(map.name, index[i])}>${formatIndex(unravel(index[i], shape))}</button></th>
          <td>${value(analytic[i], { signed: true })}</td><td>${value(numeric[i], { signed: true })}</td><td>${value(bar[i])}</td><td>${value(error[i])}</td><td class="text">${name(i)}</td>
        </tr>`)}</tbody>
      </table></div>
    `;
  }
}

/** Rows on the page; the copy has all of them. */
const MOST_ROWS = 200;
