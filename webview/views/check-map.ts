// The errors of one parameter in its own shape, which makes a wrong row or a transposition visible. Clicking a cell
// opens its entry.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { QueryValue, CheckReport } from '../../src/protocol/panel';
import { VERDICT_ORDER } from '../charts/scatter-chart';
import type { Context } from '../context';
import { drawLegend } from '../controls/legend';
import { exportActions } from '../controls/export-actions';
import { renderValue } from '../controls/number-value';
import { Heatmap, type Matrix, type ColorScale, colorScale } from '../canvas/heatmap';
import { formatIndex, formatNumber, formatPowerOfTen, formatShape } from '../../src/presentation/numbers';
import { unravelIndex } from '../../src/presentation/tensor-index';
import { verdictLabels } from '../../src/presentation/verdicts';

type ErrorMap = QueryValue<'check_map'>;

const quantityLabels = {
  error: 'relative error',
  difference: 'difference',
  analytic: 'backprop',
  numeric: 'numeric',
} as const;
type Quantity = keyof typeof quantityLabels;

/** The ends of the scale of relative errors, as powers of ten. */
const [LOW, HIGH] = [-12, 0];
const ERROR_SCALE: ColorScale = { kind: 'magnitude', low: LOW, high: HIGH };

const ID = 'check';

interface CheckMapViewState {
  readonly parameter?: unknown;
  readonly shown?: unknown;
}

/** NaN where nothing was checked; kinks and entries below noise have no error either. */
export function quantityCells(map: ErrorMap, shown: Quantity): Float64Array {
  const { verdict, analytic, numeric, error } = map;
  return Float64Array.from(verdict, (each, i) => {
    const name = VERDICT_ORDER.at(each);
    if (each >= VERDICT_ORDER.length || name === undefined) return NaN;
    if (shown === 'analytic') return analytic[i]!;
    if (shown === 'numeric') return numeric[i]!;
    if (shown === 'difference') return analytic[i]! - numeric[i]!;
    if (name !== 'pass' && name !== 'wrong') return NaN;
    return Math.max(LOW, Math.min(HIGH, Math.log10(error[i]!)));
  });
}

export class CheckMap {
  readonly #head = document.createElement('div');
  readonly #mapHost = document.createElement('div');
  readonly #below = document.createElement('div');
  readonly #heatmap: Heatmap;
  readonly #resizeObserver: ResizeObserver;
  #report: CheckReport | null = null;
  #requestedParameter = '';
  #errorMap: ErrorMap | null = null;
  #message = '';
  #drawnKey = '';
  #isTableOpen = false;
  #disposed = false;

