// Details of one entry of a check: backprop's value, the numeric value with its error bar, the one-sided derivatives,
// and the loss along it.
import { html, nothing, render, svg, type TemplateResult } from 'lit/html.js';
import {
  analyticColor,
  curveColor,
  type EntryDetail,
  LossCurveChart,
  numericColor,
  formatAtResolution,
} from '../charts/loss-curve-chart';
import { toCss, type Rgb } from '../canvas/colors';
import type { Context } from '../context';
import { exportActions } from '../controls/export-actions';
import { renderIcon, renderValue } from '../controls/number-value';
import { formatIndex, formatNumber, formatCompact } from '../../src/presentation/numbers';
import { verdictDescriptions, verdictLabels } from '../../src/presentation/verdicts';

/** How far the curve extends to each side, as a share of max(1, |w|). */
const ZOOM_RANGES = [1, 0.1, 0.01, 1e-3, 1e-4] as const;

export class CheckEntry {
  #requested: { readonly parameter: string; readonly index: number } | null = null;
  #zoomRange: number = 0.1;
  #detail: EntryDetail | null = null;
  #message = '';
  #chart: LossCurveChart | null = null;
  #isTableOpen = false;
  #disposed = false;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
  ) {
    host.className = 'entry';
  }

  show(parameter: string, index: number): void {
    this.#requested = { parameter, index };
    void this.#load(true);
  }

  /** After a new check, the shown entry is obsolete. */
  close(): void {
    this.#requested = null;
    this.#detail = null;
    this.#message = '';
    this.draw();
  }

  draw(): void {
    if (this.#detail) {
      this.#chart ??= new LossCurveChart(this.context);
      this.#chart.update(this.#detail);
    }
    this.#render();
  }

  dispose(): void {
    this.#disposed = true;
    this.#chart?.dispose();
    render(nothing, this.host);
  }

  async #load(reveal: boolean): Promise<void> {
    const asked = this.#requested;
    if (!asked) return;
    const answered = await this.context
      .query({ type: 'check_entry', ...asked, reach: this.#zoomRange })
      .catch((error: unknown) => String(error));
    if (this.#disposed || asked !== this.#requested) return;
    this.#detail = typeof answered === 'string' ? null : answered.value;
    this.#message =
      typeof answered === 'string' ? answered : 'The engine no longer has this check. Press Check to run it again.';
    this.draw();
    if (reveal) this.host.scrollIntoView({ block: 'nearest' });
  }

  #render(): void {
    const detail = this.#detail;
    if (!this.#requested || !detail) {
      render(this.#requested && this.#message ? html`<p class="hint">${this.#message}</p>` : nothing, this.host);
      return;
    }
    const { theme } = this.context;
    const { name, index, verdict, kinks } = detail;
    render(
      html`
        <div class="chart-head">
          <h2><bdi>${name}</bdi> ${formatIndex(index)}</h2>
          <span class="sign ${verdict}">${verdictLabels[verdict]}</span>
          <span class="option"
            ><button class="quiet" aria-label="Close this entry" title="Close" @click=${() => this.close()}>
              ${renderIcon('close')}
            </button></span
          >
        </div>
        <p class="hint">${verdictDescriptions[verdict]}</p>
        ${entryFacts(detail)}
        <div class="keys">
          ${legendKey('loss along this entry', curveColor(theme), '')}
          ${legendKey('slope that backprop claims', analyticColor(theme, detail), '8 4')}
          ${legendKey('slope measured', numericColor(theme), '2 3')}
          ${kinks.length > 0 ? html`<span class="key">${lineSwatch(theme.warning, '', true)} kink</span>` : nothing}
        </div>
        <div class="plot">${this.#chart?.canvas}</div>
        <div class="chart-foot">
          <span class="segments" role="group" aria-label="How far the curve goes">
            ${ZOOM_RANGES.map((reach) => html`<button class="segment" aria-pressed=${reach === this.#zoomRange ? 'true' : 'false'} @click=${() => this.#zoom(reach)}>±${formatCompact(reach)}</button>`)}
          </span>
          <p class="how">
            ${renderIcon('info')} Only this entry moves, by so much times max(1, |w|). Where the dashed line leaves the
            curve at the dot, backprop is wrong.
          </p>
          <details class="data" @toggle=${this.#toggle}>
            <summary>Table</summary>
            ${this.#isTableOpen ? this.#table(detail) : nothing}
          </details>
        </div>
      `,
      this.host,
    );
  }

  readonly #toggle = (event: Event): void => {
    this.#isTableOpen = (event.target as HTMLDetailsElement).open;
    this.#render();
  };

  #zoom(reach: number): void {
    this.#zoomRange = reach;
    void this.#load(false);
  }

  #table({ name, index, curveValues, curveLosses, kinks }: EntryDetail): TemplateResult {
    const exportTable = () => ({
      headers: ['value', 'loss'],
      rows: Array.from(curveValues, (x, i) => [x, curveLosses[i]]),
    });
    const finite = curveLosses.filter(Number.isFinite);
    const [across, up] = [
      curveValues[curveValues.length - 1]! - curveValues[0]!,
      Math.max(...finite) - Math.min(...finite),
    ];
    return html`
      <p class="hint">
        ${
          kinks.length > 0
            ? `Kinks near ${Array.from(kinks, (kink) => formatNumber(kink))
                .slice(0, 8)
                .join(', ')}${kinks.length > 8 ? ` and ${kinks.length - 8} more` : ''}.`
            : 'No kink in this range.'
        }
        ${exportActions(this.context, { title: `Loss along ${name} ${formatIndex(index)}`, table: exportTable, canvas: this.#chart?.canvas })}
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label="Table: loss along this entry">
        <table>
          <thead>
            <tr>
              <th scope="col">value</th>
              <th scope="col">loss</th>
            </tr>
          </thead>
          <tbody>
            ${Array.from(
              curveValues,
              (x, i) =>
                html`<tr>
                  <td>${renderValue(x, { text: formatAtResolution(x, across / curveValues.length) })}</td>
                  <td>
                    ${renderValue(curveLosses[i], { text: formatAtResolution(curveLosses[i]!, up / curveValues.length) })}
                  </td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    `;
  }
}

function entryFacts({
  value: w,
  analytic,
  numeric,
  errorBar,
  relativeError,
  leftDerivative,
  rightDerivative,
  step,
  loss,
}: EntryDetail): TemplateResult {
  return html`<dl class="facts">
    <div>
      <dt>backprop</dt>
      <dd>${renderValue(analytic)}</dd>
    </div>
    <div>
      <dt>numeric</dt>
      <dd>${renderValue(numeric)} <span class="hint">±</span> ${renderValue(errorBar)}</dd>
    </div>
    <div>
      <dt>relative error</dt>
      <dd>${renderValue(relativeError)}</dd>
    </div>
    <div>
      <dt>slope to the left</dt>
      <dd>${renderValue(leftDerivative)}</dd>
    </div>
    <div>
      <dt>slope to the right</dt>
      <dd>${renderValue(rightDerivative)}</dd>
    </div>
    <div>
      <dt>by steps of</dt>
      <dd>${renderValue(step)}</dd>
    </div>
    <div>
      <dt>the entry itself</dt>
      <dd>${renderValue(w)}</dd>
    </div>
    <div>
      <dt>loss there</dt>
      <dd>${renderValue(loss)}</dd>
    </div>
  </dl>`;
}

const legendKey = (name: string, color: Rgb, dash: string): TemplateResult =>
  html`<span class="key">${lineSwatch(color, dash)} ${name}</span>`;

const lineSwatch = (color: Rgb, dash: string, upright = false): TemplateResult =>
  html`<svg class="swatch" width="22" height="10" viewBox="0 0 22 10" aria-hidden="true">
    ${
      upright
        ? svg`<path d="M11 1 V9" stroke=${toCss(color)} stroke-width="1.5" />`
        : svg`<path d="M0 5 H22" stroke=${toCss(color)} stroke-width="2" stroke-dasharray=${dash || nothing} />`
    }
  </svg>`;
