// What other learning rates would have done at this step, as bars over a logarithmic axis of rates.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { AnswerTo } from '../../src/protocol/panel';
import type { Context } from '../context';
import { icon, value } from '../controls/value';
import { formatNumber } from '../numbers';

/** @param answer null where it is not known. */
export function otherRates({ command }: Context, answer: AnswerTo<'other_rates'> | null): TemplateResult | typeof nothing {
  if (!answer) return nothing;
  const { rates, losses, lr, before } = answer;
  const best = losses.reduce((at, loss, i) => (loss < losses[at] || !Number.isFinite(losses[at]) ? i : at), 0);
  const change = (loss: number): string => (loss < before ? 'lower' : loss > before ? 'higher' : 'the same');
  return html`<section class="part">
    <div class="chart-head"><h2>Other learning rates</h2><span class="unit">loss of this batch after this very update, made longer or shorter; ${value(before)} before it</span></div>
    <div class="scroll" tabindex="0" role="region" aria-label="Other learning rates at this step"><table>
      <thead><tr><th scope="col">lr</th><th scope="col">loss after</th><th scope="col">change</th><th scope="col" class="text"><span class="unseen">what it is</span></th></tr></thead>
      <tbody>${[...rates].map((rate, i) => html`<tr class=${rate === lr ? 'selected' : ''}>
        <th scope="row"><button class="link" title="Set this learning rate from here on" @click=${() => command({ type: 'setLearningRate', lr: Number(rate.toPrecision(3)) })}>${formatNumber(Number(rate.toPrecision(3)))}</button></th>
        <td>${value(losses[i])}</td>
        <td>${value(losses[i] - before, { signed: true })}</td>
        <td class="text">${rate === lr ? html`<b>the step’s own</b>` : nothing} ${i === best ? html`${icon('arrow-down')} lowest` : html`<span class="hint">${change(losses[i])}</span>`}</td>
      </tr>`)}</tbody>
    </table></div>
    <p class="how">${icon('info')} For this batch alone: the rate that lowers its loss most is often too large for all the others. A click sets a rate from here on.</p>
  </section>`;
}
