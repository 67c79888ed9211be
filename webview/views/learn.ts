// Is it learning? Loss and accuracy over the steps of the run, of each batch and of whole splits.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { seriesName } from '../../src/history/history';
import type { ModelInfo, PanelQuestion, SplitName } from '../../src/protocol/panel';
import { LineChart, type LineSeries } from '../charts/line-chart';
import { bucketAt, spansDecades } from '../charts/envelope';
import type { Context, View } from '../context';
import { renderValue } from '../controls/number-value';
import { questionLinks } from '../controls/question-link';
import { formatInteger, formatCompact } from '../../src/presentation/numbers';
import { lossUnit } from '../../src/presentation/loss-shares';
import { shownStep } from '../../src/presentation/phases';

const SPLITS = ['train', 'validation', 'test'] as const satisfies readonly SplitName[];
const splitDashes: Record<SplitName, readonly number[]> = { train: [], validation: [6, 3], test: [2, 2] };

const series = {
  loss: { batch: seriesName.batchLoss, whole: seriesName.loss },
  accuracy: { batch: seriesName.batchAccuracy, whole: seriesName.accuracy },
} as const;

function lines(context: Context, of: 'loss' | 'accuracy'): LineSeries[] {
  const { data, theme } = context;
  const { frame } = data;
  const { batch, whole } = series[of];
  const read = (name: string) => data.history.get(name)?.data();
  // Within a step, evaluations are those of the previous step.
  const evaluated = frame?.position.phase === 0 ? frame.evaluation : {};
  const present = SPLITS.filter((part) => (data.model?.samples[part] ?? 0) > 0);
  return [
    // The loss of a batch is known at every step, its accuracy only at some.
    {
      name: 'batch',
      expression: of,
      data: read(batch),
      currentValue: frame?.[of],
      color: theme.splits.train,
      width: 1,
      dimmed: true,
      pointsOnly: of === 'accuracy',
    },
    ...present.map((part): LineSeries => ({
      name: part,
      data: read(whole(part)),
      currentValue: evaluated[part]?.[of],
      color: theme.splits[part],
      dash: splitDashes[part],
      width: 2,
    })),
  ];
}

export const learn: View = {
  id: 'learn',
  title: 'Loss',
  probes: [],
  mount(host, context) {
    const { model } = context.data;
    const table = document.createElement('div');
    const lossHost = document.createElement('figure');
    const accuracyHost = document.createElement('figure');
    const classes = (model?.classes ?? null) !== null;
    host.append(table, lossHost, ...(classes ? [accuracyHost] : []));
    const makeLoss = (logarithmic: boolean): LineChart =>
      new LineChart(lossHost, context, {
        title: 'Loss',
        unit: model ? lossUnit(model) : '',
        logarithmic,
        ...(!logarithmic && { include: { min: 0, max: 0 } }),
        description:
          'A falling loss means the network is learning. If validation loss rises while training loss falls, it is overfitting. Click to go to a step.',
        toolbar: () =>
          html`<label class="option"
            ><input
              type="checkbox"
              .checked=${logarithmic}
              @change=${(event: Event) => context.updateSettings({ logLoss: (event.target as HTMLInputElement).checked })}
            />
            logarithmic</label
          >`,
      });
    // Until the user chooses, it depends on the data.
    const wantsLogarithmic = (): boolean => context.settings.logLoss ?? spansDecades(lines(context, 'loss'));
    let logarithmic = wantsLogarithmic();
    let loss = makeLoss(logarithmic);
    const accuracy = classes
      ? new LineChart(accuracyHost, context, {
          title: 'Accuracy',
          unit: 'fraction of correct samples',
          logarithmic: false,
          fixed: { min: 0, max: 1 },
          description:
            'The fraction of samples whose most likely class is the target. Compare it with the share of the largest class in the table above.',
        })
      : null;
    return {
      update(text) {
        const wanted = text ? wantsLogarithmic() : logarithmic;
        if (logarithmic !== wanted) {
          logarithmic = wanted;
          loss.dispose();
          loss = makeLoss(logarithmic);
        }
        loss.update(lines(context, 'loss'), text);
        accuracy?.update(lines(context, 'accuracy'), text);
        if (text) renderTable(table, context, classes);
      },
      dispose() {
        loss.dispose();
        accuracy?.dispose();
        render(nothing, table);
      },
    };
  },
};

const LARGEST_CLASS_MEANING = 'The share of the most frequent class: the accuracy of a network that ignores its input.';

