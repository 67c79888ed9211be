// What is wrong with this spec? The findings of its diagnosis, what matters most first, with fixes that were tried, and
// the measurements behind them.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { PanelDoctor } from '../../src/protocol/panel';
import { describeChecks, doctorAdvice } from '../../src/presentation/doctor-report';
import { formatCompact, formatInteger, formatNumber, formatPercent, pluralize } from '../../src/presentation/numbers';
import { swatch } from '../charts/line-chart';
import { XyChart, type XyLine, type XyOptions } from '../charts/xy-chart';
import type { Context, View } from '../context';
import { exportActions } from '../controls/export-actions';
import { renderIcon, renderValue } from '../controls/number-value';
import { styleProperties } from '../controls/style-properties';
import type { TableExport } from '../export/table-export';
import type { Theme } from '../canvas/theme';

type Diagnosis = Extract<PanelDoctor, { kind: 'done' }>;
type Report = Diagnosis['report'];

export const doctor: View = {
  id: 'doctor',
  title: 'Doctor',
  probes: [],
  mount(host, context) {
    const [top, below] = [document.createElement('div'), document.createElement('div')];
    const figures = FIGURES.map(() => document.createElement('figure'));
    const grid = document.createElement('div');
    grid.className = 'doctor-charts';
    grid.append(...figures);
    host.append(top, grid, below);
    const charts: (XyChart | undefined)[] = [];
    let seen: readonly unknown[] = [];

    const draw = (): void => {
      const { doctor: state } = context.data;
      render(head(context, state), top);
      grid.hidden = state.kind !== 'done';
      if (state.kind !== 'done') {
        render(nothing, below);
        return;
      }
      for (const [i, figure] of FIGURES.entries()) {
        const chart = (charts[i] ??= new XyChart(context));
        drawFigure(figures[i]!, chart, figure(state.report, context.theme), context);
      }
      render(lossBars(state.report), below);
    };

    return {
      update(text) {
        const now = [context.data.doctor, context.theme.version];
        // The run above redraws many times a second.
        if (!text || now.every((one, i) => one === seen[i])) return;
        seen = now;
        draw();
      },
      dispose() {
        for (const chart of charts) chart?.dispose();
        for (const part of [top, below, ...figures]) render(nothing, part);
      },
    };
  },
};

function head(context: Context, state: PanelDoctor): TemplateResult {
  switch (state.kind) {
    case 'idle':
      return invitation(context);
    case 'running':
      return html`<div class="progress">
        <p role="status">${`${state.stage.charAt(0).toUpperCase()}${state.stage.slice(1)} …`}</p>
        <progress max="1" value=${state.share} aria-label="Share of this stage"></progress>
        ${action(context, 'cancel', 'Cancel', 'secondary')}
      </div>`;
    case 'canceled':
      return html`<section class="empty">
        <p role="status"><b>Canceled.</b> There is no diagnosis.</p>
        <p>${action(context, 'start', 'Diagnose', 'primary')}</p>
      </section>`;
    case 'failed':
      return html`<p class="verdict bad" role="alert">${renderIcon('error')}<span>${state.reason}</span></p>
        <p>${action(context, 'start', 'Diagnose again', 'primary')}</p>`;
    case 'done':
      return html`${outdatedNote(context, state)}${findingsList(context, state)}${checksTable(state.report)}`;
  }
}

const action = ({ extension }: Context, name: 'start' | 'cancel', label: string, kind: 'primary' | 'secondary') =>
  html`<button class=${kind} data-action=${`doctor-${name}`} @click=${() => void extension.doctor(name)}>
    ${label}
  </button>`;

const invitation = (context: Context): TemplateResult =>
  html`<section class="empty">
    <p>
      <b>Not diagnosed yet.</b> The diagnosis looks at the data, compares the first loss with that of a constant
      prediction, overfits one small batch, checks gradients, tests ten learning rates and trains for a while. Then it
      tries the fix of each finding.
    </p>
    <p>It takes some seconds up to a few minutes. The run above continues.</p>
    <p>${action(context, 'start', 'Diagnose', 'primary')}</p>
  </section>`;

