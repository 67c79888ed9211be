// Gradients by layer and parameter: norms, distribution over time, vanishing gradients, and the size of updates.
import { createElements } from '../controls/elements';
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { seriesName } from '../../src/history/history';
import type { LayerInfo, ParameterStats, Query } from '../../src/protocol/panel';
import { LineChart, type LineSeries } from '../charts/line-chart';
import { RidgeChart } from '../charts/ridge-chart';
import { carriedStates, StateNormsChart } from '../charts/state-norms-chart';
import type { Context, Settings, View } from '../context';
import { HEALTHY_RATIO } from '../controls/layer-list';
import { renderValue } from '../controls/number-value';
import { formatShape } from '../../src/presentation/numbers';
import type { PanelData } from '../state/store';
import { layerExpression } from '../../src/presentation/tensor-expressions';
import { lineStyle } from './line-style';
import { learningRateComparison } from './learning-rate-comparison';

interface GradientsViewState {
  readonly measure: Measure;
  /** Full name of the parameter whose distribution is drawn; null for the first of the selected layer. */
  readonly parameter: string | null;
}

const measures = {
  norm: {
    label: 'Norm',
    title: 'Gradient norms',
    unit: 'Euclidean norm',
    logarithmic: true,
    description: 'Norms that fall toward the first layers are vanishing gradients; norms that rise are exploding ones.',
    parameter: seriesName.parameterGradient,
    output: seriesName.outputGradient,
  },
  mean: {
    label: 'Mean',
    title: 'Mean gradient',
    unit: 'mean of the entries, with their sign',
    logarithmic: false,
    description:
      'If entries cancel, their mean is near 0. Otherwise the gradient pushes all weights in the same direction.',
    parameter: seriesName.gradientMean,
    output: seriesName.gradientMean,
  },
  std: {
    label: 'Spread',
    title: 'Spread of gradients',
    unit: 'standard deviation of the entries',
    logarithmic: true,
    description:
      'If standard deviations differ by decades between layers, one learning rate is too large for some and too small for others.',
    parameter: seriesName.gradientStd,
    output: seriesName.gradientStd,
  },
} as const;

type Measure = keyof typeof measures;

function getViewState({ viewState }: Settings): GradientsViewState {
  const { measure, parameter } = (viewState.gradients ?? {}) as { measure?: unknown; parameter?: unknown };
  return {
    measure: typeof measure === 'string' && Object.hasOwn(measures, measure) ? (measure as Measure) : 'norm',
    parameter: typeof parameter === 'string' ? parameter : null,
  };
}

const allParameters = ({ model }: PanelData) =>
  (model?.layers ?? []).flatMap(({ index, parameters }) =>
    parameters.map(({ name, shortName }, at) => ({ layer: index, name, shortName, at })),
  );

/** One line per parameter; those of the selected layer are highlighted. */
function parameterLines(
  context: Context,
  series: (name: string) => string,
  now: (reading: ParameterStats) => number | null,
  expressionOf?: (parameter: string) => string,
): LineSeries[] {
  const { data, theme } = context;
  const all = allParameters(data);
  const selected = all.some(({ layer }) => layer === data.layer) ? data.layer : null;
  return all.map(({ layer, name, shortName, at }, i): LineSeries => {
    const reading = data.frame?.layers[layer]?.parameters[at];
    const owner = layerExpression(data.model!.layers[layer]!.name);
    return {
      name,
      ...(expressionOf && { expression: expressionOf(`${owner}.${shortName}`) }),
      data: data.history.get(series(name))?.data(),
      currentValue: reading && now(reading),
      ...lineStyle(i, theme),
      dimmed: selected !== null && selected !== layer,
      width: selected === layer ? 2.5 : 1.5,
    };
  });
}

function outputLines({ data, theme }: Context, series: (layer: number) => string, measure: Measure): LineSeries[] {
  return (data.model?.layers ?? []).map(({ index, name }): LineSeries => ({
    name,
    expression: `${measure}(grad(${layerExpression(name)}.output))`,
    data: data.history.get(series(index))?.data(),
    currentValue: data.frame?.layers[index]?.outputGradient?.[measure],
    ...lineStyle(index, theme),
    dimmed: data.layer !== null && data.layer !== index,
    width: data.layer === index ? 2.5 : 1.5,
  }));
}

