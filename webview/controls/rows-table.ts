// A table of the first rows of many, which scrolls, with an export of all of them.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { Context } from '../context';
import type { TableExport } from '../export/table-export';
import { formatInteger } from '../../src/presentation/numbers';
import { exportActions } from './export-actions';

/** Rows on the page. */
const MAX_ROWS = 200;

export interface RowsTable<Row> {
  /** Title of the export. */
  readonly title: string;
  /** Accessible name of the table. */
  readonly label: string;
  readonly headers: readonly string[];
  readonly rows: readonly Row[];
  /** The cells of a row, whose first is its header. */
  renderRow(row: Row): TemplateResult;
  /** The same for an export, which has all rows. */
  exportRow(row: Row): TableExport['rows'][number];
  readonly canvas?: HTMLCanvasElement | undefined;
}

export function rowsTable<Row>(context: Context, table: RowsTable<Row>): TemplateResult {
  const { title, label, headers, rows, canvas } = table;
  const exported = (): TableExport => ({ headers, rows: rows.map((row) => table.exportRow(row)) });
  return html`<p class="hint">
      ${rows.length > MAX_ROWS ? `The first ${MAX_ROWS} of ${formatInteger(rows.length)} rows. ` : nothing}${exportActions(context, { title, table: exported, canvas })}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label=${label}>
      <table>
        <thead>
          <tr>
            ${headers.map((head) => html`<th scope="col"><bdi>${head}</bdi></th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, MAX_ROWS).map(
            (row) =>
              html`<tr>
                ${table.renderRow(row)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}
