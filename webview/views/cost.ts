// Why backprop: the measured cost of one gradient by backprop, and by one forward pass per parameter, on growing
// networks.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { QueryValue, ModelInfo } from '../../src/protocol/panel';
import { XyChart, type XyLine } from '../charts/xy-chart';
import { swatch } from '../charts/line-chart';
import type { Context, View } from '../context';
import { exportActions } from '../controls/export-actions';
import { renderIcon, renderValue } from '../controls/number-value';
import { pluralize, formatInteger, formatNumber, formatCompact } from '../../src/presentation/numbers';
import type { TableExport } from '../export/table-export';
import type { Theme } from '../canvas/theme';

type CostResult = QueryValue<'gradient_cost'>;
type Cost = CostResult['cost'];

/** The measurements of each run. */
const measurements = new WeakMap<ModelInfo, CostResult[]>();

const sizeLabel = ({ depth, width }: Cost): string => `${depth} × ${width}`;

/** Growing width with one hidden layer; growing depth with constant width. */
function growthLines(answers: readonly CostResult[], { palette }: Theme): XyLine[] {
  const all = answers.map(({ cost }) => cost);
  const deepWidth = all.find(({ depth }) => depth > 1)?.width;
  const rows = [
    { name: 'wider', dash: [], costs: all.filter(({ depth }) => depth === 1) },
    { name: 'deeper', dash: [5, 3], costs: all.filter(({ width }) => width === deepWidth) },
  ];
  return rows
    .filter(({ costs }) => costs.length > 1)
    .flatMap(({ name, dash, costs }) =>
      (['naive', 'backprop'] as const).map((way, i) => ({
        name: `${way}, ${name}`,
        dash,
        color: i === 0 ? palette[1] : palette[0],
        points: costs.map((cost) => ({ x: cost.parameters, y: cost[way] })).sort((a, b) => a.x - b.x),
      })),
    );
}

export const cost: View = {
  id: 'cost',
  title: 'Cost',
  probes: [],
  mount(host, context) {
    const [top, figure, below] = [
      document.createElement('div'),
      document.createElement('figure'),
      document.createElement('div'),
    ];
    figure.classList.add('chart');
    host.append(top, figure, below);
    let chart: XyChart | null = null;
    /** The running job; replaced by another or null when it is cancelled. */
    let job: object | null = null;
    let trouble: string | null = null;
    let seen: readonly unknown[] = [];

    const answers = (): CostResult[] => (context.data.model && measurements.get(context.data.model)) ?? [];
    const measure = async (): Promise<void> => {
      const { model } = context.data;
      if (!model) return;
      const own = {};
      job = own;
      trouble = null;
      const found: CostResult[] = [];
      measurements.set(model, found);
      draw();
      try {
        for (let index = 0; ; index++) {
          const { value } = await context.query({ type: 'gradient_cost', index });
          if (job !== own) return;
          if (!value || context.data.model !== model) break;
          found.push(value);
          draw();
          if (found.length === value.networkCount) break;
        }
      } catch (error) {
        if (job === own) trouble = error instanceof Error ? error.message : String(error);
      }
      if (job !== own) return;
      job = null;
      draw();
    };
    const cancel = (): void => {
      job = null;
      draw();
    };

    const draw = (): void => {
      const found = answers();
      render(head(found, job !== null, trouble, { measure: () => void measure(), cancel }), top);
      const lines = growthLines(found, context.theme);
      figure.hidden = lines.length === 0;
      if (lines.length > 0) {
        chart ??= new XyChart(context);
        render(
          html`
            <div class="chart-head">
              <h2>Time of one gradient</h2>
              <span class="unit">milliseconds, by the number of parameters; both axes are logarithmic</span>
            </div>
            <div class="keys">
              ${lines.map((line) => html`<span class="key">${swatch({ name: line.name, color: line.color, dash: line.dash, data: undefined, width: 2 })}<span class="key-name">${line.name}</span></span>`)}
            </div>
            <div class="plot">${chart.canvas}</div>
            <div class="chart-foot">
              <span class="how"
                >${renderIcon('info')} Backprop costs about as much as a few forward passes at any size. One forward
                pass per parameter grows with the square of the number of parameters.</span
              >
            </div>
          `,
          figure,
        );
        chart.update(lines, {
          x: { title: 'parameters', scale: 'logarithmic' },
          y: { title: 'milliseconds', scale: 'logarithmic' },
          ariaLabel: describeGrowth(found),
        });
      }
      render(found.length > 0 ? table(found, context, chart?.canvas) : nothing, below);
    };

    return {
      update(text) {
        const now = [context.data.model, context.theme.version];
        if (!text || now.every((one, i) => one === seen[i])) return;
        // The measurements belong to the run that was shown.
        if (seen[0] !== now[0]) job = null;
        seen = now;
        draw();
      },
      dispose() {
        job = null;
        chart?.dispose();
        for (const part of [top, figure, below]) render(nothing, part);
      },
    };
  },
};

