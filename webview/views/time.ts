// The run over time: pinned steps beside where it stands, and another way on from any step, its loss in one chart with
// the run's.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { type HistoryData, seriesName } from '../../src/history/history';
import type { Part } from '../../src/protocol/panel';
import { readAt } from '../charts/envelope';
import { type Line, LineChart } from '../charts/line-chart';
import type { Context, Settings, View } from '../context';
import { NumberField } from '../controls/number-field';
import { icon, value } from '../controls/value';
import { cameOut, differsIn, type ForkRequest, lastCommon } from '../fork-words';
import { formatCount } from '../numbers';
import { keepPins, pinsOf, togglePin } from '../pins';
import { Slices } from '../slices';

const ID = 'time';
const parts = ['train', 'validation', 'test'] as const satisfies readonly Part[];

/** The fields as they were filled in, and the fork that was asked for. */
interface Own {
  readonly from: number | null;
  readonly lr: number | null;
  readonly seed: number | null;
  readonly to: number | null;
  readonly fork: ForkRequest | null;
}

const numberOr = (of: unknown): number | null => (typeof of === 'number' && Number.isFinite(of) && of >= 0 ? of : null);

function ownOf({ kept }: Settings): Own {
  const from = (kept[ID] ?? {}) as Partial<Record<keyof Own, unknown>>;
  const asked = (typeof from.fork === 'object' ? from.fork : null) as Partial<Record<keyof ForkRequest, unknown>> | null;
  const [first, last] = [numberOr(asked?.from), numberOr(asked?.to)];
  return {
    from: numberOr(from.from), lr: numberOr(from.lr), seed: numberOr(from.seed), to: numberOr(from.to),
    fork: first === null || last === null ? null : { from: first, lr: numberOr(asked?.lr), seed: numberOr(asked?.seed), to: last },
  };
}

const keepOwn = ({ settings, keep }: Context, change: Partial<Own>): void => keep(ID, { ...ownOf(settings), ...change });

/** What the fields stand for where they are empty. */
function filled({ data, settings }: Context): ForkRequest {
  const { from, lr, seed, to } = ownOf(settings);
  const { frame, model } = data;
  const start = from ?? frame?.position.step ?? 0;
  const frontier = frame?.frontier ?? 0;
  const end = frontier > start ? frontier : Math.min(model?.totalSteps ?? start, start + 5 * (model?.batchesPerEpoch ?? 1));
  return { from: start, lr, seed, to: to ?? end };
}

/** Why this cannot be asked for; null where it can. */
function refusal({ data }: Context, { from, lr, seed, to }: ForkRequest): string | null {
  const { frame, model } = data;
  if (!frame || !model) return 'There is no run to fork.';
  if (!Number.isInteger(from) || from > frame.frontier) return `A fork leaves the run at a step that it has reached: 0 to ${frame.frontier}.`;
  if (!Number.isInteger(to) || to <= from || to > model.totalSteps) return `The fork ends after step ${from}, at ${model.totalSteps} at the latest.`;
  if (seed !== null && !Number.isInteger(seed)) return 'A seed is a whole number from 0 up.';
  return lr === null && seed === null ? 'Give the fork another learning rate, or another seed.' : null;
}

