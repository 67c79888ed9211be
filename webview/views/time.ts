// Compares steps and runs: pinned steps with the current one, and a fork of the run from any step.
import { createElements } from '../controls/elements';
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { type HistoryData, seriesName } from '../../src/history/history';
import type { SplitName } from '../../src/protocol/panel';
import { bucketAt } from '../charts/envelope';
import { type LineSeries, LineChart } from '../charts/line-chart';
import type { Context, Settings, View } from '../context';
import { NumberField } from '../controls/number-field';
import { renderIcon, renderValue } from '../controls/number-value';
import { describeOutcome, describeDifferences, type ForkRequest, lastCommonLoss } from './fork-messages';
import { formatInteger } from '../../src/presentation/numbers';
import { updatePins, getPins, togglePin } from '../state/pins';
import { PollingQuery } from '../state/polling-query';

const ID = 'time';
const SPLITS = ['train', 'validation', 'test'] as const satisfies readonly SplitName[];

/** The contents of the fields, and the fork that was requested. */
interface TimeViewState {
  readonly from: number | null;
  readonly lr: number | null;
  readonly seed: number | null;
  readonly to: number | null;
  readonly fork: ForkRequest | null;
}

const numberOr = (of: unknown): number | null => (typeof of === 'number' && Number.isFinite(of) && of >= 0 ? of : null);

function getViewState({ viewState }: Settings): TimeViewState {
  const from = (viewState[ID] ?? {}) as Partial<Record<keyof TimeViewState, unknown>>;
  const asked = (typeof from.fork === 'object' ? from.fork : null) as Partial<
    Record<keyof ForkRequest, unknown>
  > | null;
  const [first, last] = [numberOr(asked?.from), numberOr(asked?.to)];
  return {
    from: numberOr(from.from),
    lr: numberOr(from.lr),
    seed: numberOr(from.seed),
    to: numberOr(from.to),
    fork:
      first === null || last === null
        ? null
        : { from: first, lr: numberOr(asked?.lr), seed: numberOr(asked?.seed), to: last },
  };
}

const updateViewState = ({ settings, setViewState }: Context, change: Partial<TimeViewState>): void =>
  setViewState(ID, { ...getViewState(settings), ...change });

/** The request, with defaults for empty fields. */
function effectiveRequest({ data, settings }: Context): ForkRequest {
  const { from, lr, seed, to } = getViewState(settings);
  const { frame, model } = data;
  const start = from ?? frame?.position.step ?? 0;
  const frontier = frame?.furthestStep ?? 0;
  const end =
    frontier > start ? frontier : Math.min(model?.totalSteps ?? start, start + 5 * (model?.batchesPerEpoch ?? 1));
  return { from: start, lr, seed, to: to ?? end };
}

/** Why the request is invalid; null if it is valid. */
function validateFork({ data }: Context, { from, lr, seed, to }: ForkRequest): string | null {
  const { frame, model } = data;
  if (!frame || !model) return 'There is no run to fork.';
  if (!Number.isInteger(from) || from > frame.furthestStep)
    return `Fork from a step that the run has reached: 0 to ${frame.furthestStep}.`;
  if (!Number.isInteger(to) || to <= from || to > model.totalSteps)
    return `End the fork between step ${from + 1} and step ${model.totalSteps}.`;
  if (seed !== null && !Number.isInteger(seed)) return 'Type a seed as a whole number, 0 or more.';
  return lr === null && seed === null ? 'Give the fork another learning rate, or another seed.' : null;
}