function outdatedNote(context: Context, { isOutdated }: Diagnosis): TemplateResult {
  return html`<div class="progress">
    <p role="status">
      ${isOutdated ? 'The spec has changed since this diagnosis.' : 'This diagnosis is of the spec as it is now.'}
    </p>
    ${action(context, 'start', 'Diagnose again', isOutdated ? 'primary' : 'secondary')}
  </div>`;
}

function findingsList({ extension }: Context, { report, lines, isOutdated }: Diagnosis): TemplateResult {
  const { findings, trial, gradients } = report;
  if (findings.length === 0) {
    const isBad = trial.diverged || gradients?.passed === false;
    return html`<p class="verdict ${isBad ? 'bad' : 'good'}">
      ${renderIcon(isBad ? 'warning' : 'pass')}<span
        >${isBad ? 'No rule explains what is wrong. See the checks below.' : 'Nothing to report.'}</span
      >
    </p>`;
  }
  const first = findings.findIndex(({ fix }) => fix !== null);
  return html`<h2>${pluralize(findings.length, 'finding')}, what matters most first</h2>
    <ol class="doctor-findings">
      ${findings.map((finding, i) => {
        const { code, message, fix, effect, since } = finding;
        const line = lines[i] ?? null;
        return html`<li data-finding=${code}>
          <p class="message">${message}</p>
          <p>${doctorAdvice(finding)}</p>
          ${
            fix && effect
              ? html`<p class="effect">
                  ${renderIcon('beaker')}<span><b>Tried “${fix.title}”.</b> ${effect}</span>
                </p>`
              : nothing
          }
          <p class="tools">
            ${
              fix
                ? html`<button
                    class=${i === first ? 'primary' : 'secondary'}
                    data-action="apply-fix"
                    ?disabled=${isOutdated}
                    title="Change the spec. Undo in the editor takes it back."
                    @click=${() => void extension.applyFix(i)}
                  >
                    Apply: ${fix.title}
                  </button>`
                : nothing
            }
            ${
              line === null
                ? since === null
                  ? nothing
                  : html`<span class="hint">since step ${formatInteger(since)}</span>`
                : html`<button
                    class="link"
                    data-action="reveal-finding"
                    title="Show this place in the spec"
                    ?disabled=${isOutdated}
                    @click=${() => void extension.revealFinding(i)}
                  >
                    line ${line}
                  </button>`
            }
            <code class="hint">${code}</code>
          </p>
        </li>`;
      })}
    </ol>`;
}

const checksTable = (report: Report): TemplateResult =>
  html`<h2>Checks</h2>
    <dl class="meanings doctor-checks">
      ${describeChecks(report).map(
        ({ id, title, result }) =>
          html`<div data-check=${id}>
            <dt>${title}</dt>
            <dd>${result}</dd>
          </div>`,
      )}
    </dl>`;

/** A chart with its text and its table. */
interface Figure {
  readonly title: string;
  readonly unit: string;
  readonly description: string;
  readonly lines: readonly XyLine[];
  readonly options: XyOptions;
  readonly table: TableExport;
}

const FIGURES: readonly ((report: Report, theme: Theme) => Figure)[] = [depthFigure, rateFigure, overfitFigure];

/** Values of more decades are drawn on a logarithmic axis. */
function scaleFor(values: readonly number[], linearDecades: number): 'linear' | 'logarithmic' {
  const finite = values.filter(Number.isFinite);
  const smallest = Math.min(...finite);
  return smallest > 0 && Math.log10(Math.max(...finite) / smallest) > linearDecades ? 'logarithmic' : 'linear';
}