export const time: View = {
  id: ID,
  title: 'Time',
  needs: [],
  mount(host, context) {
    const [top, form, figure] = ['div', 'div', 'figure'].map((tag) => document.createElement(tag));
    host.append(top, form, figure);
    let chart: LineChart | null = null;
    const fork = new Slices<'fork'>(context, ({ done }) => done, () => update(true));
    const refuse = (text: string): void => context.notify('warning', text);
    const field = (id: keyof Omit<Own, 'fork'>, label: string, title: string, width: 'narrow' | 'wide' = 'narrow') =>
      new NumberField({
        id: `fork-${id}`, label, title, width, refuse,
        commit(typed) {
          if (typed < 0) return `${label}: a number from 0 up.`;
          keepOwn(context, { [id]: typed });
          return null;
        },
      });
    const fields = {
      from: field('from', 'From step', 'The step at which the fork leaves the run'),
      lr: field('lr', 'lr', 'Learning rate of the fork from there on, in place of the run’s', 'wide'),
      seed: field('seed', 'Seed', 'Seed of the fork from there on: it orders the samples, and layers draw by it'),
      to: field('to', 'to step', 'The last step of the fork'),
    };

    const start = (): void => {
      const request = filled(context);
      const wrong = refusal(context, request);
      if (wrong) return refuse(wrong);
      keepOwn(context, { fork: request });
    };
    const stop = (): void => keepOwn(context, { fork: null });
    const carryOn = (request: ForkRequest): void => {
      const { step } = fork.answer ?? { step: request.to };
      context.command({ type: 'fork', step: request.from, lr: request.lr, seed: request.seed });
      if (step > request.from) context.command({ type: 'runToStep', step });
      stop();
    };

    const formTemplate = (): TemplateResult => {
      const { fork: asked } = ownOf(context.settings);
      const { from, to } = filled(context);
      const { lr, seed } = ownOf(context.settings);
      const live = context.data.state?.kind === 'run';
      const under = asked !== null && fork.busy;
      return html`<section class="part">
        <div class="chart-head"><h2>Another way on</h2><span class="unit">a fork of the run, computed beside it</span></div>
        <div class="chooser" role="group" aria-label="The fork">
          ${fields.from.template(String(from), { disabled: !live })}
          ${fields.lr.template(lr === null ? '' : String(lr), { disabled: !live })}
          ${fields.seed.template(seed === null ? '' : String(seed), { disabled: !live })}
          ${fields.to.template(String(to), { disabled: !live })}
          ${
            under
              ? html`<button class="quiet" data-action="cancel-fork" title="Ends the fork; the run is not touched" @click=${stop}>${icon('debug-stop')} Cancel</button>`
              : html`<button class="quiet" data-action="fork" title="Trains the fork beside the run, which is not touched" aria-disabled=${live ? 'false' : 'true'}
                  @click=${() => live && start()}>${icon('git-branch')} Train the fork</button>`
          }
        </div>
        ${asked ? outcome(asked) : html`<p class="how">${icon('info')} Type another learning rate, another seed, or both. The run itself stays where it is.</p>`}
      </section>`;
    };

    const outcome = (asked: ForkRequest): TemplateResult => {
      const { answer, trouble, busy } = fork;
      if (trouble) return html`<p class="hint">${trouble}</p>`;
      if (!answer) return html`<p class="hint">${busy ? 'The engine is asked for the fork.' : `Step ${formatCount(asked.from)} was not reached in this run, so nothing leaves it there.`}</p>`;
      const progress = answer.step < asked.from ? `The way to step ${formatCount(asked.from)} is computed again: at step ${formatCount(answer.step)}.` : `At step ${formatCount(answer.step)} of ${formatCount(asked.to)}.`;
      if (!answer.done) return html`<p role="status">${progress}</p>`;
      const run = (name: string) => context.data.history.get(name)?.data();
      const common = lastCommon('train', run(seriesName.loss('train')), answer.history[seriesName.loss('train')])
        ?? lastCommon('batch', run(seriesName.batchLoss), answer.history[seriesName.batchLoss]);
      return html`<p data-differs>${differsIn(asked, answer)}</p>
        <p role="status" data-outcome>${cameOut(common, answer)}${common ? html` <span class="hint">(fork ${value(common.fork)}, run ${value(common.run)})</span>` : nothing}</p>
        <p><button class="quiet" data-action="carry-on" title="Makes the fork the run: the steps after ${asked.from} are forgotten and trained as the fork was. It can be undone."
            @click=${() => carryOn(asked)}>${icon('check')} Carry on with the fork</button>
          <button class="quiet" data-action="drop-fork" title="Forgets the fork; the run stays as it is" @click=${stop}>${icon('close')} Drop it</button></p>`;
    };

    const drawChart = (text: boolean): void => {
      const { answer } = fork;
      const asked = ownOf(context.settings).fork;
      if (!answer || !asked) {
        chart?.dispose();
        chart = null;
        figure.hidden = true;
        return;
      }
      figure.hidden = false;
      chart ??= new LineChart(figure, context, {
        title: 'Loss of the run and of the fork', unit: 'of each batch, and over all training samples', logarithmic: false,
        how: 'Up to the fork the two are one. Dotted lines are pinned steps. Click to go to a step of the run.',
        reach: () => ownOf(context.settings).fork?.to ?? 0,
      });
      chart.update(linesOf(context, answer.history), text);
    };
    const update = (text: boolean): void => {
      const { data, settings } = context;
      fork.want(String(data.run), askedFork(settings));
      drawChart(text);
      if (!text) return;
      render(pinned(context), top);
      render(formTemplate(), form);
    };
    return {
      update,
      dispose() {
        fork.want('', null);
        chart?.dispose();
        for (const part of [top, form]) render(nothing, part);
      },
    };
  },
};

