// The network as a diagram for one sample: units with their values or gradients, and the weights between them. Clicking
// a unit or a weight shows its value and how it was computed, and marks its layer in the spec.
import { createElements } from '../controls/elements';
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { ElementRef, QueryValue, Query } from '../../src/protocol/panel';
import { canvasSize } from '../canvas/canvas-size';
import { LineChart } from '../charts/line-chart';
import type { Context, Settings, View } from '../context';
import { NumberField } from '../controls/number-field';
import { outsideBatchNote } from '../controls/selection';
import { exportActions } from '../controls/export-actions';
import { renderIcon, renderValue } from '../controls/number-value';
import { whatIfBar } from '../controls/what-if-bar';
import { NetworkDiagram, type NetworkGraph, type Target, weightSource } from '../canvas/network-diagram';
import { pluralize, formatInteger, formatIndex, formatExact } from '../../src/presentation/numbers';
import {
  hasOverrides,
  getOverrides,
  overrideInput,
  overrideWeight,
  activeWhatIfQueries,
  whatIfQuery,
} from '../state/overrides';
import { filtersQuery, mountFilters } from './filters';
import { activePhase, columnLabels, describeNetwork } from './network-columns';
import { networkStage } from './network-stage';

const ID = 'network';
/** Height in pixels of the controls above the diagram and the text below it. */
const RESERVED_HEIGHT = 170;
const EDGES = ['weight', 'gradient', 'update'] as const;
const FILLS = ['values', 'gradients'] as const;

interface NetworkViewState {
  readonly edges: (typeof EDGES)[number];
  readonly fill: (typeof FILLS)[number];
}

const getViewState = ({ viewState }: Settings): NetworkViewState => {
  const from = (viewState[ID] ?? {}) as Partial<Record<keyof NetworkViewState, unknown>>;
  return {
    edges: EDGES.find((each) => each === from.edges) ?? 'weight',
    fill: FILLS.find((each) => each === from.fill) ?? 'values',
  };
};

const graphQuery = (settings: Settings): Query<'network_graph'> => ({
  type: 'network_graph',
  sample: settings.sample,
  edges: getViewState(settings).edges,
  maps: true,
});

/** The same for the counterfactual; null if there is none. */
const counterfactualQuery = (settings: Settings): Query<'network_graph'> | null => {
  const counterfactual = getOverrides(settings);
  return hasOverrides(counterfactual) ? { ...graphQuery(settings), counterfactual } : null;
};

