// The sweep that a spec describes: how far it is, what each setting came to, and its runs over the epochs.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { Group, Part, RunState, SweepState } from '../../src/protocol/panel';
import { type Band, BandChart, type BandChartOptions, type BandKind, spreadOf } from '../charts/band-chart';
import type { Context, View } from '../context';
import { icon } from '../controls/value';
import { counted, formatCount, formatRound } from '../numbers';
import { lineStyle } from './layer-colours';

const PARTS = ['train', 'validation', 'test'] as const satisfies readonly Part[];
type Measure = 'loss' | 'accuracy';

/** What the view keeps of how it was looked at. */
interface Look {
  readonly part: Part;
  readonly of: Measure;
  readonly band: BandKind;
  readonly logarithmic: boolean;
}

function lookOf({ settings }: Context): Look {
  const kept = (settings.kept.sweep ?? {}) as Partial<Record<keyof Look, unknown>>;
  return {
    part: PARTS.find((part) => part === kept.part) ?? 'validation',
    of: kept.of === 'accuracy' ? 'accuracy' : 'loss',
    band: kept.band === 'range' ? 'range' : 'deviation',
    logarithmic: kept.logarithmic === true,
  };
}

const nameOf = ({ labels }: Group, options: readonly string[]): string =>
  // A number needs its name; `adam` and `linear 3, relu` tell themselves.
  options.length === 1 && Number.isFinite(Number(labels[0])) ? `${shortPath(options[0])} ${labels[0]}` : labels.join(', ') || 'all runs';

/** `lr` for `optimizer.lr`: the whole path is in the table. */
const shortPath = (path: string): string => path.split('.').slice(-1)[0];

const isDone = ({ state }: RunState): boolean => state !== 'waiting' && state !== 'running';

export const sweep: View = {
  id: 'sweep',
  title: 'Sweep',
  needs: [],
  mount(host, context) {
    const [top, figure, below] = [document.createElement('div'), document.createElement('figure'), document.createElement('div')];
    host.append(top, figure, below);
    let chart: BandChart | null = null;
    let drawn = '';
    let drawnOf: SweepState['report'] | null = null;
    let seen: readonly unknown[] = [];
    let open = false;
    const toggle = (event: Event): void => {
      open = (event.target as HTMLDetailsElement).open;
      draw();
    };
    const draw = (): void => {
      const { state } = context.data.sweep;
      render(head(context), top);
      figure.hidden = !state;
      if (state) {
        const look = fitting(lookOf(context), state);
        const key = `${context.theme.version} ${JSON.stringify(look)}`;
        if (!chart || key !== drawn || state.report !== drawnOf) {
          const options = chartOptions(context, state, look);
          chart ??= new BandChart(figure, context, options);
          chart.update(bandsOf(context, state, look), options);
          drawn = key;
          drawnOf = state.report;
        }
      }
      render(state ? html`${table(state)}${runs(state, open, toggle)}` : nothing, below);
    };
    return {
      update(text) {
        const { data, theme, settings } = context;
        const now = [data.sweep, theme, settings.kept.sweep];
        // The run above draws many times a second.
        if (!text || now.every((one, i) => one === seen[i])) return;
        seen = now;
        draw();
      },
      dispose() {
        chart?.dispose();
        render(nothing, top);
        render(nothing, below);
      },
    };
  },
};

const partsOf = ({ report }: SweepState): Part[] => PARTS.filter((part) => report.groups.some(({ final }) => final[part]));

const hasAccuracy = ({ report }: SweepState): boolean => report.groups.some(({ final }) => Object.values(final).some(({ accuracy }) => accuracy));

/** What there is of what was chosen. */
function fitting(look: Look, state: SweepState): Look {
  const parts = partsOf(state);
  return { ...look, part: parts.includes(look.part) ? look.part : (parts[0] ?? 'train'), of: hasAccuracy(state) ? look.of : 'loss' };
}

function bandsOf({ theme }: Context, { report }: SweepState, { part, of }: Look): Band[] {
  return report.groups.map((group, i) => ({
    name: nameOf(group, report.options), ...lineStyle(i, theme), epochs: group.epochs, spreads: group.bands[part]?.[of] ?? [],
  }));
}

