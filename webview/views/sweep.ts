// The sweep of the spec: progress, the result of each setting, and its runs over the epochs.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { Group, SplitName, RunState, SweepState } from '../../src/protocol/panel';
import { type Band, BandChart, type BandChartOptions, type BandKind, renderSpread } from '../charts/band-chart';
import type { Context, View } from '../context';
import { renderIcon, renderValue } from '../controls/number-value';
import { pluralize, formatInteger, formatCompact, formatPercent } from '../../src/presentation/numbers';
import { FittedFunctions } from './fitted-functions';
import { lineStyle } from './line-style';

const SPLITS = ['train', 'validation', 'test'] as const satisfies readonly SplitName[];
type Measure = 'loss' | 'accuracy';

/** The state of the view. */
interface SweepViewState {
  readonly part: SplitName;
  readonly of: Measure;
  readonly band: BandKind;
  readonly logarithmic: boolean;
}

function getViewState({ settings }: Context): SweepViewState {
  const kept = (settings.viewState.sweep ?? {}) as Partial<Record<keyof SweepViewState, unknown>>;
  return {
    part: SPLITS.find((part) => part === kept.part) ?? 'validation',
    of: kept.of === 'accuracy' ? 'accuracy' : 'loss',
    band: kept.band === 'range' ? 'range' : 'deviation',
    logarithmic: kept.logarithmic === true,
  };
}

const groupLabel = ({ labels }: Group, options: readonly string[]): string =>
  // A number needs its name; `adam` and `linear 3, relu` are clear without.
  options.length === 1 && Number.isFinite(Number(labels[0]))
    ? `${shortPath(options[0]!)} ${labels[0]}`
    : labels.join(', ') || 'all runs';

/** `lr` for `optimizer.lr`; the whole path is in the table. */
const shortPath = (path: string): string => path.split('.').slice(-1)[0]!;

const isDone = ({ state }: RunState): boolean => state !== 'waiting' && state !== 'running';

export const sweep: View = {
  id: 'sweep',
  title: 'Sweep',
  probes: [],
  mount(host, context) {
    const [top, figure, fitted, below] = [
      document.createElement('div'),
      document.createElement('figure'),
      document.createElement('figure'),
      document.createElement('div'),
    ];
    host.append(top, figure, fitted, below);
    const functions = new FittedFunctions(fitted, context);
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
        const look = restrictToAvailable(getViewState(context), state);
        const key = `${context.theme.version} ${JSON.stringify(look)}`;
        if (!chart || key !== drawn || state.report !== drawnOf) {
          const options = chartOptions(context, state, look);
          chart ??= new BandChart(figure, context, options);
          chart.update(toBands(context, state, look), options);
          drawn = key;
          drawnOf = state.report;
        }
      }
      functions.update(state, groupLabel);
      render(state ? html`${table(state)}${runsSection(context, state, open, toggle)}` : nothing, below);
    };
    return {
      update(text) {
        const { data, theme, settings } = context;
        const now = [data.sweep, theme, settings.viewState.sweep];
        // The run above redraws many times a second.
        if (!text || now.every((one, i) => one === seen[i])) return;
        seen = now;
        draw();
      },
      dispose() {
        chart?.dispose();
        functions.dispose();
        render(nothing, top);
        render(nothing, below);
      },
    };
  },
};

const availableSplits = ({ report }: SweepState): SplitName[] =>
  SPLITS.filter((part) => report.groups.some(({ final }) => final[part]));

const hasAccuracy = ({ report }: SweepState): boolean =>
  report.groups.some(({ final }) => Object.values(final).some(({ accuracy }) => accuracy));

/** The part of the selection that is available. */
function restrictToAvailable(look: SweepViewState, state: SweepState): SweepViewState {
  const parts = availableSplits(state);
  return {
    ...look,
    part: parts.includes(look.part) ? look.part : (parts[0] ?? 'train'),
    of: hasAccuracy(state) ? look.of : 'loss',
  };
}

function toBands({ theme }: Context, { report }: SweepState, { part, of }: SweepViewState): Band[] {
  return report.groups.map((group, i) => ({
    name: groupLabel(group, report.options),
    ...lineStyle(i, theme),
    epochs: group.epochs,
    spreads: group.bands[part]?.[of] ?? [],
  }));
}

