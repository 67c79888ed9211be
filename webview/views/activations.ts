// What the layers compute: mean and spread of their outputs over time, and the share of units that are idle.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { seriesName } from '../../src/history/history';
import type { LayerInfo, SeriesData } from '../../src/protocol/panel';
import { HistogramChart } from '../charts/histogram-chart';
import { LineChart, type Line } from '../charts/line-chart';
import type { Context, Mounted, View } from '../context';
import { lineStyle } from './layer-colours';

function shown({ data, settings }: Context): readonly LayerInfo[] {
  const layers = data.model?.layers ?? [];
  return settings.activationsOf === 'selected' ? layers.filter(({ index }) => index === (data.layer ?? 0)) : layers;
}

function lines(
  context: Context, layers: readonly LayerInfo[], series: (layer: number) => string, now: 'mean' | 'std' | 'idle',
): Line[] {
  const { data, theme, settings } = context;
  return layers.map(({ index, name }) => ({
    name, data: data.history.get(series(index))?.data(), now: data.frame?.layers[index]?.activation?.[now], ...lineStyle(index, theme),
    faint: settings.activationsOf === 'all' && data.layer !== null && data.layer !== index,
    width: data.layer === index ? 2.5 : 1.5,
  }));
}

/** Mean plus or minus `sign` standard deviations, where both are known of the same steps. */
export function shifted(mean: SeriesData | undefined, std: SeriesData | undefined, sign: 1 | -1): SeriesData | undefined {
  if (!mean || !std || mean.stride !== std.stride || mean.steps.length !== std.steps.length) return undefined;
  const low = mean.low.map((value, i) => value + sign * (sign > 0 ? std.low[i] : std.high[i]));
  const high = mean.high.map((value, i) => value + sign * (sign > 0 ? std.high[i] : std.low[i]));
  return { stride: mean.stride, steps: mean.steps, low, high };
}

/** The selected layer's mean between the lines of one standard deviation above and below. */
function spreadLines(context: Context, layer: LayerInfo): Line[] {
  const { data, theme } = context;
  const mean = data.history.get(seriesName.activationMean(layer.index))?.data();
  const std = data.history.get(seriesName.activationStd(layer.index))?.data();
  const { colour } = lineStyle(layer.index, theme);
  return [
    { name: 'mean + std', data: shifted(mean, std, 1), colour, faint: true, width: 1, fillTo: 2 },
    { name: 'mean', data: mean, colour, width: 2 },
    { name: 'mean − std', data: shifted(mean, std, -1), colour, faint: true, width: 1, dash: [4, 3] },
  ];
}

function chooser(context: Context): TemplateResult {
  const { settings, data, set } = context;
  const name = data.model?.layers[data.layer ?? 0]?.name ?? '';
  const choice = (of: 'all' | 'selected', label: string) =>
    html`<button class="segment" aria-pressed=${settings.activationsOf === of ? 'true' : 'false'} @click=${() => set({ activationsOf: of })}>${label}</button>`;
  return html`<div class="chooser"><span class="segments" role="group" aria-label="Layers shown">
    ${choice('all', 'All layers')}${choice('selected', name)}
  </span>${data.layer === null && settings.activationsOf === 'selected' ? html`<span class="hint">Select a layer in the list.</span>` : nothing}</div>`;
}

function mountAll(host: HTMLElement, context: Context): Mounted {
  const [meanHost, stdHost, idleHost] = ['figure', 'figure', 'figure'].map((tag) => document.createElement(tag));
  const idle = (context.data.model?.layers ?? []).filter(({ idleness }) => idleness);
  host.append(meanHost, stdHost, ...(idle.length > 0 ? [idleHost] : []));
  const charts = [
    new LineChart(meanHost, context, {
      title: 'Mean', unit: 'of a layer’s output over the batch', logarithmic: false,
      how: 'Means that drift away from 0 push what follows towards saturation.',
    }),
    new LineChart(stdHost, context, {
      title: 'Spread', unit: 'standard deviation', logarithmic: true,
      how: 'Spreads that shrink from layer to layer lose the signal; spreads that grow blow it up.',
    }),
  ];
  const idleChart = idle.length > 0 ? makeIdle(idleHost, context, idle) : null;
  return {
    update(text) {
      const layers = shown(context);
      charts[0].update(lines(context, layers, seriesName.activationMean, 'mean'), text);
      charts[1].update(lines(context, layers, seriesName.activationStd, 'std'), text);
      idleChart?.update(lines(context, idle, seriesName.idle, 'idle'), text);
    },
    dispose() {
      for (const chart of charts) chart.dispose();
      idleChart?.dispose();
    },
  };
}

function makeIdle(host: HTMLElement, context: Context, layers: readonly LayerInfo[]): LineChart {
  const rules = [...new Set(layers.flatMap(({ idleness }) => (idleness ? [`${idleness.name}: ${idleness.rule}`] : [])))];
  return new LineChart(host, context, {
    title: 'Idle units', unit: 'share of dead or saturated units', logarithmic: false, fixed: { min: 0, max: 1 },
    how: rules.join(' '),
  });
}

function mountSelected(host: HTMLElement, context: Context): Mounted {
  const [histogramHost, spreadHost, idleHost] = ['figure', 'figure', 'figure'].map((tag) => document.createElement(tag));
  const layer = shown(context)[0];
  host.append(histogramHost, spreadHost, ...(layer?.idleness ? [idleHost] : []));
  const histogram = new HistogramChart(histogramHost, context);
  const spread = new LineChart(spreadHost, context, {
    title: 'Mean and spread', unit: 'mean ± one standard deviation', logarithmic: false,
    how: 'Where the outputs lie, and how widely, over the steps of the run.',
  });
  const idle = layer?.idleness ? makeIdle(idleHost, context, [layer]) : null;
  return {
    update(text) {
      if (!layer) return;
      histogram.update(layer.name, context.data.frame?.layers[layer.index]?.activation ?? null, text);
      spread.update(spreadLines(context, layer), text);
      idle?.update(lines(context, [layer], seriesName.idle, 'idle'), text);
    },
    dispose() {
      histogram.dispose();
      spread.dispose();
      idle?.dispose();
    },
  };
}

export const activations: View = {
  id: 'activations',
  title: 'Activations',
  needs: ['activations'],
  mount(host, context) {
    const [top, below] = [document.createElement('div'), document.createElement('div')];
    host.append(top, below);
    let kind = '';
    let mounted: Mounted | null = null;
    return {
      update(text) {
        const { settings, data } = context;
        const wanted = settings.activationsOf === 'all' ? 'all' : `layer ${data.layer ?? 0}`;
        if (wanted !== kind) {
          kind = wanted;
          mounted?.dispose();
          below.replaceChildren();
          mounted = wanted === 'all' ? mountAll(below, context) : mountSelected(below, context);
          text = true;
        }
        if (text) render(chooser(context), top);
        mounted?.update(text);
      },
      dispose() {
        mounted?.dispose();
        render(nothing, top);
      },
    };
  },
};
