// The network as a picture, for one sample: units with their values or gradients, weights between them. A click on a
// unit or a weight says what it is, how it came to be, and marks its layer in the spec.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { AnswerTo, Question } from '../../src/protocol/panel';
import { sizeOf } from '../canvas-size';
import { LineChart } from '../charts/line-chart';
import type { Context, Settings, View } from '../context';
import { NumberField } from '../controls/number-field';
import { sampleField } from '../controls/sample-field';
import { takeAway } from '../controls/take-away';
import { icon, value } from '../controls/value';
import { whatIfBar } from '../controls/what-if-bar';
import { type ColumnName, type Drawing, NetworkPicture, type Picture, type Target } from '../network-picture';
import { counted, formatCount, formatIndex, formatShape, fullNumber } from '../numbers';
import { lastPhase, words } from '../words';
import { isTried, triedOf, tryInput, tryWeight, whatIfIfAny, whatIfQuestion } from '../what-if';
import { filtersOf, mountFilters } from './filters';

const ID = 'network';
/** Pixels that the choices above the picture and the words below it take. */
const AROUND = 170;
const EDGES = ['weight', 'gradient', 'update'] as const;
const FILLS = ['values', 'gradients'] as const;

interface Own {
  readonly edges: (typeof EDGES)[number];
  readonly fill: (typeof FILLS)[number];
}

const ownOf = ({ kept }: Settings): Own => {
  const from = (kept[ID] ?? {}) as Partial<Record<keyof Own, unknown>>;
  return { edges: EDGES.find((each) => each === from.edges) ?? 'weight', fill: FILLS.find((each) => each === from.fill) ?? 'values' };
};

const questionOf = (settings: Settings): Question<'picture'> => ({
  about: 'picture', sample: settings.sample, edges: ownOf(settings).edges, maps: true,
});

/** The same with what is tried; null where nothing is. */
const triedQuestionOf = (settings: Settings): Question<'picture'> | null => {
  const tried = triedOf(settings);
  return isTried(tried) ? { ...questionOf(settings), tried } : null;
};

const namesOf = ({ data }: Context): ColumnName[] => [
  { name: 'input', kind: '', shape: data.model?.inputShape ?? [] },
  ...(data.model?.layers ?? []).map(({ name, kind, outputShape }) => ({ name, kind: words(kind), shape: outputShape })),
];

/** Where the step stands, as a column; the loss lights the last one, backward. */
function litOf({ data }: Context): Drawing['lit'] {
  const phase = lastPhase(data.model, data.frame);
  if (!phase || !data.model) return null;
  if (phase.kind === 'forward' || phase.kind === 'backward') return { column: phase.layer + 1, way: phase.kind };
  if (phase.kind === 'loss') return { column: data.model.layers.length, way: 'forward' };
  return phase.kind === 'loss_backward' ? { column: data.model.layers.length, way: 'backward' } : null;
}

