// Cross-entropy against squared error over the probability of the correct class, with the followed sample on both.
import { html, type TemplateResult } from 'lit/html.js';
import type { QueryValue } from '../../src/protocol/panel';
import { formatNumber } from '../../src/presentation/numbers';
import { swatch } from '../charts/line-chart';
import { XyChart, type XyLine } from '../charts/xy-chart';
import type { Context } from '../context';
import { renderIcon, renderValue } from '../controls/number-value';

type Comparison = QueryValue<'loss_comparison'>;

const POINTS = 200;
/** The cross-entropy grows without bound toward 0. */
const LEAST_PROBABILITY = 0.005;

export class LossComparisonChart {
  #chart: XyChart | null = null;
  #shown: Comparison | null = null;

  constructor(readonly context: Context) {}

  render(answer: Comparison): TemplateResult {
    const { context } = this;
    this.#chart ??= new XyChart(context);
    this.#shown = answer;
    const { probability, othersShare, crossEntropy, squaredError, label } = answer;
    const name = context.data.model?.classes?.[label] ?? String(label);
    const rows = [
      ['cross-entropy', crossEntropy, -1 / probability],
      ['squared error', squaredError, -2 * (1 - probability) * (1 + othersShare)],
    ] as const;
    return html`
      <p class="hint">
        Both losses of this sample alone, over the probability ŷ of its class <bdi>${name}</bdi>. The other classes keep
        their shares of the rest. The dots are the sample at ŷ = ${renderValue(probability)}.
      </p>
      <div class="keys">
        ${lines(answer, context)
          .slice(0, 2)
          .map(
            (line) =>
              html`<span class="key"
                >${swatch({ name: line.name, color: line.color, dash: line.dash, data: undefined, width: 2 })}<span
                  class="key-name"
                  >${line.name}</span
                ></span
              >`,
          )}
      </div>
      <div class="plot">${this.#chart.canvas}</div>
      <table class="values">
        <thead>
          <tr>
            <th scope="col">loss</th>
            <th scope="col">value</th>
            <th scope="col">slope over ŷ</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([title, value, slope]) =>
              html`<tr>
                <th scope="row">${title}</th>
                <td>${renderValue(value)}</td>
                <td>${renderValue(slope, { signed: true })}</td>
              </tr>`,
          )}
        </tbody>
      </table>
      <p class="how">
        ${renderIcon('info')} Where a prediction is very wrong, the cross-entropy is steep and the squared error is not.
      </p>
    `;
  }

  /** Draws what was rendered; afterwards, because a chart needs its place on the page. */
  draw(): void {
    const answer = this.#shown;
    if (!answer || !this.#chart?.canvas.isConnected) return;
    this.#chart.update(lines(answer, this.context), {
      x: { title: 'ŷ, the probability of the correct class', scale: 'linear' },
      y: { title: 'loss', scale: 'linear', includesZero: true },
      ariaLabel:
        `Cross-entropy and squared error over the probability of the correct class. At ${formatNumber(answer.probability)}, ` +
        `they are ${formatNumber(answer.crossEntropy)} and ${formatNumber(answer.squaredError)}.`,
    });
  }

  dispose(): void {
    this.#chart?.dispose();
    this.#chart = null;
  }
}

function lines({ probability, othersShare, crossEntropy, squaredError }: Comparison, { theme }: Context): XyLine[] {
  const least = Math.min(LEAST_PROBABILITY, Math.max(probability, Number.MIN_VALUE));
  const at = Array.from({ length: POINTS + 1 }, (_, i) => least + ((1 - least) * i) / POINTS);
  const [first, second] = [theme.palette[0], theme.palette[1]];
  const curve = (name: string, color: XyLine['color'], dash: readonly number[], f: (y: number) => number): XyLine => ({
    name,
    color,
    dash,
    isPlain: true,
    points: at.map((x) => ({ x, y: f(x) })),
  });
  const dot = (color: XyLine['color'], y: number): XyLine => ({
    name: 'the sample',
    color,
    dash: [],
    points: [{ x: probability, y }],
  });
  return [
    curve('cross-entropy, -log ŷ', first, [], (y) => -Math.log(y)),
    curve('squared error, Σ (ŷ - y)²', second, [5, 3], (y) => (1 - y) ** 2 * (1 + othersShare)),
    dot(first, crossEntropy),
    dot(second, squaredError),
  ];
}