function chartOptions(context: Context, state: SweepState, look: Look): BandChartOptions {
  const { part, of, band, logarithmic } = look;
  const keep = (change: Partial<Look>): void => context.keep('sweep', { ...lookOf(context), ...change });
  const choice = <T extends string>(label: string, now: T, all: readonly T[], words: (one: T) => string, choose: (one: T) => void) =>
    all.length < 2 ? nothing : html`<span class="segments" role="group" aria-label=${label}>
      ${all.map((one) => html`<button class="segment" aria-pressed=${one === now ? 'true' : 'false'} @click=${() => choose(one)}>${words(one)}</button>`)}
    </span>`;
  const bands = band === 'range' ? 'from the smallest to the largest value' : 'one standard deviation to either side';
  return {
    title: `${part === 'train' ? 'Training' : part === 'validation' ? 'Validation' : 'Test'} ${of}`,
    unit: of === 'accuracy' ? 'share of samples that are right' : 'mean over the runs',
    how: `Lines are means over the runs of a setting that finished; the bands go ${bands}.`,
    band,
    logarithmic: logarithmic && of === 'loss',
    ...(of === 'accuracy' && { fixed: { min: 0, max: 1 } }),
    tool: () => html`<span class="tools">
      ${choice('Part of the data', part, partsOf(state), (one) => one, (one) => keep({ part: one }))}
      ${choice('Measure', of, hasAccuracy(state) ? (['loss', 'accuracy'] as const) : (['loss'] as const), (one) => one, (one) => keep({ of: one }))}
      ${state.report.seeds > 1 ? choice('Bands', band, ['deviation', 'range'] as const, (one) => (one === 'range' ? 'min–max' : '± deviation'), (one) => keep({ band: one })) : nothing}
      ${of === 'loss' ? html`<label class="option"><input type="checkbox" .checked=${logarithmic} @change=${(event: Event) => keep({ logarithmic: (event.target as HTMLInputElement).checked })} /> logarithmic</label>` : nothing}
    </span>`,
  };
}

function head(context: Context): TemplateResult {
  const { state, starting, trouble } = context.data.sweep;
  const said = trouble === null ? nothing : html`<p class="verdict bad" role="alert">${icon('error')}<span>${trouble}</span></p>`;
  return html`${said}${state ? progress(context, state, starting) : invitation(context)}`;
}

const EXAMPLE = '"sweep": { "optimizer.lr": [0.01, 0.03, 0.1, 0.3], "seed": [1, 2, 3] }';

const invitation = ({ send }: Context): TemplateResult => html`<section class="empty">
  <p><b>This spec says nothing about what to try.</b> Add a list of values for any of its options, by its path, and every combination is
  trained side by side, apart from the run above:</p>
  <p><code>${EXAMPLE}</code> <button class="quiet" @click=${() => send({ type: 'copy', text: EXAMPLE })}>${icon('copy')} Copy</button></p>
</section>`;

function progress({ send }: Context, { runs: all, report, running, workers, notes, file }: SweepState, starting: boolean): TemplateResult {
  const done = all.filter(isDone).length;
  const share = all.reduce((sum, run) => sum + (isDone(run) ? 1 : run.step / Math.max(1, run.total)), 0);
  const { options, groups, seeds } = report;
  const act = (action: 'start' | 'fresh' | 'cancel', words: string, kind: 'primary' | 'secondary') =>
    html`<button class=${kind} data-action=${`sweep-${action}`} @click=${() => send({ type: 'sweep', action })}>${words}</button>`;
  const busy = running || starting;
  return html`
    <p><b>${options.length > 0 ? options.join(' × ') : 'Seeds alone'}</b>: ${counted(groups.length, 'setting')} × ${counted(seeds, 'seed')} = ${counted(all.length, 'run')}</p>
    ${notes.length > 0 ? html`<p class="hint">${notes.join(' ')}</p>` : nothing}
    <div class="progress">
      <p role="status">${starting && !running ? 'Starting …' : html`<span class="number">${formatCount(done)}</span> of ${counted(all.length, 'run')} done${running ? `, ${workers} side by side` : ''}`}</p>
      <progress max=${all.length} value=${share} aria-label="Runs done"></progress>
      ${busy
        ? act('cancel', 'Cancel', 'secondary')
        : html`${done < all.length ? act('start', done > 0 ? 'Go on' : 'Run the sweep', 'primary') : nothing}${done > 0 ? act('fresh', 'Start over', 'secondary') : nothing}`}
    </div>
    <p class="hint">Results are kept in ${file}, beside the spec. The run above goes on by itself meanwhile.</p>
  `;
}

