// One entry of a check, looked at closely: what backprop claims, what was measured with its error bar, the slopes to
// the two sides, and the loss along it.
import { html, nothing, render, svg, type TemplateResult } from 'lit/html.js';
import { claimColour, curveColour, type EntryDetail, LossCurveChart, measuredColour, within } from '../charts/loss-curve-chart';
import { toCss, type Rgb } from '../colours';
import type { Context } from '../context';
import { takeAway } from '../controls/take-away';
import { icon, value } from '../controls/value';
import { formatIndex, formatNumber, formatRound } from '../numbers';
import { verdictMeanings, verdictNames } from '../words';

/** How far the curve goes to each side, as a share of max(1, |w|). */
const REACHES = [1, 0.1, 0.01, 1e-3, 1e-4] as const;

export class CheckEntry {
  #asked: { readonly parameter: string; readonly index: number } | null = null;
  #reach: number = 0.1;
  #detail: EntryDetail | null = null;
  #message = '';
  #chart: LossCurveChart | null = null;
  #open = false;
  #disposed = false;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
  ) {
    host.className = 'entry';
  }

  show(parameter: string, index: number): void {
    this.#asked = { parameter, index };
    void this.#ask(true);
  }

  /** A new check makes what is shown one of the past. */
  close(): void {
    this.#asked = null;
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

  async #ask(reveal: boolean): Promise<void> {
    const asked = this.#asked;
    if (!asked) return;
    const answered = await this.context.ask({ about: 'check_entry', ...asked, reach: this.#reach }).catch((error: unknown) => String(error));
    if (this.#disposed || asked !== this.#asked) return;
    this.#detail = typeof answered === 'string' ? null : answered.answer;
    this.#message = typeof answered === 'string' ? answered : 'The engine no longer has this check. Press Check to make it again.';
    this.draw();
    if (reveal) this.host.scrollIntoView({ block: 'nearest' });
  }

  #render(): void {
    const detail = this.#detail;
    if (!this.#asked || !detail) {
      render(this.#asked && this.#message ? html`<p class="hint">${this.#message}</p>` : nothing, this.host);
      return;
    }
    const { theme } = this.context;
    const { name, index, verdict, kinks } = detail;
    render(
      html`
        <div class="chart-head">
          <h2><bdi>${name}</bdi> ${formatIndex(index)}</h2><span class="sign ${verdict}">${verdictNames[verdict]}</span>
          <span class="option"><button class="quiet" aria-label="Close this entry" title="Close" @click=${() => this.close()}>${icon('close')}</button></span>
        </div>
        <p class="hint">${verdictMeanings[verdict]}</p>
        ${numbers(detail)}
        <div class="keys">
          ${key('loss along this entry', curveColour(theme), '')}
          ${key('slope that backprop claims', claimColour(theme, detail), '8 4')}
          ${key('slope measured', measuredColour(theme), '2 3')}
          ${kinks.length > 0 ? html`<span class="key">${svgLine(theme.warning, '', true)} kink</span>` : nothing}
        </div>
        <div class="plot">${this.#chart?.canvas}</div>
        <div class="chart-foot">
          <span class="segments" role="group" aria-label="How far the curve goes">
            ${REACHES.map((reach) => html`<button class="segment" aria-pressed=${reach === this.#reach ? 'true' : 'false'} @click=${() => this.#zoom(reach)}>±${formatRound(reach)}</button>`)}
          </span>
          <p class="how">${icon('info')} Only this entry moves, by so much times max(1, |w|). Where the dashed line leaves the curve at the dot, backprop is wrong.</p>
          <details class="data" @toggle=${this.#toggle}><summary>Table</summary>${this.#open ? this.#table(detail) : nothing}</details>
        </div>
      `,
      this.host,
    );
  }

  readonly #toggle = (event: Event): void => {
    this.#open = (event.target as HTMLDetailsElement).open;
    this.#render();
  };

  #zoom(reach: number): void {
    this.#reach = reach;
    void this.#ask(false);
  }

  #table({ name, index, at, losses, kinks }: EntryDetail): TemplateResult {
    const sheet = () => ({ heads: ['value', 'loss'], rows: Array.from(at, (x, i) => [x, losses[i]]) });
    const finite = losses.filter(Number.isFinite);
    const [across, up] = [at[at.length - 1] - at[0], Math.max(...finite) - Math.min(...finite)];
    return html`
      <p class="hint">
        ${kinks.length > 0 ? `Kinks near ${Array.from(kinks, (kink) => formatNumber(kink)).slice(0, 8).join(', ')}${kinks.length > 8 ? ` and ${kinks.length - 8} more` : ''}.` : 'No kink in this range.'}
        ${takeAway(this.context, { title: `Loss along ${name} ${formatIndex(index)}`, sheet, canvas: this.#chart?.canvas })}
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label="Table: loss along this entry"><table>
        <thead><tr><th scope="col">value</th><th scope="col">loss</th></tr></thead>
        <tbody>${Array.from(at, (x, i) => html`<tr><td>${value(x, { text: within(x, across / at.length) })}</td><td>${value(losses[i], { text: within(losses[i], up / at.length) })}</td></tr>`)}</tbody>
      </table></div>
    `;
  }
}

function numbers({ value: w, analytic, numeric, bar, relativeError, left, right, step, loss }: EntryDetail): TemplateResult {
  return html`<dl class="facts">
    <div><dt>backprop</dt><dd>${value(analytic)}</dd></div>
    <div><dt>numeric</dt><dd>${value(numeric)} <span class="hint">±</span> ${value(bar)}</dd></div>
    <div><dt>relative error</dt><dd>${value(relativeError)}</dd></div>
    <div><dt>slope to the left</dt><dd>${value(left)}</dd></div>
    <div><dt>slope to the right</dt><dd>${value(right)}</dd></div>
    <div><dt>by steps of</dt><dd>${value(step)}</dd></div>
    <div><dt>the entry itself</dt><dd>${value(w)}</dd></div>
    <div><dt>loss there</dt><dd>${value(loss)}</dd></div>
  </dl>`;
}

const key = (name: string, colour: Rgb, dash: string): TemplateResult => html`<span class="key">${svgLine(colour, dash)} ${name}</span>`;

const svgLine = (colour: Rgb, dash: string, upright = false): TemplateResult => html`<svg class="swatch" width="22" height="10" viewBox="0 0 22 10" aria-hidden="true">${
  upright
    ? svg`<path d="M11 1 V9" stroke=${toCss(colour)} stroke-width="1.5" />`
    : svg`<path d="M0 5 H22" stroke=${toCss(colour)} stroke-width="2" stroke-dasharray=${dash || nothing} />`
}</svg>`;
