// Which layer is off? How large the gradients are and how they are spread, what reaches the first layer, and how far each
// update moves the weights.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { seriesName } from '../../src/history/history';
import type { LayerInfo, ParameterReading, Question } from '../../src/protocol/panel';
import { LineChart, type Line } from '../charts/line-chart';
import { RidgeChart } from '../charts/ridge-chart';
import type { Context, Settings, View } from '../context';
import { HEALTHY_RATIO } from '../controls/layer-list';
import { value } from '../controls/value';
import { formatShape } from '../numbers';
import type { PanelData } from '../store';
import { lineStyle } from './layer-colours';
import { otherRates } from './other-rates';

interface Kept {
  readonly measure: Measure;
  /** Full name of the parameter whose spread is drawn; null for the first of the selected layer. */
  readonly parameter: string | null;
}

const measures = {
  norm: {
    label: 'Norm', title: 'Gradient norms', unit: 'Euclidean norm', logarithmic: true,
    how: 'A staircase that falls towards the first layers is a vanishing gradient; one that rises, an exploding one.',
    parameter: seriesName.parameterGradient, output: seriesName.outputGradient,
  },
  mean: {
    label: 'Mean', title: 'Mean gradient', unit: 'mean of the entries, with their sign', logarithmic: false,
    how: 'Entries that cancel have a mean near 0; one that stays away from it pushes all weights the same way.',
    parameter: seriesName.gradientMean, output: seriesName.gradientMean,
  },
  std: {
    label: 'Spread', title: 'Spread of gradients', unit: 'standard deviation of the entries', logarithmic: true,
    how: 'Spreads that differ by decades from layer to layer make one learning rate too large for some and too small for others.',
    parameter: seriesName.gradientStd, output: seriesName.gradientStd,
  },
} as const;

type Measure = keyof typeof measures;

function keptOf({ kept }: Settings): Kept {
  const { measure, parameter } = (kept.gradients ?? {}) as { measure?: unknown; parameter?: unknown };
  return {
    measure: typeof measure === 'string' && Object.hasOwn(measures, measure) ? (measure as Measure) : 'norm',
    parameter: typeof parameter === 'string' ? parameter : null,
  };
}

const allParameters = ({ model }: PanelData) => (model?.layers ?? []).flatMap(({ index, parameters }) => parameters.map(({ name }, at) => ({ layer: index, name, at })));

/** A line a parameter; those of the selected layer stand out. */
function parameterLines(
  context: Context, series: (name: string) => string, now: (reading: ParameterReading) => number | null,
): Line[] {
  const { data, theme } = context;
  const all = allParameters(data);
  const selected = all.some(({ layer }) => layer === data.layer) ? data.layer : null;
  return all.map(({ layer, name, at }, i) => {
    const reading = data.frame?.layers[layer]?.parameters[at];
    return {
      name, data: data.history.get(series(name))?.data(), now: reading && now(reading), ...lineStyle(i, theme),
      faint: selected !== null && selected !== layer, width: selected === layer ? 2.5 : 1.5,
    };
  });
}

function outputLines({ data, theme }: Context, series: (layer: number) => string, measure: Measure): Line[] {
  return (data.model?.layers ?? []).map(({ index, name }) => ({
    name, data: data.history.get(series(index))?.data(),
    now: data.frame?.layers[index]?.outputGradient?.[measure], ...lineStyle(index, theme),
    faint: data.layer !== null && data.layer !== index, width: data.layer === index ? 2.5 : 1.5,
  }));
}

/** The spread that is drawn: the one that was chosen, as long as its layer is the selected one or none is. */
function spreadOf(data: PanelData, settings: Settings): string | null {
  const all = allParameters(data);
  const own = all.filter(({ layer }) => layer === data.layer);
  const known = own.length > 0 ? own : all;
  const { parameter } = keptOf(settings);
  return (known.find(({ name }) => name === parameter) ?? known[0])?.name ?? null;
}

const isMoving = ({ frame }: PanelData): boolean => frame?.status === 'running' || frame?.status === 'seeking';