function table(state: SweepState): TemplateResult {
  const { options, groups, best } = state.report;
  const parts = partsOf(state);
  const measures = hasAccuracy(state) ? (['loss', 'accuracy'] as const) : (['loss'] as const);
  const count = ({ planned, finished, diverged, failed }: Group): string =>
    [finished === planned ? formatCount(planned) : `${formatCount(finished)} of ${formatCount(planned)}`, ...(diverged > 0 ? [`${diverged} diverged`] : []), ...(failed > 0 ? [`${failed} failed`] : [])].join(', ');
  return html`
    <h2>After the last epoch</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: settings and what they came to"><table class="values sweeps">
      <thead><tr>
        ${options.map((path) => html`<th scope="col" class="text">${path}</th>`)}<th scope="col">runs</th>
        ${parts.flatMap((part) => measures.map((of) => html`<th scope="col">${part} ${of}</th>`))}
      </tr></thead>
      <tbody>${groups.map((group, i) => html`<tr data-setting=${group.labels.join(', ')} class=${best?.group === i ? 'selected' : ''}>
        ${group.labels.map((label, option) => (option === 0 ? html`<th scope="row">${label}${best?.group === i ? html` <span class="hint">${icon('star-full')} best</span>` : nothing}</th>` : html`<td class="text">${label}</td>`))}
        <td class="number">${count(group)}</td>
        ${parts.flatMap((part) => measures.map((of) => html`<td>${spreadOf(group.final[part]?.[of])}</td>`))}
      </tr>`)}</tbody>
    </table></div>
    <p class="hint">
      Mean ± standard deviation (n − 1) over the runs that finished.${best ? ` Best: the lowest ${best.part} loss.` : ''}
      What diverged or failed is in no mean.
    </p>
  `;
}

const runIcons = { waiting: 'circle-outline', running: 'sync', finished: 'pass', diverged: 'warning', failed: 'error' } as const;

/** Rows on the page: more are in the file. */
const MOST_ROWS = 200;

function runs({ runs: all, file }: SweepState, open: boolean, toggle: (event: Event) => void): TemplateResult {
  const options = Object.keys(all[0]?.settings ?? {});
  const written = (chosen: unknown): string => (typeof chosen === 'number' ? formatRound(chosen) : typeof chosen === 'string' ? chosen : JSON.stringify(chosen));
  return html`<details class="data" @toggle=${toggle}><summary>Runs</summary>${
    open
      ? html`${all.length > MOST_ROWS ? html`<p class="hint">The first ${MOST_ROWS} of ${formatCount(all.length)}; ${file} has all.</p>` : nothing}
        <div class="scroll" tabindex="0" role="region" aria-label="Table: runs"><table class="values">
          <thead><tr>${options.map((path) => html`<th scope="col" class="text">${path}</th>`)}<th scope="col" class="text">state</th><th scope="col">step</th><th scope="col" class="text">why</th></tr></thead>
          <tbody>${all.slice(0, MOST_ROWS).map((run) => html`<tr data-state=${run.state}>
            ${options.map((path) => html`<td class="text">${written(run.settings[path])}</td>`)}
            <td class="text"><span class="sign ${run.state}">${icon(runIcons[run.state])}${run.state}</span></td>
            <td class="number">${run.total > 0 ? `${formatCount(run.step)} / ${formatCount(run.total)}` : '–'}</td>
            <td class="text why">${run.message ?? ''}</td>
          </tr>`)}</tbody>
        </table></div>`
      : nothing
  }</details>`;
}
