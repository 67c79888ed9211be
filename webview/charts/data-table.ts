// The numbers behind a chart, as a table that opens on demand and can be copied whole, with every digit.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { Context } from '../context';
import type { SeriesData } from '../../src/protocol/panel';
import { icon, value, valueRange } from '../controls/value';
import { formatCount, fullNumber } from '../numbers';

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

/** Tab-separated, with a heading; where a row spans several steps, smallest and largest value. */
export function asText(columns: readonly Column[]): string {
  const row = (step: number): string => {
    const cells = columns.map((column) => {
      const at = find(column, step);
      if (!column.data || at < 0) return '';
      const [low, high] = [column.data.low[at], column.data.high[at]];
      return Object.is(low, high) ? fullNumber(low) : `${fullNumber(low)} ${fullNumber(high)}`;
    });
    return [step, ...cells].join('\t');
  };
  return [['step', ...columns.map(({ name }) => name)].join('\t'), ...stepsOf(columns).map(row)].join('\n');
}

export class DataTable {
  #open = false;

  /** @param refresh draws the text of the chart again */
  constructor(
    readonly context: Context,
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
        <button class="quiet" @click=${() => this.context.send({ type: 'copy', text: asText(columns) })}>
          ${icon('copy')} Copy all
        </button>
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
