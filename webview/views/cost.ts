// Why backprop: what one gradient of all parameters costs by it, and by one forward pass a parameter, measured here and now
// on networks that grow wider and deeper.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { AnswerTo, ModelInfo } from '../../src/protocol/panel';
import { GrowthChart, type Growth } from '../charts/growth-chart';
import { swatch } from '../charts/line-chart';
import type { Context, View } from '../context';
import { takeAway } from '../controls/take-away';
import { icon, value } from '../controls/value';
import { counted, formatCount, formatNumber, formatRound } from '../numbers';
import type { Sheet } from '../sheet';
import type { Theme } from '../theme';

type Answer = AnswerTo<'cost'>;
type Cost = Answer['cost'];

/** What was measured for a run, as long as it is shown. */
const measured = new WeakMap<ModelInfo, Answer[]>();

const sizeOf = ({ depth, width }: Cost): string => `${depth} × ${width}`;

/** Wider: one hidden layer; deeper: all of one width. */
function linesOf(answers: readonly Answer[], { palette }: Theme): Growth[] {
  const all = answers.map(({ cost }) => cost);
  const deepWidth = all.find(({ depth }) => depth > 1)?.width;
  const rows = [
    { name: 'wider', dash: [], costs: all.filter(({ depth }) => depth === 1) },
    { name: 'deeper', dash: [5, 3], costs: all.filter(({ width }) => width === deepWidth) },
  ];
  return rows.filter(({ costs }) => costs.length > 1).flatMap(({ name, dash, costs }) =>
    (['naive', 'backprop'] as const).map((way, i) => ({
      name: `${way}, ${name}`, dash, colour: palette[i === 0 ? 1 : 0],
      points: costs.map((cost) => ({ x: cost.parameters, y: cost[way] })).sort((a, b) => a.x - b.x),
    })),
  );
}

