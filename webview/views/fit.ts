// What the network has learned, and on which samples it fails: the fitted function or the class regions with the data,
// the confusion matrix, the worst samples. The sample chosen here is the one that other views follow.
import { html, nothing, render, svg, type TemplateResult } from 'lit/html.js';
import type { QueryValue, SplitName, Query } from '../../src/protocol/panel';
import { classColor, classPointStyle, FitChart, type DecisionSurface, type Points } from '../charts/fit-chart';
import { toCss } from '../canvas/colors';
import type { Context, Settings, View } from '../context';
import { drawInputImage, isImage } from '../controls/input-image';
import { renderIcon, renderValue } from '../controls/number-value';
import { rowsTable } from '../controls/rows-table';
import { pluralize, formatInteger, formatPercent } from '../../src/presentation/numbers';
import type { Theme } from '../canvas/theme';

type Predictions = QueryValue<'predictions'>;

const ID = 'fit';
const SPLITS = ['train', 'validation', 'test'] as const satisfies readonly SplitName[];

const selectedSplit = ({ viewState }: Settings): SplitName => {
  const { part } = (viewState[ID] ?? {}) as { part?: unknown };
  return SPLITS.find((each) => each === part) ?? 'train';
};

const fitQueries = (settings: Settings): [Query<'decision_surface'>, Query<'predictions'>] => [
  { type: 'decision_surface' },
  { type: 'predictions', split: selectedSplit(settings) },
];

export const fit: View = {
  id: ID,
  title: 'Fit',
  probes: [],
  queries: (_data, settings) => fitQueries(settings),
  mount(host, context) {
    const [top, figure, below] = [
      document.createElement('div'),
      document.createElement('figure'),
      document.createElement('div'),
    ];
    host.append(top, figure, below);
    figure.className = 'chart';
    const choose = (sample: number): void => context.updateSettings({ sample });
    let chart: FitChart | null = null;
    let points: Points | null = null;
    let asked: SplitName | null = null;
    let open = false;
    let disposed = false;

    const askForPoints = async (part: SplitName): Promise<void> => {
      asked = part;
      points = null;
      const { value } = await context.query({ type: 'points', split: part }).catch(() => ({ value: null }));
      if (disposed || asked !== part) return;
      points = value;
      draw();
      text();
    };
    const draw = (): void => {
      const surface = context.latestResult(fitQueries(context.settings)[0]);
      figure.hidden = surface === null;
      if (!surface || !points) return;
      if (!chart) {
        chart = new FitChart(context, choose);
        renderFigure(surface, points);
      }
      chart.update({
        surface,
        points,
        classes: context.data.model?.classes ?? null,
        selectedSample: context.settings.sample,
      });
    };
    const renderFigure = (fitted: DecisionSurface, drawn: Points): void => {
      const plane = fitted.axes.length === 2;
      const classes = context.data.model?.classes ?? null;
      render(
        html`
          <div class="chart-head">
            <h2>${classes ? 'Regions' : plane ? 'Fitted surface' : 'Fitted function'}</h2>
            <span class="unit"
              >${pluralize(drawn.samples.length, 'sample')}${drawn.total > drawn.samples.length ? ` of ${formatInteger(drawn.total)}` : ''}</span
            >
          </div>
          ${classes ? html`<div class="keys">${classes.map((name, i) => html`<span class="key">${classMarker(i, context.theme)}<bdi>${name}</bdi></span>`)}</div>` : nothing}
          <div class="plot ${plane ? 'plane' : ''}">${chart?.canvas}</div>
          <p class="how">
            ${renderIcon('info')}
            ${
              plane
                ? classes
                  ? 'The background shows the predicted class. Click a point to follow its sample.'
                  : 'The background shows the prediction, points their targets. Where the colors differ, the prediction is wrong.'
                : 'The line is the prediction for each input; points are the data. Click one to follow its sample.'
            }
          </p>
          <details class="data" @toggle=${toggle}>
            <summary>Table</summary>
            ${open ? dataTable(context, chart?.canvas, fitted, drawn) : nothing}
          </details>
        `,
        figure,
      );
    };
    const toggle = (event: Event): void => {
      open = (event.target as HTMLDetailsElement).open;
      text();
    };
    const text = (): void => {
      const { settings, data } = context;
      const [one, all] = fitQueries(settings);
      const fitted = context.latestResult(one);
      const predictions = context.latestResult(all);
      render(chooser(context), top);
      if (fitted && points && chart) {
        chart.updateAriaLabel();
        renderFigure(fitted, points);
      }
      render(
        predictions
          ? html`${confusionTable(context, predictions)}${worstTable(context, predictions, choose)}`
          : emptyMessage(data.model !== null),
        below,
      );
      for (const canvas of below.querySelectorAll<HTMLCanvasElement>('canvas[data-sample]')) {
        const shown = predictions?.worst.find(({ sample }) => String(sample) === canvas.dataset.sample);
        if (shown?.input && data.model) drawInputImage(canvas, shown.input, data.model.inputShape);
      }
    };
    return {
      update(withText) {
        const part = selectedSplit(context.settings);
        if (asked !== part) void askForPoints(part);
        draw();
        if (withText) text();
      },
      dispose() {
        disposed = true;
        chart?.dispose();
        for (const each of [top, figure, below]) render(nothing, each);
      },
    };
  },
};

