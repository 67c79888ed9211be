// Outputs of the layers over time: mean, standard deviation, and the fraction of idle units.
import { createElements } from '../controls/elements';
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { seriesName } from '../../src/history/history';
import type { LayerInfo, SeriesData } from '../../src/protocol/panel';
import { HistogramChart } from '../charts/histogram-chart';
import { LineChart, type LineSeries } from '../charts/line-chart';
import type { Context, Component, View } from '../context';
import { layerExpression } from '../../src/presentation/tensor-expressions';
import { lineStyle } from './line-style';

function shownLayers({ data, settings }: Context): readonly LayerInfo[] {
  const layers = data.model?.layers ?? [];
  return settings.activationsOf === 'selected' ? layers.filter(({ index }) => index === (data.layer ?? 0)) : layers;
}

function layerLines(
  context: Context,
  layers: readonly LayerInfo[],
  series: (layer: number) => string,
  now: 'mean' | 'std' | 'idle',
): LineSeries[] {
  const { data, theme, settings } = context;
  return layers.map(({ index, name }): LineSeries => ({
    name,
    ...(now !== 'idle' && { expression: `${now}(${layerExpression(name)}.output)` }),
    data: data.history.get(series(index))?.data(),
    currentValue: data.frame?.layers[index]?.activation?.[now],
    ...lineStyle(index, theme),
    dimmed: settings.activationsOf === 'all' && data.layer !== null && data.layer !== index,
    width: data.layer === index ? 2.5 : 1.5,
  }));
}

/** Mean plus `sign` standard deviations, if both are known for the same steps. */
export function offsetSeries(
  mean: SeriesData | undefined,
  std: SeriesData | undefined,
  sign: 1 | -1,
): SeriesData | undefined {
  if (!mean || !std || mean.stride !== std.stride || mean.steps.length !== std.steps.length) return undefined;
  const low = mean.low.map((value, i) => value + sign * (sign > 0 ? std.low[i]! : std.high[i]!));
  const high = mean.high.map((value, i) => value + sign * (sign > 0 ? std.high[i]! : std.low[i]!));
  return { stride: mean.stride, steps: mean.steps, low, high };
}

/** The selected layer's mean with lines one standard deviation above and below. */
function spreadLines(context: Context, layer: LayerInfo): LineSeries[] {
  const { data, theme } = context;
  const mean = data.history.get(seriesName.activationMean(layer.index))?.data();
  const std = data.history.get(seriesName.activationStd(layer.index))?.data();
  const { color } = lineStyle(layer.index, theme);
  return [
    { name: 'mean + std', data: offsetSeries(mean, std, 1), color, dimmed: true, width: 1, fillTo: 2 },
    { name: 'mean', data: mean, color, width: 2 },
    { name: 'mean − std', data: offsetSeries(mean, std, -1), color, dimmed: true, width: 1, dash: [4, 3] },
  ];
}

function layerChooser(context: Context): TemplateResult {
  const { settings, data, updateSettings } = context;
  const name = data.model?.layers[data.layer ?? 0]?.name ?? '';
  const choice = (of: 'all' | 'selected', label: string) =>
    html`<button
      class="segment"
      aria-pressed=${settings.activationsOf === of ? 'true' : 'false'}
      @click=${() => updateSettings({ activationsOf: of })}
    >
      ${label}
    </button>`;
  return html`<div class="chooser">
    <span class="segments" role="group" aria-label="Layers shown">
      ${choice('all', 'All layers')}${choice('selected', name)} </span
    >${data.layer === null && settings.activationsOf === 'selected' ? html`<span class="hint">Select a layer in the list.</span>` : nothing}
  </div>`;
}

function mountAllLayers(host: HTMLElement, context: Context): Component {
  const [meanHost, stdHost, idleHost] = createElements('figure', 'figure', 'figure');
  const idle = (context.data.model?.layers ?? []).filter(({ idleness }) => idleness);
  host.append(meanHost, stdHost, ...(idle.length > 0 ? [idleHost] : []));
  const charts = [
    new LineChart(meanHost, context, {
      title: 'Mean',
      unit: 'output of the layer, over the batch',
      logarithmic: false,
      description: 'Means that drift away from 0 push later layers toward saturation.',
    }),
    new LineChart(stdHost, context, {
      title: 'Spread',
      unit: 'standard deviation',
      logarithmic: true,
      description: 'A spread that shrinks from layer to layer loses the signal; one that grows explodes.',
    }),
  ];
  const idleChart = idle.length > 0 ? createIdleChart(idleHost, context, idle) : null;
  return {
    update(text) {
      const layers = shownLayers(context);
      charts[0]!.update(layerLines(context, layers, seriesName.activationMean, 'mean'), text);
      charts[1]!.update(layerLines(context, layers, seriesName.activationStd, 'std'), text);
      idleChart?.update(layerLines(context, idle, seriesName.idle, 'idle'), text);
    },
    dispose() {
      for (const chart of charts) chart.dispose();
      idleChart?.dispose();
    },
  };
}

function createIdleChart(host: HTMLElement, context: Context, layers: readonly LayerInfo[]): LineChart {
  const rules = [
    ...new Set(layers.flatMap(({ idleness }) => (idleness ? [`${idleness.name}: ${idleness.rule}`] : []))),
  ];
  return new LineChart(host, context, {
    title: 'Idle units',
    unit: 'fraction of dead or saturated units',
    logarithmic: false,
    fixed: { min: 0, max: 1 },
    description: rules.join(' '),
  });
}

function mountSelectedLayer(host: HTMLElement, context: Context): Component {
  const [histogramHost, spreadHost, idleHost] = createElements('figure', 'figure', 'figure');
  const layer = shownLayers(context)[0];
  host.append(histogramHost, spreadHost, ...(layer?.idleness ? [idleHost] : []));
  const histogram = new HistogramChart(histogramHost, context);
  const spread = new LineChart(spreadHost, context, {
    title: 'Mean and spread',
    unit: 'mean ± one standard deviation',
    logarithmic: false,
    description: 'Mean and standard deviation of the outputs over the run.',
  });
  const idle = layer?.idleness ? createIdleChart(idleHost, context, [layer]) : null;
  return {
    update(text) {
      if (!layer) return;
      histogram.update(layer.name, context.data.frame?.layers[layer.index]?.activation ?? null, text);
      spread.update(spreadLines(context, layer), text);
      idle?.update(layerLines(context, [layer], seriesName.idle, 'idle'), text);
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
  probes: ['activations'],
  mount(host, context) {
    const [top, below] = [document.createElement('div'), document.createElement('div')];
    host.append(top, below);
    let kind = '';
    let mounted: Component | null = null;
    return {
      update(text) {
        const { settings, data } = context;
        const wanted = settings.activationsOf === 'all' ? 'all' : `layer ${data.layer ?? 0}`;
        if (wanted !== kind) {
          kind = wanted;
          mounted?.dispose();
          below.replaceChildren();
          mounted = wanted === 'all' ? mountAllLayers(below, context) : mountSelectedLayer(below, context);
          text = true;
        }
        if (text) render(layerChooser(context), top);
        mounted?.update(text);
      },
      dispose() {
        mounted?.dispose();
        render(nothing, top);
      },
    };
  },
};
