// Which layer is off? How large the gradients are, and how far each update moves the weights, on logarithmic axes.
import { html, nothing, render } from 'lit/html.js';
import { seriesName } from '../../src/history/history';
import type { LayerInfo, ParameterReading } from '../../src/protocol/panel';
import { LineChart, type Line } from '../charts/line-chart';
import type { Context, View } from '../context';
import { HEALTHY_RATIO } from '../controls/layer-list';
import { value } from '../controls/value';
import { formatShape } from '../numbers';
import { lineStyle } from './layer-colours';
import { otherRates } from './other-rates';

/** A line a parameter; those of the selected layer stand out. */
function parameterLines(
  context: Context, series: (name: string) => string, now: (reading: ParameterReading) => number | null,
): Line[] {
  const { data, theme } = context;
  const all = (data.model?.layers ?? []).flatMap((layer) => layer.parameters.map(({ name }, at) => ({ layer: layer.index, name, at })));
  const selected = all.some(({ layer }) => layer === data.layer) ? data.layer : null;
  return all.map(({ layer, name, at }, i) => {
    const reading = data.frame?.layers[layer]?.parameters[at];
    return {
      name, data: data.history.get(series(name))?.data(), now: reading && now(reading), ...lineStyle(i, theme),
      faint: selected !== null && selected !== layer, width: selected === layer ? 2.5 : 1.5,
    };
  });
}

function outputLines({ data, theme }: Context): Line[] {
  return (data.model?.layers ?? []).map(({ index, name }) => ({
    name, data: data.history.get(seriesName.outputGradient(index))?.data(),
    now: data.frame?.layers[index]?.outputGradient?.norm, ...lineStyle(index, theme),
    faint: data.layer !== null && data.layer !== index, width: data.layer === index ? 2.5 : 1.5,
  }));
}

export const gradients: View = {
  id: 'gradients',
  title: 'Gradients',
  needs: ['gradients', 'updates'],
  questions: ({ frame }) => (frame?.status === 'running' || frame?.status === 'seeking' ? [] : [{ about: 'other_rates' }]),
  mount(host, context) {
    const [normHost, ratioHost] = [document.createElement('figure'), document.createElement('figure')];
    const [table, rates] = [document.createElement('div'), document.createElement('div')];
    host.append(normHost, ratioHost, table, rates);
    const choice = (of: 'parameters' | 'outputs', label: string) =>
      html`<button class="segment" aria-pressed=${context.settings.gradientsOf === of ? 'true' : 'false'} @click=${() => context.set({ gradientsOf: of })}>${label}</button>`;
    const norms = new LineChart(normHost, context, {
      title: 'Gradient norms', unit: 'Euclidean norm', logarithmic: true,
      how: 'A staircase that falls towards the first layers is a vanishing gradient; one that rises, an exploding one.',
      tool: () => html`<span class="segments" role="group" aria-label="Gradients of">${choice('parameters', 'dL/d parameters')}${choice('outputs', 'dL/d outputs')}</span>`,
    });
    const ratios = new LineChart(ratioHost, context, {
      title: 'Update to weight', unit: '‖update‖ / ‖weights‖', logarithmic: true, band: { low: HEALTHY_RATIO.min, high: HEALTHY_RATIO.max },
      include: HEALTHY_RATIO,
      how: 'About 1e−3 is healthy (CS231n); the band is 1e−4 to 1e−1. Below it learning crawls, above it weights are thrown about.',
    });
    return {
      update(text) {
        const outputs = context.settings.gradientsOf === 'outputs';
        norms.update(outputs ? outputLines(context) : parameterLines(context, seriesName.parameterGradient, ({ gradient }) => gradient?.norm ?? null), text);
        ratios.update(parameterLines(context, seriesName.updateRatio, ({ updateRatio }) => updateRatio), text);
        if (!text) return;
        renderTable(table, context);
        render(otherRates(context, context.answer({ about: 'other_rates' })), rates);
      },
      dispose() {
        norms.dispose();
        ratios.dispose();
        for (const part of [table, rates]) render(nothing, part);
      },
    };
  },
};

function renderTable(host: HTMLElement, { data, select }: Context): void {
  const { model, frame } = data;
  if (!model) return;
  const row = (layer: LayerInfo, i: number) => {
    const info = layer.parameters[i];
    const reading: ParameterReading | undefined = frame?.layers[layer.index]?.parameters[i];
    return html`<tr data-parameter=${info.name} class=${data.layer === layer.index ? 'selected' : ''} @click=${() => select(layer.index)}>
      <th scope="row">${info.name}${info.frozen ? html` <span class="hint">frozen</span>` : nothing}</th>
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