export const time: View = {
  id: ID,
  title: 'Time',
  probes: [],
  mount(host, context) {
    const [top, form, figure] = createElements('div', 'div', 'figure');
    host.append(top, form, figure);
    let chart: LineChart | null = null;
    const fork = new PollingQuery<'fork'>(
      context,
      ({ done }) => done,
      () => update(true),
    );
    const onInvalid = (text: string): void => context.notify('warning', text);
    const field = (
      id: keyof Omit<TimeViewState, 'fork'>,
      label: string,
      title: string,
      width: 'narrow' | 'wide' = 'narrow',
    ) =>
      new NumberField({
        id: `fork-${id}`,
        label,
        title,
        width,
        onInvalid,
        commit(typed) {
          if (typed < 0) return `${label}: type a number of 0 or more.`;
          updateViewState(context, { [id]: typed });
          return null;
        },
      });
    const fields = {
      from: field('from', 'From step', 'The step at which the fork starts'),
      lr: field('lr', 'lr', 'Learning rate of the fork', 'wide'),
      seed: field(
        'seed',
        'Seed',
        'Seed of the fork: it sets the order of the samples and the random numbers of layers',
      ),
      to: field('to', 'to step', 'The last step of the fork'),
    };

    const start = (): void => {
      const request = effectiveRequest(context);
      const wrong = validateFork(context, request);
      if (wrong) return onInvalid(wrong);
      updateViewState(context, { fork: request });
    };
    const stop = (): void => updateViewState(context, { fork: null });
    const carryOn = (request: ForkRequest): void => {
      const { step } = fork.result ?? { step: request.to };
      context.sendCommand({ type: 'fork', step: request.from, lr: request.lr, seed: request.seed, to: step });
      stop();
    };

    const formTemplate = (): TemplateResult => {
      const { fork: asked } = getViewState(context.settings);
      const { from, to } = effectiveRequest(context);
      const { lr, seed } = getViewState(context.settings);
      const live = context.data.state?.kind === 'run';
      const under = asked !== null && fork.isBusy;
      return html`<section class="part">
        <div class="chart-head">
          <h2>Fork this run</h2>
          <span class="unit">the same run with another learning rate or seed</span>
        </div>
        <div class="chooser" role="group" aria-label="The fork">
          ${fields.from.template(String(from), { disabled: !live })}
          ${fields.lr.template(lr === null ? '' : String(lr), { disabled: !live })}
          ${fields.seed.template(seed === null ? '' : String(seed), { disabled: !live })}
          ${fields.to.template(String(to), { disabled: !live })}
          ${
            under
              ? html`<button
                  class="quiet"
                  data-action="cancel-fork"
                  title="Stop the fork. The run is not changed."
                  @click=${stop}
                >
                  ${renderIcon('debug-stop')} Cancel
                </button>`
              : html`<button
                  class="quiet"
                  data-action="fork"
                  title="Train the fork. The run is not changed."
                  aria-disabled=${live ? 'false' : 'true'}
                  @click=${() => live && start()}
                >
                  ${renderIcon('git-branch')} Train fork
                </button>`
          }
        </div>
        ${asked ? outcome(asked) : html`<p class="how">${renderIcon('info')} Type another learning rate, another seed, or both. The run is not changed.</p>`}
      </section>`;
    };

    const outcome = (asked: ForkRequest): TemplateResult => {
      const { result, error, isBusy } = fork;
      if (error) return html`<p class="hint">${error}</p>`;
      if (!result)
        return html`<p class="hint">
          ${isBusy ? 'Loading fork…' : `This run has not reached step ${formatInteger(asked.from)}.`}
        </p>`;
      const progress =
        result.step < asked.from
          ? `Replaying to step ${formatInteger(asked.from)}: now at step ${formatInteger(result.step)}.`
          : `At step ${formatInteger(result.step)} of ${formatInteger(asked.to)}.`;
      if (!result.done) return html`<p role="status">${progress}</p>`;
      const run = (name: string) => context.data.history.get(name)?.data();
      const common =
        lastCommonLoss('train', run(seriesName.loss('train')), result.history[seriesName.loss('train')]) ??
        lastCommonLoss('batch', run(seriesName.batchLoss), result.history[seriesName.batchLoss]);
      return html`<p data-differs>${describeDifferences(asked, result)}</p>
        <p role="status" data-outcome>
          ${describeOutcome(common, result)}${common ? html` <span class="hint">(fork ${renderValue(common.fork)}, run ${renderValue(common.run)})</span>` : nothing}
        </p>
        <p>
          <button
            class="quiet"
            data-action="carry-on"
            title="Replace the run with the fork after step ${asked.from}. You can undo it."
            @click=${() => carryOn(asked)}
          >
            ${renderIcon('check')} Continue with fork
          </button>
          <button
            class="quiet"
            data-action="drop-fork"
            title="Discard the fork. The run is not changed."
            @click=${stop}
          >
            ${renderIcon('close')} Discard
          </button>
        </p>`;
    };

    const drawChart = (text: boolean): void => {
      const { result } = fork;
      const asked = getViewState(context.settings).fork;
      if (!result || !asked) {
        chart?.dispose();
        chart = null;
        figure.hidden = true;
        return;
      }
      figure.hidden = false;
      chart ??= new LineChart(figure, context, {
        title: 'Loss of run and fork',
        unit: 'of each batch and over all training samples',
        logarithmic: false,
        description: 'Dotted lines are pinned steps. Click to go to a step of the run.',
        lastStep: () => getViewState(context.settings).fork?.to ?? 0,
      });
      chart.update(lossLines(context, result.history), text);
    };
    const update = (text: boolean): void => {
      const { data, settings } = context;
      fork.request(String(data.runVersion), forkQuery(settings));
      drawChart(text);
      if (!text) return;
      render(pinnedSteps(context), top);
      render(formTemplate(), form);
    };
    return {
      update,
      dispose() {
        fork.request('', null);
        chart?.dispose();
        for (const part of [top, form]) render(nothing, part);
      },
    };
  },
};