function askedFork(settings: Settings) {
  const { fork } = ownOf(settings);
  return fork && ({ about: 'fork', ...fork } as const);
}

function linesOf({ data, theme }: Context, fork: HistoryData): Line[] {
  const run = (name: string) => data.history.get(name)?.data();
  const { train } = theme.parts;
  const other = theme.palette[1];
  const [batch, whole] = [seriesName.batchLoss, seriesName.loss('train')];
  return [
    { name: 'run, batch', data: run(batch), colour: train, width: 1, faint: true },
    { name: 'fork, batch', data: fork[batch], colour: other, width: 1, faint: true, dash: [4, 2] },
    { name: 'run, train', data: run(whole), colour: train, width: 2 },
    { name: 'fork, train', data: fork[whole], colour: other, width: 2, dash: [6, 3] },
  ];
}

/** The pinned steps and where the run stands, with their losses. */
function pinned(context: Context): TemplateResult {
  const { data, settings } = context;
  const { frame, model, history } = data;
  const { steps } = pinsOf(settings);
  if (!frame || !model) return html``;
  const here = frame.position.step;
  const shown = parts.filter((part) => model.samples[part] > 0);
  const exact = (name: string, step: number): number | null => {
    const reading = readAt(history.get(name)?.data(), step);
    return reading && reading.step === step && reading.last === step && reading.low === reading.high ? reading.low : null;
  };
  const now = { batch: frame.position.phase > 0 ? null : frame.loss, part: (part: Part) => frame.evaluation[part]?.loss ?? null };
  const change = (before: number | null, after: number | null): TemplateResult =>
    before === null || after === null ? html`` : html` <small title="now − pinned">(${value(after - before, { signed: true })})</small>`;
  const row = (step: number): TemplateResult => {
    const gone = step > frame.frontier;
    const losses = [[exact(seriesName.batchLoss, step), now.batch], ...shown.map((part) => [exact(seriesName.loss(part), step), now.part(part)])];
    return html`<tr data-pin=${step}>
      <th scope="row">${gone ? html`step ${formatCount(step)}` : html`<button class="link" title="Go to this step" @click=${() => context.seek(step)}>step ${formatCount(step)}</button>`}</th>
      <td class="text"><button class="quiet" aria-label=${`Take the pin off step ${step}`} title="Take the pin off" @click=${() => togglePin(context, step)}>${icon('close')}</button>
        ${gone ? html`<span class="hint">not reached in this run</span>` : html`<button class="link" title="What changed since: shows any tensor now, at step ${step}, and the difference"
          @click=${() => {
            keepPins(context, { since: step });
            context.set({ view: 'tensors' });
          }}>changes</button>`}</td>
      ${losses.map(([then, after]) => html`<td>${value(then)}${change(then, after)}</td>`)}
    </tr>`;
  };
  return html`<section class="part">
    <div class="chart-head"><h2>Pinned steps</h2><span class="unit">losses there, and in brackets how much now differs</span></div>
    <div class="scroll" tabindex="0" role="region" aria-label="Pinned steps"><table class="values">
      <thead><tr><th scope="col"><span class="unseen">step</span></th><th scope="col" class="text"><span class="unseen">what can be done</span></th><th scope="col">batch</th>${shown.map((part) => html`<th scope="col">${part}</th>`)}</tr></thead>
      <tbody>
        <tr><th scope="row">now, step ${formatCount(here)}</th><td class="text">${steps.includes(here) ? nothing : html`<button class="link" data-action="pin-here" title="Pin this step" @click=${() => togglePin(context, here)}>pin it</button>`}</td>
          <td>${value(now.batch)}</td>${shown.map((part) => html`<td>${value(now.part(part))}</td>`)}</tr>
        ${steps.map(row)}
      </tbody>
    </table></div>
    ${steps.length === 0 ? html`<p class="how">${icon('info')} Pin a step here, or with the pin beside the scrubber, and go on: its numbers stay beside those of now, and Tensors shows what changed since.</p>` : nothing}
  </section>`;
}
