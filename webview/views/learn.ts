// Is it learning? Loss and accuracy over the steps of the run, for the batches and for whole parts of the data.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { seriesName } from '../../src/history/history';
import type { ModelInfo, Part } from '../../src/protocol/panel';
import { LineChart, type Line } from '../charts/line-chart';
import { readAt } from '../charts/envelope';
import type { Context, View } from '../context';
import { value } from '../controls/value';
import { formatCount, formatRound } from '../numbers';
import { words } from '../words';

const parts = ['train', 'validation', 'test'] as const satisfies readonly Part[];
const dashes: Record<Part, readonly number[]> = { train: [], validation: [6, 3], test: [2, 2] };

const series = {
  loss: { batch: seriesName.batchLoss, whole: seriesName.loss },
  accuracy: { batch: seriesName.batchAccuracy, whole: seriesName.accuracy },
} as const;

function lines(context: Context, of: 'loss' | 'accuracy'): Line[] {
  const { data, theme } = context;
  const { frame } = data;
  const { batch, whole } = series[of];
  const read = (name: string) => data.history.get(name)?.data();
  // Within a step, what was evaluated is of the step before.
  const evaluated = frame?.position.phase === 0 ? frame.evaluation : {};
  const present = parts.filter((part) => (data.model?.samples[part] ?? 0) > 0);
  return [
    // A batch's loss is known of every step, its accuracy now and then.
    { name: 'batch', data: read(batch), now: frame?.[of], colour: theme.parts.train, width: 1, faint: true, points: of === 'accuracy' },
    ...present.map((part): Line => ({
      name: part, data: read(whole(part)), now: evaluated[part]?.[of], colour: theme.parts[part], dash: dashes[part], width: 2,
    })),
  ];
}

export const learn: View = {
  id: 'learn',
  title: 'Learn',
  needs: [],
  mount(host, context) {
    const { model } = context.data;
    const table = document.createElement('div');
    const lossHost = document.createElement('figure');
    const accuracyHost = document.createElement('figure');
    const classes = (model?.classes ?? null) !== null;
    host.append(table, lossHost, ...(classes ? [accuracyHost] : []));
    const makeLoss = (): LineChart =>
      new LineChart(lossHost, context, {
        title: 'Loss', unit: words(model?.loss.kind ?? ''), logarithmic: context.settings.logLoss,
        ...(!context.settings.logLoss && { include: { min: 0, max: 0 } }),
        how: 'Falling is learning. Validation that rises while train falls is overfitting. Click to go to a step.',
        tool: () => html`<label class="option"><input type="checkbox" .checked=${context.settings.logLoss}
          @change=${(event: Event) => context.set({ logLoss: (event.target as HTMLInputElement).checked })} /> logarithmic</label>`,
      });
    let logarithmic = context.settings.logLoss;
    let loss = makeLoss();
    const accuracy = classes
      ? new LineChart(accuracyHost, context, {
          title: 'Accuracy', unit: 'share of samples that are right', logarithmic: false, fixed: { min: 0, max: 1 },
          how: 'The share of samples whose most likely class is the right one.',
        })
      : null;
    return {
      update(text) {
        if (logarithmic !== context.settings.logLoss) {
          logarithmic = context.settings.logLoss;
          loss.dispose();
          loss = makeLoss();
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

/** The values at this step, or the last ones before it with their step. */
function renderTable(host: HTMLElement, { data }: Context, classes: boolean): void {
  const { frame, model, history } = data;
  if (!frame || !model) return;
  const { step } = frame.position;
  const row = (part: Part) => {
    const here = frame.evaluation[part];
    const before = readAt(history.get(seriesName.loss(part))?.data(), step);
    const earlier = readAt(history.get(seriesName.accuracy(part))?.data(), step);
    const exact = (reading: typeof before): number | null => (reading && reading.low === reading.high ? reading.low : null);
    const at = here ? step : before?.step;
    return html`<tr data-part=${part}>
      <th scope="row"><i class="mark ${part}"></i>${part}</th>
      <td class="number at">${at === undefined ? '–' : formatCount(at)}</td>
      <td data-loss>${value(here ? here.loss : exact(before))}</td>
      ${classes ? html`<td data-accuracy>${value(here ? here.accuracy : exact(earlier))}</td>` : nothing}
      <td class="number">${formatCount(model.samples[part])}</td>
    </tr>`;
  };
  const shown = frame.position.phase > 0 ? step + 1 : step;
  render(
    html`<div class="scroll" tabindex="0" role="region" aria-label="Loss and accuracy at this step"><table class="values">
      <thead><tr>
        <th scope="col"><span class="unseen">part</span></th><th scope="col">at step</th><th scope="col">loss</th>
        ${classes ? html`<th scope="col">accuracy</th>` : nothing}<th scope="col">samples</th>
      </tr></thead>
      <tbody>
        <tr data-part="batch">
          <th scope="row"><i class="mark batch"></i>batch</th>
          <td class="number at">${frame.loss === null ? '–' : formatCount(shown)}</td>
          <td data-loss>${value(frame.loss)}</td>
          ${classes ? html`<td data-accuracy>${value(frame.accuracy)}</td>` : nothing}
          <td class="number">${frame.place.samples > 0 ? formatCount(frame.place.samples) : '–'}</td>
        </tr>
        ${parts.filter((part) => model.samples[part] > 0).map(row)}
      </tbody>
    </table></div>
    ${penaltyHint(model)}${modesHint(model)}`,
    host,
  );
}

/** Which losses the penalty is part of, where there is one. */
function penaltyHint({ penalty }: ModelInfo): TemplateResult | typeof nothing {
  if (!penalty) return nothing;
  const { l1, l2 } = penalty;
  const terms = [...(l1 > 0 ? [`${formatRound(l1)} · Σ|w|`] : []), ...(l2 > 0 ? [`½ · ${formatRound(l2)} · Σw²`] : [])].join(' + ');
  return html`<p class="hint" data-penalty>The batch’s loss is the one that is trained on, <b>with the penalty</b> ${terms}; the losses of whole parts are without it.</p>`;
}

/** Which values are of which mode, where some layer has two. */
function modesHint({ layers }: ModelInfo): TemplateResult | typeof nothing {
  const names = layers.filter(({ modes }) => modes).map(({ name }) => name);
  if (names.length === 0) return nothing;
  return html`<p class="hint">The batch is seen in <b>training mode</b>, whole parts are evaluated in <b>evaluation mode</b>: ${names.join(', ')}
    ${names.length === 1 ? 'does' : 'do'} not do the same in both.</p>`;
}
