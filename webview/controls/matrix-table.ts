// The first rows and columns of a tensor as a matrix of buttons, each of which explains where its number comes from.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { QueryValue } from '../../src/protocol/panel';
import { formatIndex, formatShape } from '../../src/presentation/numbers';
import { unravelIndex } from '../../src/presentation/tensor-index';
import { cellMenu } from './cell-menu';
import { NO_VALUE, renderValue } from './number-value';

type StepNode = QueryValue<'step_graph'>['nodes'][number];

/**
 * @param scope whose numbers they are
 * @param expression that names the tensor, for the context menu; null if it is one sample's
 * @param onSelect receives the flat index of the entry, and the cell that shows it
 */
export function matrixTable(
  name: string,
  { shape, preview }: StepNode,
  scope: string,
  expression: string | null,
  onSelect: (index: number, cell: Element) => void,
): TemplateResult {
  const title = html`<figcaption>
    <b><bdi>${name}</bdi></b> <span class="hint number">${formatShape(shape)}</span>
    ${scope === '' ? nothing : html`<span class="hint" data-scope>· ${scope}</span>`}
  </figcaption>`;
  if (!preview)
    return html`<figure class="matrix">
      ${title}
      <p class="hint">${NO_VALUE} not computed yet</p>
    </figure>`;
  const { rows, columns, cells, totalRows, totalColumns } = preview;
  const cut = totalRows > rows || totalColumns > columns;
  return html`<figure class="matrix">
    ${title}
    <div class="scroll bracket" tabindex="0" role="region" aria-label=${name}>
      <table>
        <tbody>
          ${Array.from(
            { length: rows },
            (_, i) =>
              html`<tr>
                ${Array.from({ length: columns }, (__, j) => {
                  const index = i * totalColumns + j;
                  return html`<td>
                    <button
                      class="cell"
                      data-vscode-context=${expression === null ? nothing : cellMenu(expression, shape, index)}
                      title=${`Where does ${name}${formatIndex(unravelIndex(index, shape))} come from?`}
                      @click=${({ currentTarget }: Event) => onSelect(index, currentTarget as Element)}
                    >
                      ${renderValue(cells[i * columns + j], { signed: true })}
                    </button>
                  </td>`;
                })}${columns < totalColumns ? html`<td class="more">…</td>` : nothing}
              </tr>`,
          )}
          ${
            rows < totalRows
              ? html`<tr>
                  <td class="more">⋮</td>
                </tr>`
              : nothing
          }
        </tbody>
      </table>
    </div>
    ${cut ? html`<p class="hint">The first ${rows} × ${columns} of ${totalRows} × ${totalColumns}.</p>` : nothing}
  </figure>`;
}