export const network: View = {
  id: ID,
  title: 'Network',
  needs: [],
  questions: (data, settings) => {
    const [filters, tried] = [filtersOf(data, settings, ownOf(settings).edges), triedQuestionOf(settings)];
    return [questionOf(settings), ...(tried ? [tried] : []), ...(filters ? [filters] : []), ...whatIfIfAny(settings)];
  },
  mount(host, context) {
    const parts = Array.from({ length: 6 }, () => document.createElement('div'));
    const [top, head, map, under, below, figure] = parts;
    host.append(...parts);
    map.className = 'map';
    head.className = 'map-head';
    let chosen: Target | null = null;
    let open = false;
    let chart: LineChart | null = null;
    let history: AnswerTo<'weight_history'> | null = null;
    let asked = '';
    const picture = new NetworkPicture(() => text(), (target) => {
      chosen = target;
      if (target.column > 0) context.select(target.column - 1);
      text();
    });
    map.append(picture.canvas);
    const refuse = (words: string): void => context.notify('warning', words);
    const tryField = new NumberField({
      id: 'network-try', label: 'What if it were', title: 'Tries another value, here and in the view What if. The run is not touched.', width: 'wide', refuse,
      commit(typed) {
        const answer = shown();
        const weight = answer && chosen?.kind === 'edge' ? weightOf(context, answer, chosen) : null;
        if (weight) tryWeight(context, { parameter: weight.parameter, index: weight.index, value: typed });
        else if (answer && chosen?.kind === 'unit' && chosen.column === 0) tryInput(context, unitOf(answer, 0, chosen.unit), typed);
        return null;
      },
    });
    /** For a weight, or a number of the input. */
    const tryIt = (answer: Picture, target: Target): TemplateResult | typeof nothing => {
      const { weights, inputs } = triedOf(context.settings);
      if (target.kind === 'unit') {
        if (target.column > 0) return nothing;
        const index = unitOf(answer, 0, target.unit);
        const now = inputs.find((input) => input.index === index)?.value ?? answer.columns[0].values?.[target.unit];
        return html`<div class="chooser">${tryField.template(now === undefined ? '' : fullNumber(now))}</div>`;
      }
      const weight = weightOf(context, answer, target);
      if (!weight) return nothing;
      const tried = weights.find(({ parameter, index }) => parameter === weight.parameter && index === weight.index)?.value;
      const now = tried ?? (ownOf(context.settings).edges === 'weight' ? weight.value : null);
      return html`<div class="chooser">${tryField.template(now === null ? '' : fullNumber(now))}</div>`;
    };
    const filters = mountFilters(under, context, () => filtersOf(context.data, context.settings, ownOf(context.settings).edges));

    const shown = (): Picture | null => context.answer(questionOf(context.settings));
    const draw = (): void => {
      const answer = shown();
      map.hidden = answer === null;
      if (!answer) return;
      const { data, theme, settings } = context;
      const names = namesOf(context);
      if (names.length !== answer.columns.length) return;
      const drawing = { picture: triedIn(context, answer) ?? answer, names, fill: ownOf(settings).fill, lit: litOf(context), selected: data.layer === null ? null : data.layer + 1 };
      picture.canvas.setAttribute('aria-label', `The network for sample ${answer.sample}: ${names.map(({ name, shape }) => `${name} ${formatShape(shape)}`).join(', ')}. Arrow keys move from unit to unit, with Shift over the weights into it.`);
      picture.draw(drawing, theme, { width: sizeOf(map).width, height: Math.min(sizeOf(host).height, window.innerHeight) - AROUND });
    };
    const text = (): void => {
      const answer = shown();
      render(html`${whatIfBar(context, true)}${chooser(context, answer)}`, top);
      render(answer ? html`<p class="reading" role="status" aria-live="off">${
        picture.cursor ? describe(context, answer, picture.cursor) : html`<span class="hint">Point at a unit or a weight to read it; click one for its history and its place in the spec.</span>`
      }</p>` : html`<section class="empty"><p>The engine is asked for the picture.</p></section>`, head);
      render(answer ? html`${chosen ? html`${details(context, answer, chosen)}${tryIt(answer, chosen)}` : nothing}${legend(context, answer)}
        <details class="data" @toggle=${toggle}><summary>Table</summary>${open ? table(context, picture.canvas, triedIn(context, answer) ?? answer) : nothing}</details>` : nothing, below);
      void follow(answer);
    };
    const toggle = (event: Event): void => {
      open = (event.target as HTMLDetailsElement).open;
      text();
    };
    /** Asks for the history of the chosen weight, once a step. */
    const follow = async (answer: Picture | null): Promise<void> => {
      const weight = answer && chosen?.kind === 'edge' ? weightOf(context, answer, chosen) : null;
      if (!weight) {
        chart?.dispose();
        chart = null;
        asked = '';
        return;
      }
      const key = `${context.data.run} ${context.data.frame?.position.step} ${weight.parameter} ${weight.index}`;
      if (key === asked) return;
      asked = key;
      const answered = await context.ask({ about: 'weight_history', parameter: weight.parameter, index: weight.index }).catch(() => null);
      if (asked !== key || !answered?.answer) return;
      history = answered.answer;
      chart ??= new LineChart(figure, context, { title: 'The chosen weight', unit: 'value at the kept steps', how: 'From the copies that are kept to go back to, and where the run stands.', logarithmic: false });
      chart.update([{
        name: `${weight.parameter}${formatIndex(weight.place)}`, colour: context.theme.palette[0],
        data: { stride: 1, steps: history.steps, low: history.values, high: history.values },
      }], true);
    };
    return {
      update(withText) {
        draw();
        filters.update(withText);
        if (withText) text();
      },
      dispose() {
        asked = '';
        chart?.dispose();
        filters.dispose();
        for (const part of [top, head, below]) render(nothing, part);
      },
    };
  },
};