const emptyMessage = (loaded: boolean): TemplateResult =>
  html`<section class="empty">
    <p>${loaded ? 'This split has no samples, or the engine has not answered yet.' : ''}</p>
  </section>`;

function chooser({ settings, data, setViewState }: Context): TemplateResult {
  const chosen = selectedSplit(settings);
  return html`<div class="chooser">
    <span class="segments" role="group" aria-label="Split">
      ${SPLITS.filter((part) => (data.model?.samples[part] ?? 0) > 0).map(
        (part) =>
          html`<button
            class="segment"
            aria-pressed=${part === chosen ? 'true' : 'false'}
            @click=${() => setViewState(ID, { part })}
          >
            ${part}
          </button>`,
      )}
    </span>
  </div>`;
}

/** The shape of a class's points, for the legend. */
function classMarker(index: number, theme: Theme): TemplateResult {
  const color = toCss(classColor(index, theme));
  const shapes = {
    circle: svg`<circle r="3.5" fill=${color} />`,
    rectRot: svg`<path d="M0 -4.5 L4.5 0 L0 4.5 L-4.5 0 Z" fill=${color} />`,
    triangle: svg`<path d="M0 -4.5 L4.5 4 L-4.5 4 Z" fill=${color} />`,
    rect: svg`<rect x="-3.5" y="-3.5" width="7" height="7" fill=${color} />`,
    star: svg`<path d="M0 -4.5 V4.5 M-4.5 0 H4.5 M-3 -3 L3 3 M-3 3 L3 -3" stroke=${color} stroke-width="1.5" />`,
    crossRot: svg`<path d="M-3.5 -3.5 L3.5 3.5 M-3.5 3.5 L3.5 -3.5" stroke=${color} stroke-width="2" />`,
  };
  return html`<svg class="shape" width="11" height="11" viewBox="-5.5 -5.5 11 11" aria-hidden="true">
    ${shapes[classPointStyle(index)]}
  </svg>`;
}

/** The values of the line for one input, otherwise the samples of the plane. */
function dataTable(
  context: Context,
  canvas: HTMLCanvasElement | undefined,
  { axes, columns, outputs, predictions }: DecisionSurface,
  points: Points,
): TemplateResult {
  const classes = context.data.model?.classes ?? null;
  const { min, max } = axes[0]!;
  const width = points.targets.length / Math.max(1, points.samples.length);
  const rows: readonly (readonly [string, readonly number[]])[] =
    axes.length === 1
      ? Array.from({ length: columns }, (_, i) => [
          String(i),
          [min + ((max - min) * i) / (columns - 1), ...(predictions?.subarray(i * outputs, (i + 1) * outputs) ?? [])],
        ])
      : [...points.samples.keys()].map((i) => [
          classes ? (classes[points.targets[i]!] ?? '') : String(points.samples[i]),
          [
            points.inputs[2 * i]!,
            points.inputs[2 * i + 1]!,
            ...(classes ? [] : points.targets.subarray(i * width, (i + 1) * width)),
          ],
        ]);
  const headers =
    axes.length === 1
      ? ['point', axes[0]!.name, 'prediction']
      : [classes ? 'class' : 'sample', axes[0]!.name, axes[1]!.name, ...(classes ? [] : ['target'])];
  return rowsTable(context, {
    title: 'Fit',
    label: 'Table: the fit',
    headers,
    rows,
    renderRow: ([name, values]) =>
      html`<th scope="row"><bdi>${name}</bdi></th>
        ${values.map((one) => html`<td>${renderValue(one, { signed: true })}</td>`)}`,
    exportRow: ([name, values]) => [name, ...values],
    canvas,
  });
}