  /** @param onOpenEntry an entry was chosen */
  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
    readonly onOpenEntry: (parameter: string, index: number) => void,
  ) {
    this.#mapHost.className = 'map';
    host.append(this.#head, this.#mapHost, this.#below);
    this.#heatmap = new Heatmap(
      () => this.#renderText(),
      ({ row, column }) => {
        const map = this.#errorMap;
        if (map && map.verdict[row * map.columns + column]! < VERDICT_ORDER.length)
          onOpenEntry(map.name, map.index[row * map.columns + column]!);
      },
    );
    this.#mapHost.append(this.#heatmap.canvas);
    this.#resizeObserver = new ResizeObserver(() => this.#draw());
    this.#resizeObserver.observe(this.#mapHost);
  }

  /** The parameter that is shown: the chosen one, otherwise the first wrong one, otherwise the first. */
  get parameter(): string | undefined {
    const { parameter } = this.#viewState;
    const all = this.#report?.parameters ?? [];
    return (all.find(({ name }) => name === parameter) ?? all.find(({ verdict }) => verdict === 'wrong') ?? all[0])
      ?.name;
  }

  update(report: CheckReport | null, text: boolean): void {
    this.host.hidden = report === null;
    if (report !== this.#report) {
      this.#report = report;
      this.#requestedParameter = '';
    }
    const { parameter } = this;
    if (parameter !== undefined && parameter !== this.#requestedParameter) void this.#load(parameter);
    this.#draw();
    if (text) this.#renderText();
  }

  selectParameter(parameter: string): void {
    this.context.setViewState(ID, { ...this.#viewState, parameter });
  }

  dispose(): void {
    this.#disposed = true;
    this.#resizeObserver.disconnect();
    for (const part of [this.#head, this.#below]) render(nothing, part);
  }

  get #viewState(): CheckMapViewState {
    const kept = this.context.settings.viewState[ID];
    return typeof kept === 'object' && kept !== null ? kept : {};
  }

  get #quantity(): Quantity {
    const { shown } = this.#viewState;
    return typeof shown === 'string' && shown in quantityLabels ? (shown as Quantity) : 'error';
  }

  async #load(parameter: string): Promise<void> {
    this.#requestedParameter = parameter;
    const report = this.#report;
    const answered = await this.context
      .query({ type: 'check_map', parameter })
      .catch((error: unknown) => String(error));
    if (this.#disposed || this.#requestedParameter !== parameter || this.#report !== report) return;
    this.#errorMap = typeof answered === 'string' ? null : answered.value;
    this.#message =
      typeof answered === 'string' ? answered : 'The engine no longer has this check. Press Check to run it again.';
    this.#drawnKey = '';
    this.#draw();
    this.#renderText();
  }

  #matrix(map: ErrorMap): { readonly matrix: Matrix; readonly scale: ColorScale } {
    const shown = this.#quantity;
    const cells = quantityCells(map, shown);
    const label = shown === 'error' ? (i: number) => (cells[i]! <= LOW ? '' : formatNumber(map.error[i]!)) : undefined;
    const matrix = { rows: map.rows, columns: map.columns, cells, label };
    return { matrix, scale: shown === 'error' ? ERROR_SCALE : colorScale(matrix, true) };
  }

  #draw(): void {
    const map = this.#errorMap;
    this.#mapHost.hidden = map === null;
    if (!map) return;
    const { theme } = this.context;
    const key = `${this.#quantity} ${theme.version} ${this.#mapHost.clientWidth} ${map.name}`;
    if (key === this.#drawnKey) return;
    this.#drawnKey = key;
    const { matrix, scale } = this.#matrix(map);
    this.#heatmap.canvas.setAttribute(
      'aria-label',
      `${quantityLabels[this.#quantity]} of ${map.name}, ${formatShape(map.shape)}. Arrow keys move between cells, Enter opens an entry.`,
    );
    this.#heatmap.draw(matrix, scale, theme, this.#mapHost.clientWidth, {
      row: map.rowStride,
      column: map.columnStride,
    });
  }

  #renderText(): void {
    const map = this.#errorMap;
    render(
      this.#report
        ? html`${this.#chooser(this.#report)}${map ? this.#cursorInfo(map) : html`<p class="hint">${this.#message}</p>`}`
        : nothing,
      this.#head,
    );
    const legend = this.#head.querySelector('canvas');
    if (map && legend) drawLegend(legend, this.#matrix(map).scale, this.context.theme);
    render(map ? this.#details(map) : nothing, this.#below);
  }

  #chooser({ parameters }: CheckReport): TemplateResult {
    const shown = this.#quantity;
    return html`
      <div class="chart-head">
        <h2>Where</h2>
        <span class="unit">each entry at its place: columns are the last dimension</span>
      </div>
      <div class="chooser">
        <label class="field"
          ><span>Parameter</span>
          <select @change=${(event: Event) => this.selectParameter((event.target as HTMLSelectElement).value)}>
            ${parameters.map(({ name }) => html`<option value=${name} ?selected=${name === this.parameter} .selected=${name === this.parameter}>${name}</option>`)}
          </select>
        </label>
        <span class="segments" role="group" aria-label="What is shown">
          ${(Object.keys(quantityLabels) as Quantity[]).map(
            (each) =>
              html`<button
                class="segment"
                aria-pressed=${each === shown ? 'true' : 'false'}
                @click=${() => this.context.setViewState(ID, { ...this.#viewState, shown: each })}
              >
                ${quantityLabels[each]}
              </button>`,
          )}
        </span>
      </div>
    `;
  }

  #cursorInfo(map: ErrorMap): TemplateResult {
    const { scale } = this.#matrix(map);
    const { cursor } = this.#heatmap;
    const i = cursor ? cursor.row * map.columns + cursor.column : -1;
    const verdict = i < 0 ? undefined : VERDICT_ORDER.at(map.verdict[i]!);
    const ends =
      this.#quantity === 'error'
        ? [html`≤ ${formatPowerOfTen(LOW)}`, html`≥ 1`]
        : [renderValue(scale.low), renderValue(scale.high)];
    return html`
      <div class="legend">
        ${ends[0]}<canvas aria-hidden="true" width="1" height="1"></canvas>${ends[1]}
        <span class="hint">${this.#quantity === 'error' ? 'logarithmic' : 'centred at 0'}</span>
      </div>
      <p class="reading" role="status">
        ${
          i < 0
            ? html`<span class="hint"
                >Hover over a cell or use the arrow keys. Click or press Enter to open the entry.</span
              >`
            : verdict === undefined
              ? html`<b class="number">${formatIndex(unravelIndex(map.index[i]!, map.shape))}</b>: not checked`
              : html`<b class="number">${formatIndex(unravelIndex(map.index[i]!, map.shape))}</b>
                  ${verdictLabels[verdict]}: backprop ${renderValue(map.analytic[i], { signed: true })}, numeric
                  ${renderValue(map.numeric[i], { signed: true })}
                  <span class="hint">±</span> ${renderValue(map.errorBar[i])}, relative error
                  ${renderValue(map.error[i])}`
        }
      </p>
    `;
  }

  #details(map: ErrorMap): TemplateResult {
    const { rowStride, columnStride, shape } = map;
    const reduced = rowStride > 1 || columnStride > 1;
    return html`
      <p class="hint">
        Shape <b class="number">${formatShape(shape)}</b>.
        ${
          reduced
            ? html`<b>Reduced:</b> a cell stands for ${rowStride} × ${columnStride} entries and shows the one with the
                most severe verdict and the largest error.`
            : nothing
        }
        ${this.#quantity === 'error' ? 'Crosses have no error: not checked, a kink, or below the noise.' : 'Crosses are not checked.'}
      </p>
      <details class="data" @toggle=${this.#toggle}>
        <summary>Table</summary>
        ${this.#isTableOpen ? this.#table(map) : nothing}
      </details>
    `;
  }

  readonly #toggle = (event: Event): void => {
    this.#isTableOpen = (event.target as HTMLDetailsElement).open;
    this.#renderText();
  };

  #table(map: ErrorMap): TemplateResult {
    const { index, shape, analytic, numeric, errorBar, error, verdict } = map;
    const rows = [...index.keys()].slice(0, MAX_ROWS);
    const name = (i: number): string => VERDICT_ORDER.at(verdict[i]!)?.replace('_', ' ') ?? 'not checked';
    const exportTable = () => ({
      headers: ['entry', 'backprop', 'numeric', 'error bar', 'relative error', 'verdict'],
      rows: [...index.keys()].map((i) => [
        formatIndex(unravelIndex(index[i]!, shape)),
        analytic[i],
        numeric[i],
        errorBar[i],
        error[i],
        name(i),
      ]),
    });
    return html`
      <p class="hint">
        ${rows.length < index.length ? `The first ${rows.length} of ${index.length} cells.` : nothing}
        ${exportActions(this.context, { title: `Errors of ${map.name}`, table: exportTable, canvas: this.#heatmap.canvas })}
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label=${`Table: errors of ${map.name}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">entry</th>
              <th scope="col">backprop</th>
              <th scope="col">numeric</th>
              <th scope="col">error bar</th>
              <th scope="col">relative error</th>
              <th scope="col" class="text">verdict</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              (i) =>
                html`<tr>
                  <th scope="row">
                    ${
                      VERDICT_ORDER.at(verdict[i]!) === undefined
                        ? formatIndex(unravelIndex(index[i]!, shape))
                        : html`<button class="quiet" @click=${() => this.onOpenEntry(map.name, index[i]!)}>
                            ${formatIndex(unravelIndex(index[i]!, shape))}
                          </button>`
                    }
                  </th>
                  <td>${renderValue(analytic[i], { signed: true })}</td>
                  <td>${renderValue(numeric[i], { signed: true })}</td>
                  <td>${renderValue(errorBar[i])}</td>
                  <td>${renderValue(error[i])}</td>
                  <td class="text">${name(i)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    `;
  }
}

/** Rows shown on the page; copying includes all. */
const MAX_ROWS = 200;