/** The picture as it would be with what is tried; null where nothing is, or it is being computed. */
function triedIn({ settings, answer }: Context, { sample }: Picture): Picture | null {
  const question = triedQuestionOf(settings);
  const found = question && answer(question);
  return found?.sample === sample ? found : null;
}

function chooser(context: Context, answer: Picture | null): TemplateResult {
  const { settings, keep } = context;
  const own = ownOf(settings);
  const names = { values: 'activation', gradients: 'dL/d activation' } as const;
  return html`<div class="chooser">
    <span class="field"><span>Units</span><span class="segments" role="group" aria-label="What fills the units">
      ${FILLS.map((fill) => html`<button class="segment" aria-pressed=${own.fill === fill ? 'true' : 'false'} @click=${() => keep(ID, { ...own, fill })}>${names[fill]}</button>`)}</span></span>
    <span class="field"><span>Lines</span><span class="segments" role="group" aria-label="What the lines show">
      ${EDGES.map((edges) => html`<button class="segment" aria-pressed=${own.edges === edges ? 'true' : 'false'} @click=${() => keep(ID, { ...own, edges })}>${edges}</button>`)}</span></span>
    ${sampleField(context, answer)}
  </div>`;
}

function legend(context: Context, answer: Picture): TemplateResult {
  const { edges, fill } = ownOf(context.settings);
  const tried = triedIn(context, answer) !== null;
  return html`<p class="how">${icon('info')} Orange is above 0, blue and dashed below; a line’s width is its ${edges} beside the largest of its tensor.
    ${tried ? html`<b data-tried-picture>What if:</b> units and their maps, weights and filters are drawn as they would be with what is tried; gradients are of this sample’s loss alone, and no update is made of it.` : fill === 'values' ? 'With one or two inputs, a unit shows what it gives for every input; of an image, its feature map.' : 'A unit’s shade is the gradient of the batch’s loss with respect to its value.'}</p>`;
}

/** The unit's number in its layer. */
const unitOf = (answer: Picture, column: number, place: number): number => answer.columns[column].shown[place];

function weightOf(_context: Context, answer: Picture, { column, to, from }: Extract<Target, { kind: 'edge' }>) {
  const edges = answer.edges.find(({ layer }) => layer === column - 1);
  if (!edges) return null;
  const place = [unitOf(answer, column, to), unitOf(answer, column - 1, from)];
  return {
    parameter: edges.parameter,
    place,
    index: place[0] * answer.columns[column - 1].units + place[1],
    value: edges.values?.[to * answer.columns[column - 1].shown.length + from] ?? null,
  };
}

