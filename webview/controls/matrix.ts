// A tensor's corner as a matrix with numbers, each a button that asks why it is what it is.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { AnswerTo } from '../../src/protocol/panel';
import { formatIndex, formatShape } from '../numbers';
import { indexOf } from '../step-words';
import { NOTHING, value } from './value';

type Node = AnswerTo<'nodes'>['nodes'][number];

/** @param choose gets the entry's place in the flat tensor */
export function matrix(name: string, { shape, corner }: Node, choose: (index: number) => void, chosen: number | null): TemplateResult {
  const title = html`<figcaption><b><bdi>${name}</bdi></b> <span class="hint number">${formatShape(shape)}</span></figcaption>`;
  if (!corner) return html`<figure class="matrix">${title}<p class="hint">${NOTHING} not computed yet</p></figure>`;
  const { rows, columns, cells, allRows, allColumns } = corner;
  const cut = allRows > rows || allColumns > columns;
  return html`<figure class="matrix">${title}
    <div class="scroll bracket" tabindex="0" role="region" aria-label=${name}><table><tbody>
      ${Array.from({ length: rows }, (_, i) => html`<tr>${Array.from({ length: columns }, (__, j) => {
        const index = i * allColumns + j;
        return html`<td class=${index === chosen ? 'selected' : ''}><button class="cell" title=${`Why ${name}${formatIndex(indexOf(shape, index))}?`}
          @click=${() => choose(index)}>${value(cells[i * columns + j], { signed: true })}</button></td>`;
      })}${columns < allColumns ? html`<td class="more">…</td>` : nothing}</tr>`)}
      ${rows < allRows ? html`<tr><td class="more">⋮</td></tr>` : nothing}
    </tbody></table></div>
    ${cut ? html`<p class="hint">The first ${rows} × ${columns} of ${allRows} × ${allColumns}.</p>` : nothing}
  </figure>`;
}