function depthFigure({ depth }: Report, { backward }: Theme): Figure {
  const norms = depth.map(({ outputGradientNorm }) => outputGradientNorm ?? NaN);
  return {
    title: 'Gradients by depth',
    unit: 'norm of dL/d output of each layer at the last step; logarithmic',
    description: 'A staircase down to the first layer is a vanishing gradient, one up to it an exploding gradient.',
    lines: [{ name: 'dL/d output', color: backward, dash: [], points: norms.map((y, x) => ({ x, y })) }],
    options: {
      x: { title: 'layer', scale: 'linear', names: depth.map(({ layer }) => layer) },
      y: { title: 'norm', scale: 'logarithmic' },
      ariaLabel: `Gradients by depth. ${depth.map(({ layer }, i) => `${layer} ${formatNumber(norms[i]!)}`).join(', ')}.`,
    },
    table: {
      headers: ['layer', 'output std', 'gradient norm', 'idle share', 'update ratio'],
      rows: depth.map(({ layer, outputStd, outputGradientNorm, idle, updateRatio }) => [
        layer,
        outputStd,
        outputGradientNorm,
        idle,
        updateRatio,
      ]),
    },
  };
}

function rateFigure({ rangeTest }: Report, { palette, muted, good }: Theme): Figure {
  const { rates, losses, suggested, lr, firstLoss, steps } = rangeTest;
  const finite = [...losses, firstLoss].filter(Number.isFinite);
  // The lowest losses matter, and large rates may have large ones.
  const scale = scaleFor(finite, 1);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const vertical = (x: number) => [
    { x, y: low },
    { x, y: high },
  ];
  const diverged = rates.filter((_, i) => !Number.isFinite(losses[i]));
  const [slowest, fastest] = [rates[0] ?? NaN, rates.at(-1) ?? NaN];
  return {
    title: 'Learning-rate range',
    unit: `training loss after ${pluralize(steps, 'step')} from the start with each rate`,
    description:
      (suggested === null ? 'No rate lowers the loss.' : `Suggested: ${formatCompact(suggested)}.`) +
      ` The spec uses ${formatCompact(lr)}.` +
      (diverged.length > 0 ? ` Diverged: ${diverged.map(formatCompact).join(', ')}.` : ''),
    lines: [
      { name: 'loss', color: palette[0], dash: [], points: rates.map((x, i) => ({ x, y: losses[i]! })) },
      {
        name: 'first loss',
        color: muted,
        dash: [2, 2],
        isPlain: true,
        points: [
          { x: slowest, y: firstLoss },
          { x: fastest, y: firstLoss },
        ],
      },
      ...(suggested === null
        ? []
        : [{ name: 'suggested', color: good, dash: [], isPlain: true, points: vertical(suggested) }]),
      // A rate far outside of the test would leave no room for it.
      ...(lr >= slowest / 10 && lr <= fastest * 10
        ? [{ name: 'spec', color: palette[1], dash: [6, 3], isPlain: true, points: vertical(lr) }]
        : []),
    ],
    options: {
      x: { title: 'learning rate', scale: 'logarithmic' },
      y: { title: 'loss', scale },
      ariaLabel: `Learning-rate range. First loss ${formatNumber(firstLoss)}. ${rates.map((rate, i) => `${formatCompact(rate)}: ${formatNumber(losses[i]!)}`).join(', ')}.`,
    },
    table: { headers: ['learning rate', 'loss'], rows: rates.map((rate, i) => [rate, losses[i]!]) },
  };
}