function describe(context: Context, answer: Picture, target: Target): TemplateResult {
  const names = namesOf(context);
  if (target.kind === 'unit') {
    const { values, gradients } = answer.columns[target.column];
    return html`<b><bdi>${names[target.column].name}</bdi>${formatIndex([unitOf(answer, target.column, target.unit)])}</b>
      is ${value(values?.[target.unit], { signed: true })}, dL/d of it ${value(gradients?.[target.unit], { signed: true })}${tried(context, target.column, unitOf(answer, target.column, target.unit))}`;
  }
  const weight = weightOf(context, answer, target);
  if (!weight) return html``;
  return html`<b><bdi>${weight.parameter}</bdi>${formatIndex(weight.place)}</b>: ${ownOf(context.settings).edges} ${value(weight.value, { signed: true })}`;
}

/** What the unit would be with what is tried. */
function tried({ settings, answer }: Context, column: number, unit: number): TemplateResult | typeof nothing {
  const whatIf = whatIfIfAny(settings).length > 0 ? answer(whatIfQuestion(settings)) : null;
  const found = whatIf?.nodes.find(({ node }) => (column === 0 ? node.of === 'input' : node.of === 'output' && node.layer === column - 1));
  if (!found || unit >= found.after.length) return nothing;
  return html`, <span data-what-if>what if ${value(found.before[unit], { signed: true })} → ${value(found.after[unit], { signed: true })}</span>`;
}

/** What was clicked, in words with all numbers. */
function details(context: Context, answer: Picture, target: Target): TemplateResult {
  const names = namesOf(context);
  if (target.column >= names.length) return html``;
  if (target.kind === 'edge') {
    return html`<section class="part"><p>${describe(context, answer, target)}: from <bdi>${names[target.column - 1].name}</bdi>${formatIndex([unitOf(answer, target.column - 1, target.from)])}
      to <bdi>${names[target.column].name}</bdi>${formatIndex([unitOf(answer, target.column, target.to)])}. Its layer is marked in the spec.</p></section>`;
  }
  const edges = answer.edges.find(({ layer }) => layer === target.column - 1);
  const before = answer.columns[target.column - 1];
  return html`<section class="part"><p>${describe(context, answer, target)}.</p>
    ${
      edges?.values && before
        ? html`<div class="scroll" tabindex="0" role="region" aria-label="Weights into the chosen unit"><table>
          <thead><tr><th scope="col">from</th><th scope="col">its value</th><th scope="col">${ownOf(context.settings).edges}</th></tr></thead>
          <tbody>${[...before.shown].map((unit, j) => html`<tr><th scope="row"><bdi>${names[target.column - 1].name}</bdi>${formatIndex([unit])}</th>
            <td>${value(before.values?.[j], { signed: true })}</td><td>${value(edges.values?.[target.unit * before.shown.length + j], { signed: true })}</td></tr>`)}</tbody>
        </table></div>`
        : nothing
    }</section>`;
}

function table(context: Context, canvas: HTMLCanvasElement, { columns }: Picture): TemplateResult {
  const names = namesOf(context);
  const rows = columns.flatMap(({ shown, values, gradients }, c) => [...shown].map((unit, i) => ({ name: `${names[c].name}${formatIndex([unit])}`, value: values?.[i], gradient: gradients?.[i] })));
  const sheet = () => ({ heads: ['unit', 'value', 'gradient'], rows: rows.map((row) => [row.name, row.value, row.gradient]) });
  const hidden = columns.reduce((sum, { units, shown }) => sum + units - shown.length, 0);
  return html`<p class="hint">${hidden > 0 ? `${counted(hidden, 'unit')} of large layers ${hidden === 1 ? 'is' : 'are'} left out: ${formatCount(rows.length)} are shown. ` : nothing}${takeAway(context, { title: 'Network', sheet, canvas })}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: units"><table>
      <thead><tr><th scope="col">unit</th><th scope="col">value</th><th scope="col">dL/d value</th></tr></thead>
      <tbody>${rows.map((row) => html`<tr><th scope="row"><bdi>${row.name}</bdi></th><td>${value(row.value, { signed: true })}</td><td>${value(row.gradient, { signed: true })}</td></tr>`)}</tbody>
    </table></div>`;
}