function describeGrowth(answers: readonly CostResult[]): string {
  const { cost: last } = answers[answers.length - 1]!;
  return (
    `Time of one gradient by the number of parameters. With ${sizeLabel(last)} hidden units, ${last.parameters} parameters: backprop ${formatNumber(last.backprop)} milliseconds, ` +
    `one forward pass per parameter ${formatNumber(last.naive)} milliseconds. The table below has all.`
  );
}

function head(
  answers: readonly CostResult[],
  running: boolean,
  trouble: string | null,
  { measure, cancel }: { measure: () => void; cancel: () => void },
): TemplateResult {
  const of = answers[0]?.networkCount;
  const batch = answers[0]?.batchSize;
  return html`
    <p>
      Without backprop, a gradient takes one forward pass per parameter: perturb it and measure the change of the loss.
      Both methods are timed with the data, loss and activation of this run, on hidden layers that grow wider and
      deeper${batch === undefined ? '' : `, in batches of ${pluralize(batch, 'sample')}, in float64`}.
    </p>
    ${trouble === null ? nothing : html`<p class="verdict bad" role="alert">${renderIcon('error')}<span>${trouble}</span></p>`}
    <div class="progress">
      <p role="status">
        ${running ? (of === undefined ? 'Measuring …' : html`<span class="number">${answers.length}</span> of ${pluralize(of, 'network')} measured`) : of === undefined ? 'Not measured yet.' : answers.length === of ? `Measured: ${pluralize(of, 'network')}.` : `Cancelled after ${answers.length} of ${pluralize(of, 'network')}.`}
      </p>
      <progress max=${of ?? 1} value=${answers.length} aria-label="Networks measured"></progress>
      ${
        running
          ? html`<button class="secondary" data-action="cost-cancel" @click=${cancel}>Cancel</button>`
          : html`<button
              class=${of === undefined ? 'primary' : 'secondary'}
              data-action="cost-measure"
              @click=${measure}
            >
              ${of === undefined ? 'Measure' : 'Measure again'}
            </button>`
      }
    </div>
    ${of === undefined ? html`<p class="hint">Takes a few seconds. A run in progress pauses for each network.</p>` : nothing}
  `;
}

const formatRatio = (ratio: number): string => `${formatCompact(Number(ratio.toPrecision(3)))}×`;

function table(
  answers: readonly CostResult[],
  context: Context,
  canvas: HTMLCanvasElement | undefined,
): TemplateResult {
  const costs = answers.map(({ cost: each }) => each);
  const proportional = costs.some(({ timedPasses, parameters }) => timedPasses < parameters);
  const difference = Math.max(...costs.map((each) => each.maxRelativeDifference));
  return html`
    <p class="hint">
      Hidden layers × units in each. Milliseconds are the shortest of several tries; multiply-adds are counted.
      ${proportional ? html`<b>~</b> extrapolated from the passes that were timed.` : nothing}
      ${exportActions(context, { title: 'Time of one gradient', table: () => costTable(costs), canvas })}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: cost of a gradient">
      <table class="values">
        <thead>
          <tr>
            <th scope="col">hidden</th>
            <th scope="col">parameters</th>
            <th scope="col">backprop, ms</th>
            <th scope="col">naive, ms</th>
            <th scope="col">ratio</th>
            <th scope="col">multiply-adds: backprop</th>
            <th scope="col">naive</th>
            <th scope="col">ratio</th>
          </tr>
        </thead>
        <tbody>
          ${costs.map(
            (each) =>
              html`<tr data-cost=${sizeLabel(each)}>
                <th scope="row">${sizeLabel(each)}</th>
                <td class="number">${formatInteger(each.parameters)}</td>
                <td>${renderValue(each.backprop)}</td>
                <td>${each.timedPasses < each.parameters ? '~ ' : ''}${renderValue(each.naive)}</td>
                <td class="number">${formatRatio(each.naive / each.backprop)}</td>
                <td class="number">${formatInteger(each.macs.backprop)}</td>
                <td class="number">${formatInteger(each.macs.naive)}</td>
                <td class="number">${formatRatio(each.macs.naive / each.macs.backprop)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="hint">Both gradients agree to ${renderValue(difference)} of the largest entry.</p>
  `;
}

/** One row per network. */
const costTable = (costs: readonly Cost[]): TableExport => ({
  headers: [
    'hidden layers',
    'units',
    'parameters',
    'backprop in ms',
    'naive in ms',
    'forward passes timed',
    'multiply-adds of backprop',
    'multiply-adds of naive',
  ],
  rows: costs.map(({ depth, width, parameters, backprop, naive, timedPasses, macs }) => [
    depth,
    width,
    parameters,
    backprop,
    naive,
    timedPasses,
    macs.backprop,
    macs.naive,
  ]),
});
