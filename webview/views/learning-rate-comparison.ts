// The loss of this batch after the same update with other learning rates.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { QueryValue } from '../../src/protocol/panel';
import type { Context } from '../context';
import { renderIcon, renderValue } from '../controls/number-value';
import { formatNumber } from '../../src/presentation/numbers';

/** @param answer null if it is unknown */
export function learningRateComparison(
  { sendCommand }: Context,
  answer: QueryValue<'lr_scan'> | null,
): TemplateResult | typeof nothing {
  if (!answer) return nothing;
  const { rates, losses, lr, lossBefore } = answer;
  const best = losses.reduce((at, loss, i) => (loss < losses[at]! || !Number.isFinite(losses[at]) ? i : at), 0);
  const change = (loss: number): string => (loss < lossBefore ? 'lower' : loss > lossBefore ? 'higher' : 'the same');
  return html`<section class="part">
    <div class="chart-head">
      <h2>Other learning rates</h2>
      <span class="unit"
        >loss of this batch after the same update with another rate; ${renderValue(lossBefore)} before it</span
      >
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label="Other learning rates at this step">
      <table>
        <thead>
          <tr>
            <th scope="col">lr</th>
            <th scope="col">loss after</th>
            <th scope="col">change</th>
            <th scope="col" class="text"><span class="visually-hidden">what it is</span></th>
          </tr>
        </thead>
        <tbody>
          ${[...rates].map(
            (rate, i) =>
              html`<tr class=${rate === lr ? 'selected' : ''}>
                <th scope="row">
                  <button
                    class="link"
                    title="Use this learning rate from the next step on"
                    @click=${() => sendCommand({ type: 'setLearningRate', lr: Number(rate.toPrecision(3)) })}
                  >
                    ${formatNumber(Number(rate.toPrecision(3)))}
                  </button>
                </th>
                <td>${renderValue(losses[i])}</td>
                <td>${renderValue(losses[i]! - lossBefore, { signed: true })}</td>
                <td class="text">
                  ${rate === lr ? html`<b>used</b>` : nothing}
                  ${i === best ? html`${renderIcon('arrow-down')} lowest` : html`<span class="hint">${change(losses[i]!)}</span>`}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="how">
      ${renderIcon('info')} For this batch only. The rate that lowers its loss most is often too large for other
      batches. Click a rate to use it.
    </p>
  </section>`;
}
