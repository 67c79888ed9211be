// The numbers behind a chart, as a table that opens on demand and can be copied whole, with every digit.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { Context } from '../context';
import type { SeriesData } from '../../src/protocol/panel';
import { takeAway } from '../controls/take-away';
import { value, valueRange } from '../controls/value';
import { formatCount } from '../numbers';
import type { Sheet } from '../sheet';

export interface Column {
  readonly name: string;
  readonly data: SeriesData | undefined;
}

/** Rows on the page; the copy has all of them. */
const MOST_ROWS = 100;

/** Every step that any column has, ascending. */
export function stepsOf(columns: readonly Column[]): number[] {
  const steps = new Set<number>();
  for (const { data } of columns) data?.steps.forEach((step) => steps.add(step));
  return [...steps].sort((a, b) => a - b);
}

/** Index of a step in a column, -1 where it has none. */
function find({ data }: Column, step: number): number {
  const steps = data?.steps ?? new Float64Array();
  let from = 0;
  let to = steps.length;
  while (from < to) {
    const half = (from + to) >> 1;
    if (steps[half] < step) from = half + 1;
    else to = half;
  }
  return steps[from] === step ? from : -1;
}

/** A row a step; a column of which some row spans several steps becomes two, of the smallest and the largest value. */
export function sheetOf(columns: readonly Column[]): Sheet {
  const wide = columns.map(({ data }) => data !== undefined && data.low.some((low, i) => !Object.is(low, data.high[i])));
  const heads = columns.flatMap(({ name }, i) => (wide[i] ? [`${name} smallest`, `${name} largest`] : [name]));
  const cells = (column: Column, i: number, step: number): (number | null)[] => {
    const at = find(column, step);
    const [low, high] = column.data && at >= 0 ? [column.data.low[at], column.data.high[at]] : [null, null];
    return wide[i] ? [low, high] : [low];
  };
  return {
    heads: ['step', ...heads],
    rows: stepsOf(columns).map((step) => [step, ...columns.flatMap((column, i) => cells(column, i, step))]),
  };
}

export class DataTable {
  #open = false;

  /** @param refresh draws the text of the chart again */
  constructor(
    readonly context: Context,
    readonly canvas: HTMLCanvasElement,
    readonly refresh: () => void,
  ) {}

  template(title: string, columns: readonly Column[]): TemplateResult {
    return html`<details class="data" @toggle=${this.#toggle}>
      <summary>Table</summary>
      ${this.#open ? this.#body(title, columns) : nothing}
    </details>`;
  }

  readonly #toggle = (event: Event): void => {
    this.#open = (event.target as HTMLDetailsElement).open;
    this.refresh();
  };

  #body(title: string, columns: readonly Column[]): TemplateResult {
    const steps = stepsOf(columns);
    const shown = steps.slice(-MOST_ROWS).reverse();
    const stride = Math.max(1, ...columns.map(({ data }) => data?.stride ?? 1));
    return html`
      <p class="hint">
        ${steps.length > shown.length ? `The latest ${shown.length} of ${formatCount(steps.length)} rows, the last first.` : 'The last step first.'}
        ${stride > 1 ? `A row spans up to ${stride} steps: their smallest and largest value.` : nothing}
        ${takeAway(this.context, { title, sheet: () => sheetOf(columns), canvas: this.canvas })}
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label=${`Table: ${title}`}>
        <table>
          <thead>
            <tr><th scope="col">step</th>${columns.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr>
          </thead>
          <tbody>
            ${shown.map(
              (step) => html`<tr>
                <th scope="row">${formatCount(step)}</th>
                ${columns.map((column) => {
                  const at = find(column, step);
                  return html`<td>${column.data && at >= 0 ? valueRange(column.data.low[at], column.data.high[at]) : value(null)}</td>`;
                })}
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
    `;
  }
}