function chartOptions(context: Context, state: SweepState, look: SweepViewState): BandChartOptions {
  const { part, of, band, logarithmic } = look;
  const keep = (change: Partial<SweepViewState>): void =>
    context.setViewState('sweep', { ...getViewState(context), ...change });
  const choice = <T extends string>(
    label: string,
    now: T,
    all: readonly T[],
    words: (one: T) => string,
    choose: (one: T) => void,
  ) =>
    all.length < 2
      ? nothing
      : html`<span class="segments" role="group" aria-label=${label}>
          ${all.map((one) => html`<button class="segment" aria-pressed=${one === now ? 'true' : 'false'} @click=${() => choose(one)}>${words(one)}</button>`)}
        </span>`;
  const bands =
    band === 'range' ? 'the range from the smallest to the largest value' : 'one standard deviation to either side';
  return {
    title: `${part === 'train' ? 'Training' : part === 'validation' ? 'Validation' : 'Test'} ${of}`,
    unit: of === 'accuracy' ? 'fraction of correct samples' : 'mean over the runs',
    description: `Lines are means over the finished runs of a setting. Bands show ${bands}.`,
    band,
    logarithmic: logarithmic && of === 'loss',
    ...(of === 'accuracy' && { fixed: { min: 0, max: 1 } }),
    toolbar: () =>
      html`<span class="tools">
        ${choice(
          'Split',
          part,
          availableSplits(state),
          (one) => one,
          (one) => keep({ part: one }),
        )}
        ${choice(
          'Measure',
          of,
          hasAccuracy(state) ? (['loss', 'accuracy'] as const) : (['loss'] as const),
          (one) => one,
          (one) => keep({ of: one }),
        )}
        ${
          state.report.seeds > 1
            ? choice(
                'Bands',
                band,
                ['deviation', 'range'] as const,
                (one) => (one === 'range' ? 'min–max' : '± deviation'),
                (one) => keep({ band: one }),
              )
            : nothing
        }
        ${of === 'loss' ? html`<label class="option"><input type="checkbox" .checked=${logarithmic} @change=${(event: Event) => keep({ logarithmic: (event.target as HTMLInputElement).checked })} /> logarithmic</label>` : nothing}
      </span>`,
  };
}

function head(context: Context): TemplateResult {
  const { state, isStarting, error } = context.data.sweep;
  const said =
    error === null
      ? nothing
      : html`<p class="verdict bad" role="alert">${renderIcon('error')}<span>${error}</span></p>`;
  return html`${said}${state ? progress(context, state, isStarting) : invitation(context)}`;
}

const EXAMPLE = '"sweep": { "optimizer.lr": [0.01, 0.03, 0.1, 0.3], "seed": [1, 2, 3] }';

const invitation = ({ extension }: Context): TemplateResult =>
  html`<section class="empty">
    <p>
      <b>This spec has no "sweep" section.</b> Add one with lists of values for any options. Every combination is then
      trained separately from the run above:
    </p>
    <p>
      <code>${EXAMPLE}</code>
      <button class="quiet" @click=${() => void extension.copyText(EXAMPLE)}>${renderIcon('copy')} Copy</button>
    </p>
  </section>`;

function progress(
  { extension }: Context,
  { runs: all, report, running, workers, notes, file }: SweepState,
  starting: boolean,
): TemplateResult {
  const done = all.filter(isDone).length;
  const share = all.reduce((sum, run) => sum + (isDone(run) ? 1 : run.step / Math.max(1, run.total)), 0);
  const { options, groups, seeds } = report;
  const act = (action: 'start' | 'fresh' | 'cancel', words: string, kind: 'primary' | 'secondary') =>
    html`<button class=${kind} data-action=${`sweep-${action}`} @click=${() => void extension.sweep(action)}>
      ${words}
    </button>`;
  const busy = running || starting;
  return html`
    <p>
      <b>${options.length > 0 ? options.join(' × ') : 'Seeds only'}</b>: ${pluralize(groups.length, 'setting')} ×
      ${pluralize(seeds, 'seed')} = ${pluralize(all.length, 'run')}
    </p>
    ${notes.length > 0 ? html`<p class="hint">${notes.join(' ')}</p>` : nothing}
    <div class="progress">
      <p role="status">
        ${starting && !running ? 'Starting …' : html`<span class="number">${formatInteger(done)}</span> of ${pluralize(all.length, 'run')} done${running ? `, ${workers} at a time` : ''}`}
      </p>
      <progress max=${all.length} value=${share} aria-label="Runs done"></progress>
      ${
        busy
          ? act('cancel', 'Cancel', 'secondary')
          : html`${done < all.length ? act('start', done > 0 ? 'Continue' : 'Run sweep', 'primary') : nothing}${done > 0 ? act('fresh', 'Start over', 'secondary') : nothing}`
      }
    </div>
    <p class="hint">Results are saved in ${file} next to the spec. The run above continues independently.</p>
  `;
}