/** The parameter whose distribution is drawn: the chosen one, unless another layer is selected. */
function ridgeParameter(data: PanelData, settings: Settings): string | null {
  const all = allParameters(data);
  const own = all.filter(({ layer }) => layer === data.layer);
  const known = own.length > 0 ? own : all;
  const { parameter } = getViewState(settings);
  return (known.find(({ name }) => name === parameter) ?? known[0])?.name ?? null;
}

const isRunning = ({ frame }: PanelData): boolean => frame?.status === 'running' || frame?.status === 'seeking';

export const gradients: View = {
  id: 'gradients',
  title: 'Gradients',
  probes: ['gradients', 'updates'],
  queries: (data, settings) => {
    const parameter = ridgeParameter(data, settings);
    const spread: Query[] = parameter === null ? [] : [{ type: 'gradient_histograms', parameter }];
    const states = carriedStates(data.model?.layers ?? []).map(({ layer, state }): Query => ({
      type: 'state_norms',
      layer,
      state,
    }));
    return [...spread, ...states, ...(isRunning(data) ? [] : [{ type: 'lr_scan' } as const])];
  },
  mount(host, context) {
    const [flowHost, ratioHost, firstHost, ridgeHost, statesHost] = createElements(
      'figure',
      'figure',
      'figure',
      'figure',
      'figure',
    );
    const [table, rates] = createElements('div', 'div');
    host.append(flowHost, ridgeHost, ratioHost, firstHost, statesHost, table, rates);
    const keep = (change: Partial<GradientsViewState>): void =>
      context.setViewState('gradients', { ...getViewState(context.settings), ...change });
    const choice = (on: boolean, label: string, act: () => void) =>
      html`<button class="segment" aria-pressed=${on ? 'true' : 'false'} @click=${act}>${label}</button>`;
    const toolbar = (): TemplateResult => {
      const { settings } = context;
      const { measure } = getViewState(settings);
      return html`<span class="tools">
        <span class="segments" role="group" aria-label="Measure"
          >${Object.entries(measures).map(([id, { label }]) => choice(measure === id, label, () => keep({ measure: id as Measure })))}</span
        >
        <span class="segments" role="group" aria-label="Gradients of">
          ${choice(settings.gradientsOf === 'parameters', 'dL/d parameters', () => context.updateSettings({ gradientsOf: 'parameters' }))}${choice(settings.gradientsOf === 'outputs', 'dL/d outputs', () => context.updateSettings({ gradientsOf: 'outputs' }))}
        </span>
      </span>`;
    };
    let flow: { readonly measure: Measure; readonly chart: LineChart } | null = null;
    const ratios = new LineChart(ratioHost, context, {
      title: 'Update to weight',
      unit: '‖update‖ / ‖weights‖',
      logarithmic: true,
      band: { low: HEALTHY_RATIO.min, high: HEALTHY_RATIO.max },
      include: HEALTHY_RATIO,
      description:
        'About 1e−3 is healthy (CS231n); the band is 1e−4 to 1e−1. Below it learning is slow, above it unstable.',
    });
    const first = new LineChart(firstHost, context, {
      title: 'First to last layer',
      unit: 'mean |dL/dw| of the first over that of the last',
      logarithmic: true,
      include: { min: 0.1, max: 10 },
      description:
        'Near 1, gradients have similar sizes in all layers. Below 1e−3 they vanish toward the first layer; far above 1 they explode.',
    });
    const spread = new RidgeChart(ridgeHost, context);
    const states = new StateNormsChart(statesHost, context);
    return {
      update(text) {
        const { data, settings } = context;
        const { measure } = getViewState(settings);
        if (flow?.measure !== measure) {
          flow?.chart.dispose();
          flow = { measure, chart: new LineChart(flowHost, context, { ...measures[measure], toolbar }) };
          text = true;
        }
        const { parameter: ofParameter, output: ofOutput } = measures[measure];
        flow.chart.update(
          settings.gradientsOf === 'outputs'
            ? outputLines(context, ofOutput, measure)
            : parameterLines(
                context,
                ofParameter,
                ({ gradient }) => gradient?.[measure] ?? null,
                (parameter) => `${measure}(grad(${parameter}))`,
              ),
          text,
        );
        ratios.update(
          parameterLines(context, seriesName.updateRatio, ({ updateRatio }) => updateRatio),
          text,
        );
        const pair = firstToLastLabel(data);
        firstHost.hidden = pair === null;
        if (pair)
          first.update(
            [
              {
                name: pair,
                data: data.history.get(seriesName.firstToLast)?.data(),
                ...lineStyle(0, context.theme),
                width: 2,
              },
            ],
            text,
          );
        if (!text) return;
        const parameter = ridgeParameter(data, settings);
        ridgeHost.hidden = parameter === null;
        if (parameter !== null) {
          const own = allParameters(data).map(({ name }) => name);
          spread.update(parameter, context.latestResult({ type: 'gradient_histograms', parameter }), own, (name) => {
            const layer = allParameters(context.data).find((each) => each.name === name)?.layer;
            keep({ parameter: name });
            if (layer !== undefined && context.data.layer !== null && layer !== context.data.layer)
              context.selectLayer(layer);
          });
        }
        states.update(
          carriedStates(data.model?.layers ?? []).flatMap(({ layer, state, name }, i) => {
            const norms = context.latestResult({ type: 'state_norms', layer, state });
            return norms ? [{ name, norms, ...lineStyle(i, context.theme) }] : [];
          }),
        );
        renderTable(table, context);
        render(learningRateComparison(context, context.latestResult({ type: 'lr_scan' })), rates);
      },
      dispose() {
        for (const chart of [flow?.chart, ratios, first, spread, states]) chart?.dispose();
        for (const part of [table, rates]) render(nothing, part);
      },
    };
  },
};