export const gradients: View = {
  id: 'gradients',
  title: 'Gradients',
  needs: ['gradients', 'updates'],
  questions: (data, settings) => {
    const parameter = spreadOf(data, settings);
    const spread: Question[] = parameter === null ? [] : [{ about: 'ridges', parameter }];
    return isMoving(data) ? spread : [...spread, { about: 'other_rates' }];
  },
  mount(host, context) {
    const [flowHost, ratioHost, firstHost, ridgeHost] = ['figure', 'figure', 'figure', 'figure'].map((tag) => document.createElement(tag));
    const [table, rates] = [document.createElement('div'), document.createElement('div')];
    host.append(flowHost, ridgeHost, ratioHost, firstHost, table, rates);
    const keep = (change: Partial<Kept>): void => context.keep('gradients', { ...keptOf(context.settings), ...change });
    const choice = (on: boolean, label: string, act: () => void) => html`<button class="segment" aria-pressed=${on ? 'true' : 'false'} @click=${act}>${label}</button>`;
    const tool = (): TemplateResult => {
      const { settings } = context;
      const { measure } = keptOf(settings);
      return html`<span class="tools">
        <span class="segments" role="group" aria-label="Measure">${Object.entries(measures).map(([id, { label }]) => choice(measure === id, label, () => keep({ measure: id as Measure })))}</span>
        <span class="segments" role="group" aria-label="Gradients of">
          ${choice(settings.gradientsOf === 'parameters', 'dL/d parameters', () => context.set({ gradientsOf: 'parameters' }))}${choice(settings.gradientsOf === 'outputs', 'dL/d outputs', () => context.set({ gradientsOf: 'outputs' }))}
        </span>
      </span>`;
    };
    let flow: { readonly measure: Measure; readonly chart: LineChart } | null = null;
    const ratios = new LineChart(ratioHost, context, {
      title: 'Update to weight', unit: '‖update‖ / ‖weights‖', logarithmic: true, band: { low: HEALTHY_RATIO.min, high: HEALTHY_RATIO.max },
      include: HEALTHY_RATIO,
      how: 'About 1e−3 is healthy (CS231n); the band is 1e−4 to 1e−1. Below it learning crawls, above it weights are thrown about.',
    });
    const first = new LineChart(firstHost, context, {
      title: 'First to last layer', unit: 'mean |dL/dw| of the first over that of the last', logarithmic: true, include: { min: 0.1, max: 10 },
      how: 'Near 1 the gradient reaches all layers alike. Below 1e−3 it vanishes on its way to the first layers; far above 1 it explodes.',
    });
    const spread = new RidgeChart(ridgeHost, context);
    return {
      update(text) {
        const { data, settings } = context;
        const { measure } = keptOf(settings);
        if (flow?.measure !== measure) {
          flow?.chart.dispose();
          flow = { measure, chart: new LineChart(flowHost, context, { ...measures[measure], tool }) };
          text = true;
        }
        const { parameter: ofParameter, output: ofOutput } = measures[measure];
        flow.chart.update(
          settings.gradientsOf === 'outputs' ? outputLines(context, ofOutput, measure) : parameterLines(context, ofParameter, ({ gradient }) => gradient?.[measure] ?? null),
          text,
        );
        ratios.update(parameterLines(context, seriesName.updateRatio, ({ updateRatio }) => updateRatio), text);
        const pair = ends(data);
        firstHost.hidden = pair === null;
        if (pair) first.update([{ name: pair, data: data.history.get(seriesName.firstToLast)?.data(), ...lineStyle(0, context.theme), width: 2 }], text);
        if (!text) return;
        const parameter = spreadOf(data, settings);
        ridgeHost.hidden = parameter === null;
        if (parameter !== null) {
          const own = allParameters(data).map(({ name }) => name);
          spread.update(parameter, context.answer({ about: 'ridges', parameter }), own, (name) => {
            const layer = allParameters(context.data).find((each) => each.name === name)?.layer;
            keep({ parameter: name });
            if (layer !== undefined && context.data.layer !== null && layer !== context.data.layer) context.select(layer);
          });
        }
        renderTable(table, context);
        render(otherRates(context, context.answer({ about: 'other_rates' })), rates);
      },
      dispose() {
        for (const chart of [flow?.chart, ratios, first, spread]) chart?.dispose();
        for (const part of [table, rates]) render(nothing, part);
      },
    };
  },
};

/** The layers that are compared, by their first parameters; null where only one has any. */
function ends({ model }: PanelData): string | null {
  const own = (model?.layers ?? []).filter(({ parameters }) => parameters.length > 0);
  return own.length > 1 ? `${own[0].name} / ${own[own.length - 1].name}` : null;
}

function renderTable(host: HTMLElement, { data, select }: Context): void {
  const { model, frame } = data;
  if (!model) return;
  const row = (layer: LayerInfo, i: number) => {
    const info = layer.parameters[i];
    const reading: ParameterReading | undefined = frame?.layers[layer.index]?.parameters[i];
    return html`<tr data-parameter=${info.name} class=${data.layer === layer.index ? 'selected' : ''} @click=${() => select(layer.index)}>
      <th scope="row"><bdi>${info.name}</bdi>${info.frozen ? html` <span class="hint">frozen</span>` : nothing}</th>
      <td class="text shape">${formatShape(info.shape)}</td>
      <td>${value(reading?.norm)}</td>
      <td>${value(reading?.gradient?.norm)}</td>
      <td>${value(reading?.gradient?.meanAbsolute)}</td>
      <td>${value(reading?.gradient?.maxAbsolute)}</td>
      <td>${value(reading?.updateRatio)}</td>
    </tr>`;
  };
  render(
    html`<h2 class="table-title">At this step</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="Table: gradients at this step"><table>
        <thead><tr>
          <th scope="col">parameter</th><th scope="col" class="text">shape</th><th scope="col">‖w‖</th><th scope="col">‖dL/dw‖</th>
          <th scope="col">mean |dL/dw|</th><th scope="col">max |dL/dw|</th><th scope="col">update / w</th>
        </tr></thead>
        <tbody>${model.layers.flatMap((layer) => layer.parameters.map((_, i) => row(layer, i)))}</tbody>
      </table></div>`,
    host,
  );
}