function table(state: SweepState): TemplateResult {
  const { options, groups, best } = state.report;
  const parts = availableSplits(state);
  const measures = hasAccuracy(state) ? (['loss', 'accuracy'] as const) : (['loss'] as const);
  const count = ({ planned, finished, diverged, failed }: Group): string =>
    [
      finished === planned ? formatInteger(planned) : `${formatInteger(finished)} of ${formatInteger(planned)}`,
      ...(diverged > 0 ? [`${diverged} diverged`] : []),
      ...(failed > 0 ? [`${failed} failed`] : []),
    ].join(', ');
  return html`
    <h2>After the last epoch</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: results by setting">
      <table class="values sweeps">
        <thead>
          <tr>
            ${options.map((path) => html`<th scope="col" class="text">${path}</th>`)}
            <th scope="col">runs</th>
            ${parts.flatMap((part) => measures.map((of) => html`<th scope="col">${part} ${of}</th>`))}
          </tr>
        </thead>
        <tbody>
          ${groups.map(
            (group, i) =>
              html`<tr data-setting=${group.labels.join(', ')} class=${best?.group === i ? 'selected' : ''}>
                ${group.labels.map((label, option) => (option === 0 ? html`<th scope="row">${label}${best?.group === i ? html` <span class="hint">${renderIcon('star-full')} best</span>` : nothing}</th>` : html`<td class="text">${label}</td>`))}
                <td class="number">${count(group)}</td>
                ${parts.flatMap((part) => measures.map((of) => html`<td>${renderSpread(group.final[part]?.[of])}${of === 'accuracy' ? renderLargestClass(group.largestClass[part]) : nothing}</td>`))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="hint">
      Mean ± standard deviation (n − 1) over the runs that
      finished.${best ? ` Best: the lowest ${best.part} loss.` : ''} Diverged and failed runs are excluded.
    </p>
  `;
}

/** An accuracy means little without it. */
const renderLargestClass = (share: number | null | undefined): TemplateResult | typeof nothing =>
  typeof share === 'number'
    ? html` <span class="hint" data-largest-class>(largest class ${formatPercent(share)})</span>`
    : nothing;

const runIcons = {
  waiting: 'circle-outline',
  running: 'sync',
  finished: 'pass',
  diverged: 'warning',
  failed: 'error',
} as const;

/** Rows shown on the page; the file has all. */
const MAX_ROWS = 200;

function runsSection(
  { extension }: Context,
  { runs: all, file }: SweepState,
  open: boolean,
  toggle: (event: Event) => void,
): TemplateResult {
  const options = Object.keys(all[0]?.settings ?? {});
  const splits = SPLITS.filter((split) => all.some(({ losses }) => losses?.[split] !== undefined));
  const written = (chosen: unknown): string =>
    typeof chosen === 'number' ? formatCompact(chosen) : typeof chosen === 'string' ? chosen : JSON.stringify(chosen);
  return html`<details class="data" @toggle=${toggle}>
    <summary>Runs</summary>
    ${
      open
        ? html`${all.length > MAX_ROWS ? html`<p class="hint">The first ${MAX_ROWS} of ${formatInteger(all.length)}; ${file} has all.</p>` : nothing}
            <div class="scroll" tabindex="0" role="region" aria-label="Table: runs">
              <table class="values">
                <thead>
                  <tr>
                    ${options.map((path) => html`<th scope="col" class="text">${path}</th>`)}
                    <th scope="col" class="text">state</th>
                    ${splits.map((split) => html`<th scope="col">${split} loss</th>`)}
                    <th scope="col">step</th>
                    <th scope="col" class="text">panel</th>
                    <th scope="col" class="text">why</th>
                  </tr>
                </thead>
                <tbody>
                  ${all.slice(0, MAX_ROWS).map(
                    (run, i) =>
                      html`<tr data-state=${run.state}>
                        ${options.map((path) => html`<td class="text">${written(run.settings[path])}</td>`)}
                        <td class="text">
                          <span class="sign ${run.state}">${renderIcon(runIcons[run.state])}${run.state}</span>
                        </td>
                        ${splits.map((split) => html`<td class="number">${renderValue(run.losses?.[split] ?? null)}</td>`)}
                        <td class="number">
                          ${run.total > 0 ? `${formatInteger(run.step)} / ${formatInteger(run.total)}` : '–'}
                        </td>
                        <td class="text">
                          <button
                            class="link"
                            data-open-run=${i}
                            title="Open this run as an unsaved spec, in a panel of its own"
                            @click=${() => void extension.openSweepRun(i)}
                          >
                            Open
                          </button>
                        </td>
                        <td class="text why">${run.message ?? ''}</td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>`
        : nothing
    }
  </details>`;
}