/** The values at this step, or the latest ones before it with their step. */
function renderTable(host: HTMLElement, context: Context, classes: boolean): void {
  const { data } = context;
  const { frame, model, history } = data;
  if (!frame || !model) return;
  const { step } = frame.position;
  const perplexity = SPLITS.some((part) => history.get(seriesName.perplexity(part)));
  const row = (part: SplitName) => {
    const here = frame.evaluation[part];
    const before = bucketAt(history.get(seriesName.loss(part))?.data(), step);
    const earlier = bucketAt(history.get(seriesName.accuracy(part))?.data(), step);
    const exact = (reading: typeof before): number | null =>
      reading && reading.low === reading.high ? reading.low : null;
    const at = here ? step : before?.step;
    const lastPerplexity = bucketAt(history.get(seriesName.perplexity(part))?.data(), step);
    return html`<tr data-part=${part}>
      <th scope="row"><i class="mark ${part}"></i>${part}</th>
      <td class="number at">${at === undefined ? '–' : formatInteger(at)}</td>
      <td data-loss>${renderValue(here ? here.loss : exact(before))}</td>
      ${classes ? html`<td data-accuracy>${renderValue(here ? here.accuracy : exact(earlier))}</td>` : nothing}
      ${classes ? html`<td data-largest-class>${renderValue(model.largestClass?.[part])}</td>` : nothing}
      ${perplexity ? html`<td data-perplexity>${renderValue(here ? here.perplexity : exact(lastPerplexity))}</td>` : nothing}
      <td class="number">${formatInteger(model.samples[part])}</td>
    </tr>`;
  };
  const shown = shownStep(frame);
  render(
    html`<div class="scroll" tabindex="0" role="region" aria-label="Loss and accuracy at this step">
        <table class="values">
          <thead>
            <tr>
              <th scope="col"><span class="visually-hidden">split</span></th>
              <th scope="col">at step</th>
              <th scope="col">loss</th>
              ${
                classes
                  ? html`<th scope="col">accuracy</th>
                      <th scope="col" title=${LARGEST_CLASS_MEANING}>largest class</th>`
                  : nothing
              }
              ${perplexity ? html`<th scope="col" title="e to the mean cross-entropy: the number of equally likely tokens">perplexity</th>` : nothing}
              <th scope="col">samples</th>
            </tr>
          </thead>
          <tbody>
            <tr data-part="batch">
              <th scope="row"><i class="mark batch"></i>batch</th>
              <td class="number at">${frame.loss === null ? '–' : formatInteger(shown)}</td>
              <td data-loss>${renderValue(frame.loss)}</td>
              ${
                classes
                  ? html`<td data-accuracy>${renderValue(frame.accuracy)}</td>
                      <td class="number">–</td>`
                  : nothing
              }
              ${perplexity ? html`<td class="number">–</td>` : nothing}
              <td class="number">
                ${frame.batchPosition.samples > 0 ? formatInteger(frame.batchPosition.samples) : '–'}
              </td>
            </tr>
            ${SPLITS.filter((part) => model.samples[part] > 0).map(row)}
          </tbody>
        </table>
      </div>
      ${penaltyHint(model)}${modesHint(model)}${questionLinks(context, lossQuestions(model))}`,
    host,
  );
}

/** What people ask about the curves. */
const lossQuestions = ({ loss, layers, samples }: ModelInfo): readonly (PanelQuestion | undefined)[] => [
  loss.questions?.value,
  samples.validation > 0 ? 'overfitting' : undefined,
  layers.some(({ modes }) => modes) ? 'train-and-test-code' : undefined,
];

/** Which losses include the penalty. */
function penaltyHint({ penalty }: ModelInfo): TemplateResult | typeof nothing {
  if (!penalty) return nothing;
  const { l1, l2, file } = penalty;
  const terms = [
    ...(l1 > 0 ? [`${formatCompact(l1)} · Σ|w|`] : []),
    ...(l2 > 0 ? [`½ · ${formatCompact(l2)} · Σw²`] : []),
    ...(file === undefined ? [] : [file]),
  ].join(' + ');
  return html`<p class="hint" data-penalty>
    Training minimizes the batch loss <b>with the penalty</b> ${terms}. The losses of whole splits do not include it.
  </p>`;
}

/** For layers that compute differently in training and in inference. */
function modesHint({ layers }: ModelInfo): TemplateResult | typeof nothing {
  const names = layers.filter(({ modes }) => modes).map(({ name }) => name);
  if (names.length === 0) return nothing;
  return html`<p class="hint">
    The batch is computed in <b>training mode</b>, whole splits in <b>inference mode</b>. ${names.join(', ')}
    ${names.length === 1 ? 'differs' : 'differ'} between the two.
  </p>`;
}
