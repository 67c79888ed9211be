// What the runs of a sweep have learned, in one chart, if it is a function of one input. One line for each run; those
// of a setting share a color.
import { html, nothing, render } from 'lit/html.js';
import type { Group, SweepState } from '../../src/protocol/panel';
import { swatch } from '../charts/line-chart';
import { XyChart, type XyLine } from '../charts/xy-chart';
import type { Context } from '../context';
import { renderIcon, renderValue } from '../controls/number-value';
import { rowsTable } from '../controls/rows-table';
import { pluralize } from '../../src/presentation/numbers';
import { lineStyle } from './line-style';

/** Lines that share a name, a color and a switch: those of a setting, or a single run. */
interface Series {
  readonly name: string;
  readonly fits: SweepState['fits'];
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** One series for each setting; for each run if only the seeds differ. */
function seriesOf({ report, runs, fits }: SweepState, label: (group: Group, options: readonly string[]) => string) {
  const [only] = report.groups;
  if (report.groups.length === 1 && only)
    return fits.map((one): Series => ({ name: `seed ${String(runs[one.run]?.settings.seed ?? '')}`, fits: [one] }));
  const settingsOf = (run: number): unknown => {
    const { seed: _, ...settings } = runs[run]?.settings ?? {};
    return settings;
  };
  return report.groups.flatMap((group): Series[] => {
    const own = fits.filter(({ run }) => same(settingsOf(run), group.settings));
    return own.length > 0 ? [{ name: label(group, report.options), fits: own }] : [];
  });
}

const inputAt = ({ from, to, outputs }: SweepState['fits'][number]['fit'], i: number): number =>
  from + ((to - from) * i) / Math.max(1, outputs.length - 1);

export class FittedFunctions {
  #chart: XyChart | null = null;
  #points: XyLine['points'] = [];
  /** The model whose samples were asked for. */
  #pointsOf: unknown = null;
  #disposed = false;
  #open = false;
  #latest: (() => void) | null = null;
  /** Names of the series that are switched off. */
  readonly #hidden = new Set<string>();

  constructor(
    readonly figure: HTMLElement,
    readonly context: Context,
  ) {
    figure.className = 'chart';
  }

  update(state: SweepState | null, label: (group: Group, options: readonly string[]) => string): void {
    this.figure.hidden = !state || state.fits.length === 0;
    if (!state || state.fits.length === 0) return;
    const finished = state.runs.filter((run) => run.state === 'finished').length;
    this.#latest = () => this.#draw(seriesOf(state, label), state.fits[0]!.fit.input, finished);
    const { model } = this.context.data;
    if (model && this.#pointsOf !== model) void this.#askForPoints(model);
    this.#latest();
  }

  /** The training samples of the run in the panel. */
  async #askForPoints(model: unknown): Promise<void> {
    this.#pointsOf = model;
    const { value } = await this.context.query({ type: 'points', split: 'train' }).catch(() => ({ value: null }));
    if (this.#disposed || this.#pointsOf !== model) return;
    // The engine was not ready: the next update asks again.
    if (!value) this.#pointsOf = null;
    const isPlane = value && value.inputs.length === value.targets.length;
    this.#points = isPlane ? Array.from(value.inputs, (x, i) => ({ x, y: value.targets[i]! })) : [];
    this.#latest?.();
  }

  /** @param finished number of finished runs */
  #draw(series: readonly Series[], input: string, finished: number): void {
    const { context } = this;
    const { theme } = context;
    this.#chart ??= new XyChart(context);
    const shown = series
      .map((one, i) => ({ ...one, ...lineStyle(i, theme) }))
      .filter(({ name }) => !this.#hidden.has(name));
    const drawn = series.reduce((sum, { fits }) => sum + fits.length, 0);
    const count = shown.reduce((sum, { fits }) => sum + fits.length, 0);
    render(
      html`<div class="chart-head">
          <h2>Fitted functions</h2>
          <span class="unit">${pluralize(count, 'run')}, after the last step</span>
        </div>
        <div class="keys" role="group" aria-label="Shown functions">
          ${series.map((one, i) => {
            const { color, dash } = lineStyle(i, theme);
            return html`<button
              class="key quiet"
              data-function=${one.name}
              aria-pressed=${this.#hidden.has(one.name) ? 'false' : 'true'}
              title=${this.#hidden.has(one.name) ? 'Show' : 'Hide'}
              @click=${() => this.#toggle(one.name)}
            >
              ${swatch({ name: one.name, color, dash, data: undefined, width: 2 })}<span class="key-name"
                ><bdi>${one.name}</bdi></span
              >
            </button>`;
          })}
        </div>
        <div class="plot">${this.#chart.canvas}</div>
        <p class="how">
          ${renderIcon('info')} A line is the prediction of one run for each
          input.${drawn < finished ? ` The first ${drawn} of ${finished} finished runs have one.` : ''}${this.#points.length > 0 ? ' Points are the training samples of the run in this panel.' : ''}
        </p>
        <details class="data" @toggle=${this.#toggleTable}>
          <summary>Table</summary>
          ${this.#open ? this.#table(shown, input) : nothing}
        </details>`,
      this.figure,
    );
    this.#chart.update(
      [
        ...shown.flatMap(({ fits, name, color, dash }) =>
          fits.map(({ fit }): XyLine => ({
            name,
            color,
            dash,
            isPlain: true,
            points: fit.outputs.map((y, i) => ({ x: inputAt(fit, i), y })),
          })),
        ),
        ...(this.#points.length > 0
          ? [{ name: 'samples', color: theme.foreground, dash: [], points: this.#points, isScattered: true }]
          : []),
      ],
      {
        x: { title: input, scale: 'linear' },
        y: { title: 'prediction and target', scale: 'linear' },
        ariaLabel: `Fitted functions over ${input}: ${shown.map(({ name }) => name).join('; ')}.`,
      },
    );
  }

  /** A row for each point: runs with other data have other inputs. */
  #table(shown: readonly Series[], input: string) {
    const rows = shown.flatMap(({ name, fits }) =>
      fits.flatMap(({ run, fit }) => fit.outputs.map((y, i) => [`${run + 1}: ${name}`, inputAt(fit, i), y] as const)),
    );
    return rowsTable(this.context, {
      title: 'Fitted functions',
      label: 'Table: fitted functions',
      headers: ['run', input, 'prediction'],
      rows,
      renderRow: ([name, x, y]) =>
        html`<th scope="row"><bdi>${name}</bdi></th>
          <td>${renderValue(x, { signed: true })}</td>
          <td>${renderValue(y, { signed: true })}</td>`,
      exportRow: (row) => row,
      canvas: this.#chart?.canvas,
    });
  }

  readonly #toggleTable = (event: Event): void => {
    this.#open = (event.target as HTMLDetailsElement).open;
    this.#latest?.();
  };

  #toggle(name: string): void {
    if (!this.#hidden.delete(name)) this.#hidden.add(name);
    this.#latest?.();
  }

  dispose(): void {
    this.#disposed = true;
    this.#chart?.dispose();
    render(nothing, this.figure);
  }
}