function forkQuery(settings: Settings) {
  const { fork } = getViewState(settings);
  return fork && ({ type: 'fork', ...fork } as const);
}

function lossLines({ data, theme }: Context, fork: HistoryData): LineSeries[] {
  const run = (name: string) => data.history.get(name)?.data();
  const { train } = theme.splits;
  const other = theme.palette[1];
  const [batch, whole] = [seriesName.batchLoss, seriesName.loss('train')];
  return [
    { name: 'run, batch', data: run(batch), color: train, width: 1, dimmed: true },
    { name: 'fork, batch', data: fork[batch], color: other, width: 1, dimmed: true, dash: [4, 2] },
    { name: 'run, train', data: run(whole), color: train, width: 2 },
    { name: 'fork, train', data: fork[whole], color: other, width: 2, dash: [6, 3] },
  ];
}

/** The pinned steps and the current one, with their losses. */
function pinnedSteps(context: Context): TemplateResult {
  const { data, settings } = context;
  const { frame, model, history } = data;
  const { steps } = getPins(settings);
  if (!frame || !model) return html``;
  const here = frame.position.step;
  const shown = SPLITS.filter((part) => model.samples[part] > 0);
  const exact = (name: string, step: number): number | null => {
    const reading = bucketAt(history.get(name)?.data(), step);
    return reading && reading.step === step && reading.last === step && reading.low === reading.high
      ? reading.low
      : null;
  };
  const now = {
    batch: frame.position.phase > 0 ? null : frame.loss,
    part: (part: SplitName) => frame.evaluation[part]?.loss ?? null,
  };
  const change = (before: number | null, after: number | null): TemplateResult =>
    before === null || after === null
      ? html``
      : html` <small title="now − pinned">(${renderValue(after - before, { signed: true })})</small>`;
  const row = (step: number): TemplateResult => {
    const gone = step > frame.furthestStep;
    const losses = [
      { then: exact(seriesName.batchLoss, step), after: now.batch },
      ...shown.map((part) => ({ then: exact(seriesName.loss(part), step), after: now.part(part) })),
    ];
    return html`<tr data-pin=${step}>
      <th scope="row">
        ${gone ? html`step ${formatInteger(step)}` : html`<button class="link" title="Go to this step" @click=${() => context.seek(step)}>step ${formatInteger(step)}</button>`}
      </th>
      <td class="text">
        <button class="quiet" aria-label=${`Unpin step ${step}`} title="Unpin" @click=${() => togglePin(context, step)}>
          ${renderIcon('close')}
        </button>
        ${
          gone
            ? html`<span class="hint">not reached in this run</span>`
            : html`<button
                class="link"
                title="Show tensors now, at step ${step}, and their difference"
                @click=${() => {
                  updatePins(context, { since: step });
                  context.updateSettings({ view: 'tensors' });
                }}
              >
                changes
              </button>`
        }
      </td>
      ${losses.map(({ then, after }) => html`<td>${renderValue(then)}${change(then, after)}</td>`)}
    </tr>`;
  };
  return html`<section class="part">
    <div class="chart-head">
      <h2>Pinned steps</h2>
      <span class="unit">losses at each step; in brackets the difference to now</span>
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label="Pinned steps">
      <table class="values">
        <thead>
          <tr>
            <th scope="col"><span class="visually-hidden">step</span></th>
            <th scope="col" class="text"><span class="visually-hidden">actions</span></th>
            <th scope="col">batch</th>
            ${shown.map((part) => html`<th scope="col">${part}</th>`)}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">now, step ${formatInteger(here)}</th>
            <td class="text">
              ${steps.includes(here) ? nothing : html`<button class="link" data-action="pin-here" title="Pin this step" @click=${() => togglePin(context, here)}>pin it</button>`}
            </td>
            <td>${renderValue(now.batch)}</td>
            ${shown.map((part) => html`<td>${renderValue(now.part(part))}</td>`)}
          </tr>
          ${steps.map(row)}
        </tbody>
      </table>
    </div>
    ${steps.length === 0 ? html`<p class="how">${renderIcon('info')} Pin a step here or beside the timeline. Its losses stay listed, and Tensors shows what changed since.</p>` : nothing}
  </section>`;
}