/** The layers that are compared, by their first parameters; null if only one layer has parameters. */
function firstToLastLabel({ model }: PanelData): string | null {
  const own = (model?.layers ?? []).filter(({ parameters }) => parameters.length > 0);
  return own.length > 1 ? `${own[0]!.name} / ${own[own.length - 1]!.name}` : null;
}

function renderTable(host: HTMLElement, { data, selectLayer }: Context): void {
  const { model, frame } = data;
  if (!model) return;
  const row = (layer: LayerInfo, i: number) => {
    const info = layer.parameters[i]!;
    const reading: ParameterStats | undefined = frame?.layers[layer.index]?.parameters[i];
    return html`<tr
      data-parameter=${info.name}
      class=${data.layer === layer.index ? 'selected' : ''}
      @click=${() => selectLayer(layer.index)}
    >
      <th scope="row"><bdi>${info.name}</bdi>${info.frozen ? html` <span class="hint">frozen</span>` : nothing}</th>
      <td class="text shape">${formatShape(info.shape)}</td>
      <td>${renderValue(reading?.norm)}</td>
      <td>${renderValue(reading?.gradient?.norm)}</td>
      <td>${renderValue(reading?.gradient?.meanAbsolute)}</td>
      <td>${renderValue(reading?.gradient?.maxAbsolute)}</td>
      <td>${renderValue(reading?.updateRatio)}</td>
    </tr>`;
  };
  render(
    html`<h2 class="table-title">At this step</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="Table: gradients at this step">
        <table>
          <thead>
            <tr>
              <th scope="col">parameter</th>
              <th scope="col" class="text">shape</th>
              <th scope="col">‖w‖</th>
              <th scope="col">‖dL/dw‖</th>
              <th scope="col">mean |dL/dw|</th>
              <th scope="col">max |dL/dw|</th>
              <th scope="col">update / w</th>
            </tr>
          </thead>
          <tbody>
            ${model.layers.flatMap((layer) => layer.parameters.map((_, i) => row(layer, i)))}
          </tbody>
        </table>
      </div>`,
    host,
  );
}
