// What has been learned, and on which samples it fails: the fitted function or the regions with the data, what is
// confused with what, the worst samples. The sample chosen here is the one that other views follow.
import { html, nothing, render, svg, type TemplateResult } from 'lit/html.js';
import type { AnswerTo, Part, Question } from '../../src/protocol/panel';
import { classColour, classStyle, FitChart, type Fitted, type Points } from '../charts/fit-chart';
import { toCss } from '../colours';
import type { Context, Settings, View } from '../context';
import { drawInput, isImage } from '../controls/input-image';
import { takeAway } from '../controls/take-away';
import { icon, value } from '../controls/value';
import { counted, formatCount, formatShare } from '../numbers';
import type { Theme } from '../theme';

type Predictions = AnswerTo<'predictions'>;

const ID = 'fit';
const parts = ['train', 'validation', 'test'] as const satisfies readonly Part[];
const MOST_ROWS = 200;

const partOf = ({ kept }: Settings): Part => {
  const { part } = (kept[ID] ?? {}) as { part?: unknown };
  return parts.find((each) => each === part) ?? 'train';
};

const questionsOf = (settings: Settings): [Question<'fitted'>, Question<'predictions'>] => [
  { about: 'fitted' },
  { about: 'predictions', part: partOf(settings) },
];

export const fit: View = {
  id: ID,
  title: 'Fit',
  needs: [],
  questions: (_data, settings) => questionsOf(settings),
  mount(host, context) {
    const [top, figure, below] = [document.createElement('div'), document.createElement('figure'), document.createElement('div')];
    host.append(top, figure, below);
    figure.className = 'chart';
    const choose = (sample: number): void => context.set({ sample });
    let chart: FitChart | null = null;
    let points: Points | null = null;
    let asked: Part | null = null;
    let open = false;
    let disposed = false;

    const askForPoints = async (part: Part): Promise<void> => {
      asked = part;
      points = null;
      const { answer } = await context.ask({ about: 'points', part }).catch(() => ({ answer: null }));
      if (disposed || asked !== part) return;
      points = answer;
      draw();
      text();
    };
    const draw = (): void => {
      const fitted = context.answer(questionsOf(context.settings)[0]);
      figure.hidden = fitted === null;
      if (!fitted || !points) return;
      if (!chart) {
        chart = new FitChart(context, choose);
        renderFigure(fitted, points);
      }
      chart.update({ fitted, points, classes: context.data.model?.classes ?? null, chosen: context.settings.sample });
    };
    const renderFigure = (fitted: Fitted, drawn: Points): void => {
      const plane = fitted.axes.length === 2;
      const classes = context.data.model?.classes ?? null;
      render(
        html`
          <div class="chart-head"><h2>${classes ? 'Regions' : plane ? 'Fitted surface' : 'Fitted function'}</h2>
            <span class="unit">${counted(drawn.samples.length, 'sample')}${drawn.of > drawn.samples.length ? ` of ${formatCount(drawn.of)}` : ''}</span></div>
          ${classes ? html`<div class="keys">${classes.map((name, i) => html`<span class="key">${mark(i, context.theme)}<bdi>${name}</bdi></span>`)}</div>` : nothing}
          <div class="plot ${plane ? 'plane' : ''}">${chart?.canvas}</div>
          <p class="how">${icon('info')} ${
            plane
              ? classes ? 'Each place has the colour of the class that the network gives it. Click a point to follow its sample.' : 'Each place has the colour of its prediction, each point that of its target: where they differ, it is wrong.'
              : 'The line is what the network gives for each input; points are the data. Click one to follow its sample.'
          }</p>
          <details class="data" @toggle=${toggle}><summary>Table</summary>${open ? dataTable(context, chart?.canvas, fitted, drawn) : nothing}</details>
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
      const [one, all] = questionsOf(settings);
      const fitted = context.answer(one);
      const predictions = context.answer(all);
      render(chooser(context), top);
      if (fitted && points && chart) {
        chart.describe();
        renderFigure(fitted, points);
      }
      render(predictions ? html`${confusionTable(context, predictions)}${worstTable(context, predictions, choose)}` : absence(data.model !== null), below);
      for (const canvas of below.querySelectorAll<HTMLCanvasElement>('canvas[data-sample]')) {
        const shown = predictions?.worst.find(({ sample }) => String(sample) === canvas.dataset.sample);
        if (shown?.input && data.model) drawInput(canvas, shown.input, data.model.inputShape);
      }
    };
    return {
      update(withText) {
        const part = partOf(context.settings);
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

const absence = (loaded: boolean): TemplateResult =>
  html`<section class="empty"><p>${loaded ? 'This part of the data has no samples, or the engine is still asked.' : ''}</p></section>`;

function chooser({ settings, data, keep }: Context): TemplateResult {
  const chosen = partOf(settings);
  return html`<div class="chooser"><span class="segments" role="group" aria-label="Part of the data">
    ${parts
      .filter((part) => (data.model?.samples[part] ?? 0) > 0)
      .map((part) => html`<button class="segment" aria-pressed=${part === chosen ? 'true' : 'false'} @click=${() => keep(ID, { part })}>${part}</button>`)}
  </span></div>`;
}

/** The shape of a class's points, for its key. */
function mark(index: number, theme: Theme): TemplateResult {
  const colour = toCss(classColour(index, theme));
  const shapes = {
    circle: svg`<circle r="3.5" fill=${colour} />`,
    rectRot: svg`<path d="M0 -4.5 L4.5 0 L0 4.5 L-4.5 0 Z" fill=${colour} />`,
    triangle: svg`<path d="M0 -4.5 L4.5 4 L-4.5 4 Z" fill=${colour} />`,
    rect: svg`<rect x="-3.5" y="-3.5" width="7" height="7" fill=${colour} />`,
    star: svg`<path d="M0 -4.5 V4.5 M-4.5 0 H4.5 M-3 -3 L3 3 M-3 3 L3 -3" stroke=${colour} stroke-width="1.5" />`,
    crossRot: svg`<path d="M-3.5 -3.5 L3.5 3.5 M-3.5 3.5 L3.5 -3.5" stroke=${colour} stroke-width="2" />`,
  };
  return html`<svg class="shape" width="11" height="11" viewBox="-5.5 -5.5 11 11" aria-hidden="true">${shapes[classStyle(index)]}</svg>`;
}

/** The line's values where there is one input, else the samples of the plane. */
function dataTable(context: Context, canvas: HTMLCanvasElement | undefined, { axes, columns, outputs, predictions }: Fitted, points: Points): TemplateResult {
  const classes = context.data.model?.classes ?? null;
  const [{ min, max }] = axes;
  const width = points.targets.length / Math.max(1, points.samples.length);
  const rows: readonly (readonly [string, readonly number[]])[] =
    axes.length === 1
      ? Array.from({ length: columns }, (_, i) => [String(i), [min + ((max - min) * i) / (columns - 1), ...(predictions?.subarray(i * outputs, (i + 1) * outputs) ?? [])]])
      : [...points.samples.keys()].map((i) => [
          classes ? (classes[points.targets[i]] ?? '') : String(points.samples[i]),
          [points.inputs[2 * i], points.inputs[2 * i + 1], ...(classes ? [] : points.targets.subarray(i * width, (i + 1) * width))],
        ]);
  const heads = axes.length === 1 ? ['point', axes[0].name, 'prediction'] : [classes ? 'class' : 'sample', axes[0].name, axes[1].name, ...(classes ? [] : ['target'])];
  const sheet = () => ({ heads, rows: rows.map(([name, values]) => [name, ...values]) });
  return html`
    <p class="hint">${rows.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${formatCount(rows.length)} rows. ` : nothing}${takeAway(context, { title: 'Fit', sheet, canvas })}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: the fit"><table>
      <thead><tr>${heads.map((head) => html`<th scope="col"><bdi>${head}</bdi></th>`)}</tr></thead>
      <tbody>${rows.slice(0, MOST_ROWS).map(([name, values]) => html`<tr><th scope="row"><bdi>${name}</bdi></th>${values.map((one) => html`<td>${value(one, { signed: true })}</td>`)}</tr>`)}</tbody>
    </table></div>`;
}

function confusionTable({ data }: Context, { confusion, evaluated, of }: Predictions): TemplateResult | typeof nothing {
  const classes = data.model?.classes;
  if (!classes || !confusion) return nothing;
  const k = classes.length;
  const right = classes.reduce((sum, _, i) => sum + confusion[i * k + i], 0);
  const cell = (i: number, j: number): TemplateResult => {
    const count = confusion[i * k + j];
    const share = count / Math.max(1, confusion.subarray(i * k, (i + 1) * k).reduce((a, b) => a + b, 0));
    const tone = count === 0 ? 'zero' : i === j ? 'right' : 'wrong';
    return html`<td class=${tone} title=${`${counted(count, 'sample')} of ${classes[i]} called ${classes[j]}: ${formatShare(share)} of its class`}>${formatCount(count)}</td>`;
  };
  return html`<section class="part">
    <div class="chart-head"><h2>Confusion</h2><span class="unit">${formatCount(right)} of ${counted(evaluated, 'sample')} right${evaluated < of ? `, evenly chosen from ${formatCount(of)}` : ''}; evaluated in evaluation mode</span></div>
    <div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix"><table class="confusion">
      <thead><tr><th scope="col">is ↓ called →</th>${classes.map((name) => html`<th scope="col" title=${name}><bdi>${name}</bdi></th>`)}</tr></thead>
      <tbody>${classes.map((name, i) => html`<tr><th scope="row"><bdi>${name}</bdi></th>${classes.map((_, j) => cell(i, j))}</tr>`)}</tbody>
    </table></div>
  </section>`;
}

function worstTable({ data, settings }: Context, { worst, loss }: Predictions, choose: (sample: number) => void): TemplateResult {
  const classes = data.model?.classes ?? null;
  const picture = data.model !== null && isImage(data.model.inputShape);
  const called = (kind: number | null): string => (kind === null ? '' : (classes?.[kind] ?? ''));
  return html`<section class="part">
    <div class="chart-head"><h2>Worst samples</h2><span class="unit">largest loss first; the mean is ${value(loss)}</span></div>
    <div class="scroll" tabindex="0" role="region" aria-label="Worst samples"><table class="worst">
      <thead><tr><th scope="col">sample</th>${picture ? html`<th scope="col" class="text">input</th>` : nothing}<th scope="col">loss</th>
        <th scope="col" class="text">target</th><th scope="col" class="text">predicted</th></tr></thead>
      <tbody>${worst.map((one) => html`<tr class=${one.sample === settings.sample ? 'selected' : ''}>
        <th scope="row"><button class="link number" aria-pressed=${one.sample === settings.sample ? 'true' : 'false'} title="Follow this sample in every view" @click=${() => choose(one.sample)}>${formatCount(one.sample)}</button></th>
        ${picture ? html`<td class="text"><canvas data-sample=${one.sample} width="1" height="1" role="img" aria-label=${`Input of sample ${one.sample}`}></canvas></td>` : nothing}
        <td>${value(one.loss)}</td>
        <td class="text">${classes ? html`<bdi>${called(one.target[0])}</bdi>` : one.target.map((each) => html`${value(each, { signed: true })} `)}</td>
        <td class="text">${classes ? html`<bdi>${called(one.predictedClass)}</bdi>` : one.prediction.map((each) => html`${value(each, { signed: true })} `)}</td>
      </tr>`)}</tbody>
    </table></div>
  </section>`;
}