function overfitFigure({ overfit }: Report, { splits }: Theme): Figure {
  const { curve, samples, steps, firstLoss, lastLoss, accuracy } = overfit;
  return {
    title: 'Overfit one small batch',
    unit: `loss of ${pluralize(samples, 'sample')}, trained alone`,
    description:
      `From ${formatNumber(firstLoss)} to ${formatNumber(lastLoss)} in ${pluralize(steps, 'step')}` +
      (accuracy === null ? '' : `, accuracy ${formatPercent(accuracy)}`) +
      '. A network that cannot learn a few samples by heart has a bug, a wrong rate or too few units.',
    lines: [
      { name: 'loss', color: splits.train, dash: [], points: curve.map(({ step, loss }) => ({ x: step, y: loss })) },
    ],
    options: {
      x: { title: 'step', scale: 'linear' },
      y: {
        title: 'loss',
        includesZero: true,
        scale: scaleFor(
          curve.map(({ loss }) => loss),
          3,
        ),
      },
      ariaLabel: `Overfitting ${samples} samples: loss ${formatNumber(firstLoss)} to ${formatNumber(lastLoss)} in ${steps} steps.`,
    },
    table: { headers: ['step', 'loss'], rows: curve.map(({ step, loss }) => [step, loss]) },
  };
}

function drawFigure(host: HTMLElement, chart: XyChart, figure: Figure, context: Context): void {
  const { title, unit, description, lines, options, table } = figure;
  host.classList.add('chart');
  render(
    html`
      <div class="chart-head">
        <h2>${title}</h2>
        <span class="unit">${unit}</span>
      </div>
      ${
        lines.length > 1
          ? html`<div class="keys">
              ${lines.map(({ name, color, dash }) => html`<span class="key">${swatch({ name, color, dash, data: undefined, width: 2 })}<span class="key-name">${name}</span></span>`)}
            </div>`
          : nothing
      }
      <div class="plot">${chart.canvas}</div>
      <div class="chart-foot">
        <span class="how">${renderIcon('info')} ${description}</span>
        <details class="data">
          <summary>Table</summary>
          <p class="hint">${exportActions(context, { title, table: () => table, canvas: chart.canvas })}</p>
          ${numbersTable(title, table)}
        </details>
      </div>
    `,
    host,
  );
  chart.update(lines, options);
}

const numbersTable = (title: string, { headers, rows }: TableExport): TemplateResult =>
  html`<div class="scroll" tabindex="0" role="region" aria-label=${`Table: ${title}`}>
    <table>
      <thead>
        <tr>
          ${headers.map((header) => html`<th scope="col">${header}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([first, ...cells]) =>
            html`<tr>
              <th scope="row">${typeof first === 'number' ? formatCompact(first) : first}</th>
              ${cells.map((cell) => html`<td>${typeof cell === 'string' ? cell : renderValue(cell)}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;

/** Percent of the largest; none for a loss that is negative or not finite. */
const barWidth = (loss: number, largest: number): number =>
  Number.isFinite(loss) && largest > 0 ? Math.max(0, (100 * loss) / largest) : 0;

/** The first loss and the last one, each beside that of a network that does not know the input. */
function lossBars({ initialLoss, zeroedInputs, trial }: Report): TemplateResult {
  const rows: readonly (readonly [string, number])[] = [
    ['First loss', initialLoss.loss],
    ...(initialLoss.expected === null ? [] : ([['Loss of a constant prediction', initialLoss.expected]] as const)),
    ...(zeroedInputs
      ? ([
          [`Loss after ${pluralize(trial.steps, 'step')}`, zeroedInputs.loss],
          ['The same with all inputs 0', zeroedInputs.zeroedLoss],
        ] as const)
      : []),
  ];
  const largest = Math.max(...rows.map(([, loss]) => (Number.isFinite(loss) ? loss : 0)));
  return html`<section class="part">
    <div class="chart-head">
      <h2>Losses</h2>
      <span class="unit">of training samples</span>
    </div>
    <table class="loss-bars">
      <tbody>
        ${rows.map(
          ([name, loss]) =>
            html`<tr>
              <th scope="row">${name}</th>
              <td>${renderValue(loss)}</td>
              <td class="loss-bar"><i ${styleProperties({ width: `${barWidth(loss, largest)}%` })}></i></td>
            </tr>`,
        )}
      </tbody>
    </table>
    <p class="how">
      ${renderIcon('info')} The first loss should be close to that of a constant prediction. A loss that stays the same
      without inputs means that the network ignores them.
    </p>
  </section>`;
}