export const cost: View = {
  id: 'cost',
  title: 'Cost',
  needs: [],
  mount(host, context) {
    const [top, figure, below] = [document.createElement('div'), document.createElement('figure'), document.createElement('div')];
    figure.classList.add('chart');
    host.append(top, figure, below);
    let chart: GrowthChart | null = null;
    /** Of the job that runs; another one, or none, once it is cancelled. */
    let job: object | null = null;
    let trouble: string | null = null;
    let seen: readonly unknown[] = [];

    const answers = (): Answer[] => (context.data.model && measured.get(context.data.model)) ?? [];
    const measure = async (): Promise<void> => {
      const { model } = context.data;
      if (!model) return;
      const own = {};
      job = own;
      trouble = null;
      const found: Answer[] = [];
      measured.set(model, found);
      draw();
      try {
        for (let index = 0; ; index++) {
          const { answer } = await context.ask({ about: 'cost', index });
          if (job !== own) return;
          if (!answer || context.data.model !== model) break;
          found.push(answer);
          draw();
          if (found.length === answer.of) break;
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
      const lines = linesOf(found, context.theme);
      figure.hidden = lines.length === 0;
      if (lines.length > 0) {
        chart ??= new GrowthChart(context);
        render(html`
          <div class="chart-head"><h2>Time of one gradient</h2><span class="unit">milliseconds, by the number of parameters; both axes are logarithmic</span></div>
          <div class="keys">${lines.map((line) => html`<span class="key">${swatch({ name: line.name, colour: line.colour, dash: line.dash, data: undefined, width: 2 })}<span class="key-name">${line.name}</span></span>`)}</div>
          <div class="plot">${chart.canvas}</div>
          <div class="chart-foot"><span class="how">${icon('info')} Backprop costs about as much as a few forward passes, whatever the size. One forward pass a parameter grows with the parameters, and each pass grows, too: with the width their product grows with its square.</span></div>
        `, figure);
        chart.update(lines, { x: 'parameters', y: 'milliseconds', words: wordsOf(found) });
      }
      render(found.length > 0 ? table(found, context, chart?.canvas) : nothing, below);
    };

    return {
      update(text) {
        const now = [context.data.model, context.theme.version];
        if (!text || now.every((one, i) => one === seen[i])) return;
        // What is measured is of the run that was shown.
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

function wordsOf(answers: readonly Answer[]): string {
  const { cost: last } = answers[answers.length - 1];
  return `Time of one gradient by the number of parameters. With ${sizeOf(last)} hidden units, ${last.parameters} parameters: backprop ${formatNumber(last.backprop)} milliseconds, ` +
    `one forward pass a parameter ${formatNumber(last.naive)} milliseconds. The table below has all.`;
}

function head(answers: readonly Answer[], running: boolean, trouble: string | null, { measure, cancel }: { measure: () => void; cancel: () => void }): TemplateResult {
  const of = answers[0]?.of;
  const batch = answers[0]?.batchSize;
  return html`
    <p>A gradient can be had without backprop: move each parameter a little, go forward, see by how much the loss changes. That is one
    forward pass a parameter. Both ways are timed on this run’s data, loss and activation, with hidden layers that grow wider and deeper${batch === undefined ? '' : `, in batches of ${counted(batch, 'sample')}, in float64`}.</p>
    ${trouble === null ? nothing : html`<p class="verdict bad" role="alert">${icon('error')}<span>${trouble}</span></p>`}
    <div class="progress">
      <p role="status">${running ? (of === undefined ? 'Measuring …' : html`<span class="number">${answers.length}</span> of ${counted(of, 'network')} measured`) : of === undefined ? 'Not measured yet.' : answers.length === of ? `Measured: ${counted(of, 'network')}.` : `Cancelled after ${answers.length} of ${counted(of, 'network')}.`}</p>
      <progress max=${of ?? 1} value=${answers.length} aria-label="Networks measured"></progress>
      ${running
        ? html`<button class="secondary" data-action="cost-cancel" @click=${cancel}>Cancel</button>`
        : html`<button class=${of === undefined ? 'primary' : 'secondary'} data-action="cost-measure" @click=${measure}>${of === undefined ? 'Measure' : 'Measure again'}</button>`}
    </div>
    ${of === undefined ? html`<p class="hint">Takes a few seconds. A run in progress waits for each network, and goes on between them.</p>` : nothing}
  `;
}

const times = (ratio: number): string => `${formatRound(Number(ratio.toPrecision(3)))}×`;

function table(answers: readonly Answer[], context: Context, canvas: HTMLCanvasElement | undefined): TemplateResult {
  const costs = answers.map(({ cost: each }) => each);
  const proportional = costs.some(({ timed, parameters }) => timed < parameters);
  const difference = Math.max(...costs.map((each) => each.difference));
  return html`
    <p class="hint">
      Hidden layers × units in each. Milliseconds are the shortest of several tries; multiply-adds are counted.
      ${proportional ? html`<b>~</b> only so many passes were timed, the others are told by proportion.` : nothing}
      ${takeAway(context, { title: 'Time of one gradient', sheet: () => sheetOf(costs), canvas })}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: cost of a gradient"><table class="values">
      <thead><tr>
        <th scope="col">hidden</th><th scope="col">parameters</th><th scope="col">backprop, ms</th><th scope="col">naive, ms</th><th scope="col">ratio</th>
        <th scope="col">multiply-adds: backprop</th><th scope="col">naive</th><th scope="col">ratio</th>
      </tr></thead>
      <tbody>${costs.map((each) => html`<tr data-cost=${sizeOf(each)}>
        <th scope="row">${sizeOf(each)}</th><td class="number">${formatCount(each.parameters)}</td>
        <td>${value(each.backprop)}</td><td>${each.timed < each.parameters ? '~ ' : ''}${value(each.naive)}</td><td class="number">${times(each.naive / each.backprop)}</td>
        <td class="number">${formatCount(each.macs.backprop)}</td><td class="number">${formatCount(each.macs.naive)}</td><td class="number">${times(each.macs.naive / each.macs.backprop)}</td>
      </tr>`)}</tbody>
    </table></div>
    <p class="hint">Both gradients agree to ${value(difference)} of the largest entry.</p>
  `;
}

/** A row a network. */
const sheetOf = (costs: readonly Cost[]): Sheet => ({
  heads: ['hidden layers', 'units', 'parameters', 'backprop in ms', 'naive in ms', 'forward passes timed', 'multiply-adds of backprop', 'multiply-adds of naive'],
  rows: costs.map(({ depth, width, parameters, backprop, naive, timed, macs }) => [depth, width, parameters, backprop, naive, timed, macs.backprop, macs.naive]),
});