function confusionTable(
  { data }: Context,
  { confusion, evaluated, total }: Predictions,
): TemplateResult | typeof nothing {
  const classes = data.model?.classes;
  if (!classes || !confusion) return nothing;
  const k = classes.length;
  const right = classes.reduce((sum, _, i) => sum + confusion[i * k + i]!, 0);
  const cell = (i: number, j: number): TemplateResult => {
    const count = confusion[i * k + j]!;
    const share =
      count /
      Math.max(
        1,
        confusion.subarray(i * k, (i + 1) * k).reduce((a, b) => a + b, 0),
      );
    const tone = count === 0 ? 'zero' : i === j ? 'right' : 'wrong';
    return html`<td
      class=${tone}
      title=${`${pluralize(count, 'sample')} of ${classes[i]} predicted as ${classes[j]}: ${formatPercent(share)} of its class`}
    >
      ${formatInteger(count)}
    </td>`;
  };
  return html`<section class="part">
    <div class="chart-head">
      <h2>Confusion</h2>
      <span class="unit"
        >${formatInteger(right)} of ${pluralize(evaluated, 'sample')}
        right${evaluated < total ? `, evenly chosen from ${formatInteger(total)}` : ''}; computed in inference
        mode</span
      >
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">
      <table class="confusion">
        <thead>
          <tr>
            <th scope="col">actual ↓ predicted →</th>
            ${classes.map((name) => html`<th scope="col" title=${name}><bdi>${name}</bdi></th>`)}
          </tr>
        </thead>
        <tbody>
          ${classes.map(
            (name, i) =>
              html`<tr>
                <th scope="row"><bdi>${name}</bdi></th>
                ${classes.map((_, j) => cell(i, j))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function worstTable(
  { data, settings }: Context,
  { worst, loss }: Predictions,
  choose: (sample: number) => void,
): TemplateResult {
  const classes = data.model?.classes ?? null;
  const picture = data.model !== null && isImage(data.model.inputShape);
  const called = (indexes: readonly number[]): string => indexes.map((index) => classes?.[index] ?? '').join(' ');
  return html`<section class="part">
    <div class="chart-head">
      <h2>Worst samples</h2>
      <span class="unit">largest loss first; the mean is ${renderValue(loss)}</span>
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label="Worst samples">
      <table class="worst">
        <thead>
          <tr>
            <th scope="col">sample</th>
            ${picture ? html`<th scope="col" class="text">input</th>` : nothing}
            <th scope="col">loss</th>
            <th scope="col" class="text">target</th>
            <th scope="col" class="text">predicted</th>
          </tr>
        </thead>
        <tbody>
          ${worst.map(
            (one) =>
              html`<tr class=${one.sample === settings.sample ? 'selected' : ''}>
                <th scope="row">
                  <button
                    class="link number"
                    aria-pressed=${one.sample === settings.sample ? 'true' : 'false'}
                    title="Follow this sample in every view"
                    @click=${() => choose(one.sample)}
                  >
                    ${formatInteger(one.sample)}
                  </button>
                </th>
                ${picture ? html`<td class="text"><canvas data-sample=${one.sample} width="1" height="1" role="img" aria-label=${`Input of sample ${one.sample}`}></canvas></td>` : nothing}
                <td>${renderValue(one.loss)}</td>
                <td class="text">
                  ${classes ? html`<bdi>${called(one.target)}</bdi>` : one.target.map((each) => html`${renderValue(each, { signed: true })} `)}
                </td>
                <td class="text">
                  ${classes ? html`<bdi>${called(one.predictedClasses ?? [])}</bdi>` : one.prediction.map((each) => html`${renderValue(each, { signed: true })} `)}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}