export const network: View = {
  id: ID,
  title: 'Network',
  stage: networkStage,
  probes: [],
  queries: (data, settings) => {
    const [filters, tried] = [
      filtersQuery(data, settings, getViewState(settings).edges),
      counterfactualQuery(settings),
    ];
    return [
      graphQuery(settings),
      ...(tried ? [tried] : []),
      ...(filters ? [filters] : []),
      ...activeWhatIfQueries(settings),
    ];
  },
  mount(host, context) {
    const parts = createElements('div', 'div', 'div', 'div', 'div', 'div');
    const [top, head, map, under, below, figure] = parts;
    host.append(...parts);
    map.className = 'map';
    head.className = 'map-head';
    let chosen: Target | null = null;
    let open = false;
    let chart: LineChart | null = null;
    let history: QueryValue<'weight_history'> | null = null;
    let asked = '';
    const picture = new NetworkDiagram(
      () => text(),
      (target) => {
        chosen = target;
        if (target.column > 0) context.selectLayer(target.column - 1);
        text();
      },
    );
    map.append(picture.canvas);
    const onInvalid = (words: string): void => context.notify('warning', words);
    const tryField = new NumberField({
      id: 'network-try',
      label: 'What if it were',
      title: 'Show the effect of another value, here and in What if. The run is not changed.',
      width: 'wide',
      onInvalid,
      commit(typed) {
        const answer = shown();
        const weight = answer && chosen?.kind === 'edge' ? findWeight(context, answer, chosen) : null;
        if (weight) overrideWeight(context, { parameter: weight.parameter, index: weight.index, value: typed });
        else if (answer && chosen?.kind === 'unit' && chosen.column === 0)
          overrideInput(context, unitIndex(answer, 0, chosen.unit), typed);
        return null;
      },
    });
    /** For a weight, or an element of the input. */
    const tryIt = (answer: NetworkGraph, target: Target): TemplateResult | typeof nothing => {
      const { weights, inputs } = getOverrides(context.settings);
      if (target.kind === 'unit') {
        if (target.column > 0) return nothing;
        const index = unitIndex(answer, 0, target.unit);
        const now = inputs.find((input) => input.index === index)?.value ?? answer.columns[0]!.values?.[target.unit];
        return html`<div class="chooser">${tryField.template(now === undefined ? '' : formatExact(now))}</div>`;
      }
      const weight = findWeight(context, answer, target);
      if (!weight) return nothing;
      const tried = weights.find(
        ({ parameter, index }) => parameter === weight.parameter && index === weight.index,
      )?.value;
      const now = tried ?? (getViewState(context.settings).edges === 'weight' ? weight.value : null);
      return html`<div class="chooser">${tryField.template(now === null ? '' : formatExact(now))}</div>`;
    };
    const filters = mountFilters(under, context, () =>
      filtersQuery(context.data, context.settings, getViewState(context.settings).edges),
    );

    const shown = (): NetworkGraph | null => context.latestResult(graphQuery(context.settings));
    const draw = (): void => {
      const answer = shown();
      map.hidden = answer === null;
      if (!answer) return;
      const { data, theme, settings } = context;
      const names = columnLabels(context);
      if (names.length !== answer.columns.length) return;
      const drawing = {
        graph: counterfactualGraph(context, answer) ?? answer,
        labels: names,
        fill: getViewState(settings).fill,
        activePhase: activePhase(context),
        selected: data.layer === null ? null : data.layer + 1,
      };
      picture.canvas.setAttribute(
        'aria-label',
        `${describeNetwork(names, answer.sample)} Arrow keys move between units, with Shift between incoming weights.`,
      );
      picture.draw(drawing, theme, {
        width: canvasSize(map).width,
        height: Math.min(canvasSize(host).height, window.innerHeight) - RESERVED_HEIGHT,
      });
    };
    /** Describes what the pointer is at, otherwise what was clicked, with its origin. */
    const reading = (answer: NetworkGraph): TemplateResult | null => {
      const target = picture.cursor ?? chosen;
      if (!target || target.column >= answer.columns.length) return null;
      const entry = JSON.stringify(target) === JSON.stringify(chosen) ? stepEntry(context, answer, target) : null;
      return html`${describe(context, answer, target)}
      ${entry ? html` <button class="link" data-action="why" @click=${({ currentTarget }: Event) => context.explain(entry, currentTarget as Element)}>Why?</button>` : nothing}`;
    };
    const text = (): void => {
      const answer = shown();
      render(html`${whatIfBar(context, true)}${chooser(context, answer)}`, top);
      render(
        answer
          ? html`<p class="reading" role="status" aria-live="off">
              ${
                reading(answer) ??
                html`<span class="hint"
                  >Hover over a unit or a weight to read it. Click for its history and its line in the spec.</span
                >`
              }
            </p>`
          : html`<section class="empty"><p>Loading network…</p></section>`,
        head,
      );
      render(
        answer
          ? html`${chosen ? html`${details(context, answer, chosen)}${tryIt(answer, chosen)}` : nothing}${legend(context, answer)}
              <details class="data" @toggle=${toggle}>
                <summary>Table</summary>
                ${open ? renderTable(context, picture.canvas, counterfactualGraph(context, answer) ?? answer) : nothing}
              </details>`
          : nothing,
        below,
      );
      void follow(answer);
    };
    const toggle = (event: Event): void => {
      open = (event.target as HTMLDetailsElement).open;
      text();
    };
    /** Queries the history of the selected weight, once per step. */
    const follow = async (answer: NetworkGraph | null): Promise<void> => {
      const weight = answer && chosen?.kind === 'edge' ? findWeight(context, answer, chosen) : null;
      if (!weight) {
        chart?.dispose();
        chart = null;
        asked = '';
        return;
      }
      const key = `${context.data.runVersion} ${context.data.frame?.position.step} ${weight.parameter} ${weight.index}`;
      if (key === asked) return;
      asked = key;
      const answered = await context
        .query({ type: 'weight_history', parameter: weight.parameter, index: weight.index })
        .catch(() => null);
      if (asked !== key || !answered?.value) return;
      history = answered.value;
      chart ??= new LineChart(figure, context, {
        title: 'Selected weight',
        unit: 'value at checkpoints',
        description: 'From the checkpoints of the run and its current step.',
        logarithmic: false,
      });
      chart.update(
        [
          {
            name: `${weight.parameter}${formatIndex(weight.place)}`,
            color: context.theme.palette[0],
            data: { stride: 1, steps: history.steps, low: history.values, high: history.values },
          },
        ],
        true,
      );
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

/** The network with the changes of What if; null without changes, or while it is computed. */
function counterfactualGraph({ settings, latestResult }: Context, { sample }: NetworkGraph): NetworkGraph | null {
  const question = counterfactualQuery(settings);
  const found = question && latestResult(question);
  return found?.sample === sample ? found : null;
}

function chooser(context: Context, answer: NetworkGraph | null): TemplateResult {
  const { settings, setViewState } = context;
  const own = getViewState(settings);
  const names = { values: 'activation', gradients: 'dL/d activation' } as const;
  return html`<div class="chooser">
    <span class="field"
      ><span>Units</span
      ><span class="segments" role="group" aria-label="What fills the units">
        ${FILLS.map((fill) => html`<button class="segment" aria-pressed=${own.fill === fill ? 'true' : 'false'} @click=${() => setViewState(ID, { ...own, fill })}>${names[fill]}</button>`)}</span
      ></span
    >
    <span class="field"
      ><span>Lines</span
      ><span class="segments" role="group" aria-label="What the lines show">
        ${EDGES.map((edges) => html`<button class="segment" aria-pressed=${own.edges === edges ? 'true' : 'false'} @click=${() => setViewState(ID, { ...own, edges })}>${edges}</button>`)}</span
      ></span
    >
    ${outsideBatchNote(context.data, answer)}
  </div>`;
}

function legend(context: Context, answer: NetworkGraph): TemplateResult {
  const { edges, fill } = getViewState(context.settings);
  const tried = counterfactualGraph(context, answer) !== null;
  return html`<p class="how">
    ${renderIcon('info')} Orange is positive, blue and dashed negative. The width of a line is its ${edges} relative to
    the largest of its tensor.
    ${tried ? html`<b data-tried-picture>What if:</b> units, maps, weights and filters include your changes. Gradients are those of this sample’s loss.` : fill === 'values' ? 'With one or two inputs, a unit shows its output for every input; with images, its feature map.' : 'The shade of a unit is the gradient of the batch loss with respect to its value.'}
  </p>`;
}

/** The index of the unit in its layer. */
const unitIndex = (answer: NetworkGraph, column: number, place: number): number =>
  answer.columns[column]!.shown[place]!;

function findWeight(context: Context, answer: NetworkGraph, { column, to, from }: Extract<Target, { kind: 'edge' }>) {
  const edges = answer.edges.find(({ layer }) => layer === column - 1);
  if (!edges) return null;
  const source = weightSource(columnLabels(context), column);
  const place = [unitIndex(answer, column, to), unitIndex(answer, source, from)];
  return {
    parameter: edges.parameter,
    place,
    index: place[0]! * answer.columns[source]!.units + place[1]!,
    value: edges.values?.[to * answer.columns[source]!.shown.length + from] ?? null,
  };
}

/** The entry of a step's node that a unit or a weight shows; null where it shows several, such as a channel. */
function stepEntry(context: Context, answer: NetworkGraph, target: Target): ElementRef | null {
  const { edges, fill } = getViewState(context.settings);
  const layers = context.data.model?.layers ?? [];
  if (target.kind === 'unit') {
    const { units } = answer.columns[target.column]!;
    const shape = target.column === 0 ? context.data.model?.inputShape : layers[target.column - 1]?.outputShape;
    if (shape?.reduce((a, b) => a * b, 1) !== units) return null;
    const index = unitIndex(answer, target.column, target.unit);
    if (target.column === 0) return { node: { of: 'input' }, index };
    return { node: { of: fill === 'gradients' ? 'output_gradient' : 'output', layer: target.column - 1 }, index };
  }
  const weight = findWeight(context, answer, target);
  const owner = layers.find(({ parameters }) => parameters.some(({ name }) => name === weight?.parameter));
  const parameter = owner?.parameters.find(({ name }) => name === weight?.parameter);
  if (!weight || !owner || parameter?.shape.length !== 2) return null;
  const of = ({ weight: 'parameter', gradient: 'parameter_gradient', update: 'update' } as const)[edges];
  return { node: { of, layer: owner.index, parameter: parameter.shortName }, index: weight.index };
}

function describe(context: Context, answer: NetworkGraph, target: Target): TemplateResult {
  const names = columnLabels(context);
  if (target.kind === 'unit') {
    const { values, gradients } = answer.columns[target.column]!;
    return html`<b
        ><bdi>${names[target.column]!.name}</bdi>${formatIndex([unitIndex(answer, target.column, target.unit)])}</b
      >
      is ${renderValue(values?.[target.unit], { signed: true })}, dL/d of it
      ${renderValue(gradients?.[target.unit], { signed: true })}${counterfactualValue(context, target.column, unitIndex(answer, target.column, target.unit))}`;
  }
  const weight = findWeight(context, answer, target);
  if (!weight) return html``;
  return html`<b><bdi>${weight.parameter}</bdi>${formatIndex(weight.place)}</b>: ${getViewState(context.settings).edges}
    ${renderValue(weight.value, { signed: true })}`;
}

/** The value of the unit in the counterfactual. */
function counterfactualValue(
  { settings, latestResult }: Context,
  column: number,
  unit: number,
): TemplateResult | typeof nothing {
  const whatIf = activeWhatIfQueries(settings).length > 0 ? latestResult(whatIfQuery(settings)) : null;
  const found = whatIf?.nodes.find(({ node }) =>
    column === 0 ? node.of === 'input' : node.of === 'output' && node.layer === column - 1,
  );
  if (!found || unit >= found.after.length) return nothing;
  return html`,
    <span data-what-if
      >what if ${renderValue(found.before[unit], { signed: true })} →
      ${renderValue(found.after[unit], { signed: true })}</span
    >`;
}

/** Details of the selected unit or weight. */
function details(context: Context, answer: NetworkGraph, target: Target): TemplateResult {
  const names = columnLabels(context);
  if (target.column >= names.length) return html``;
  const source = weightSource(names, target.column);
  if (target.kind === 'edge') {
    return html`<section class="part">
      <p>
        ${describe(context, answer, target)}: from
        <bdi>${names[source]!.name}</bdi>${formatIndex([unitIndex(answer, source, target.from)])} to
        <bdi>${names[target.column]!.name}</bdi>${formatIndex([unitIndex(answer, target.column, target.to)])}. The spec
        shows its layer.
      </p>
    </section>`;
  }
  const edges = answer.edges.find(({ layer }) => layer === target.column - 1);
  const before = answer.columns[source]!;
  return html`<section class="part">
    <p>${describe(context, answer, target)}.</p>
    ${
      edges?.values
        ? html`<div class="scroll" tabindex="0" role="region" aria-label="Weights into the selected unit">
            <table>
              <thead>
                <tr>
                  <th scope="col">from</th>
                  <th scope="col">its value</th>
                  <th scope="col">${getViewState(context.settings).edges}</th>
                </tr>
              </thead>
              <tbody>
                ${[...before.shown].map(
                  (unit, j) =>
                    html`<tr>
                      <th scope="row"><bdi>${names[source]!.name}</bdi>${formatIndex([unit])}</th>
                      <td>${renderValue(before.values?.[j], { signed: true })}</td>
                      <td>${renderValue(edges.values?.[target.unit * before.shown.length + j], { signed: true })}</td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
        : nothing
    }
  </section>`;
}

function renderTable(context: Context, canvas: HTMLCanvasElement, { columns }: NetworkGraph): TemplateResult {
  const names = columnLabels(context);
  const rows = columns.flatMap(({ shown, values, gradients }, c) =>
    [...shown].map((unit, i) => ({
      name: `${names[c]!.name}${formatIndex([unit])}`,
      value: values?.[i],
      gradient: gradients?.[i],
    })),
  );
  const exportTable = () => ({
    headers: ['unit', 'value', 'gradient'],
    rows: rows.map((row) => [row.name, row.value, row.gradient]),
  });
  const hidden = columns.reduce((sum, { units, shown }) => sum + units - shown.length, 0);
  return html`<p class="hint">
      ${hidden > 0 ? `${formatInteger(rows.length)} units are shown; ${pluralize(hidden, 'unit')} of large layers ${hidden === 1 ? 'is' : 'are'} not. ` : nothing}${exportActions(context, { title: 'Network', table: exportTable, canvas })}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: units">
      <table>
        <thead>
          <tr>
            <th scope="col">unit</th>
            <th scope="col">value</th>
            <th scope="col">dL/d value</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                <th scope="row"><bdi>${row.name}</bdi></th>
                <td>${renderValue(row.value, { signed: true })}</td>
                <td>${renderValue(row.gradient, { signed: true })}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}
