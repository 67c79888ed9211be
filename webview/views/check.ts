// Is backprop right? The verdict in one sentence, a table by parameter, and numeric against backprop.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { CheckReport, ParameterCheck } from '../../src/protocol/panel';
import { ScatterChart, VERDICT_ORDER } from '../charts/scatter-chart';
import type { Context, View } from '../context';
import { icon, value } from '../controls/value';
import { counted, formatCount, formatIndex, formatRound, formatShape, formatShare } from '../numbers';
import { verdictMeanings, verdictNames, verdictSentence } from '../words';

const verdictIcons = { pass: 'pass', wrong: 'error', kink: 'warning', below_noise: 'circle-slash' } as const;

export const check: View = {
  id: 'check',
  title: 'Check',
  needs: [],
  mount(host, context) {
    const [top, plot, below] = [document.createElement('div'), document.createElement('figure'), document.createElement('div')];
    host.append(top, plot, below);
    let scatter: ScatterChart | null = null;
    let drawn: { report: CheckReport; theme: number } | null = null;
    return {
      update(text) {
        const { check: report, model } = context.data;
        const { version } = context.theme;
        plot.hidden = report === null;
        if (report && (report !== drawn?.report || version !== drawn.theme)) {
          scatter ??= new ScatterChart(plot, context);
          scatter.update(report);
          drawn = { report, theme: version };
        }
        if (!text) return;
        render(html`${progress(context)}${report ? outcome(context, report) : model && !context.data.checking ? invitation() : nothing}`, top);
        render(explanation(report), below);
      },
      dispose() {
        scatter?.dispose();
        render(nothing, top);
        render(nothing, below);
      },
    };
  },
};

function progress({ data, send }: Context): TemplateResult | typeof nothing {
  const { checking } = data;
  if (!checking) return nothing;
  const { checked, entries } = checking;
  return html`<div class="progress">
    <p>Checking: <span class="number">${formatCount(checked)}</span> of ${counted(entries, 'entry', 'entries')}</p>
    <progress max=${Math.max(1, entries)} value=${checked} aria-label="Entries checked"></progress>
    <button class="secondary" data-action="cancelCheck" @click=${() => send({ type: 'cancelCheck' })}>Cancel</button>
  </div>`;
}

const invitation = (): TemplateResult => html`<section class="empty">
  <p><b>Nothing checked yet.</b> Press Check: every entry of every parameter is moved a little up and down, and the change of the
  loss, divided by the move, is compared with what backprop says. Training waits meanwhile.</p>
</section>`;

function outcome({ data, select }: Context, report: CheckReport): TemplateResult {
  const { tone, text } = verdictSentence(report);
  const now = data.frame?.position.step ?? report.step;
  const { step, rtol, atol } = report.options;
  return html`
    <p class="verdict ${tone}" role="status">${icon(tone === 'good' ? 'pass-filled' : tone === 'bad' ? 'error' : 'info')}<span>${text}</span></p>
    ${report.diagnosis ? html`<p class="diagnosis"><b>Why:</b> ${report.diagnosis.sentence}</p>` : nothing}
    <p class="hint">
      Checked at step ${formatCount(report.step)} on ${counted(report.samples, 'sample')}${report.mode ? html`, layers in <b>${report.mode} mode</b>` : nothing}, loss ${value(report.loss)}; float64, central
      difference with step ${formatRound(step)} · max(1, |w|), rtol ${formatRound(rtol)}, atol ${formatRound(atol)}.
      ${now !== report.step ? html`<b>The run now stands at step ${formatCount(now)}.</b>` : nothing}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: gradient check by parameter"><table class="checks">
      <thead><tr>
        <th scope="col">parameter</th><th scope="col" class="text">verdict</th><th scope="col">worst relative error</th><th scope="col">checked</th>
        ${VERDICT_ORDER.map((verdict) => html`<th scope="col" title=${verdictMeanings[verdict]}>${verdictNames[verdict]}</th>`)}
        <th scope="col" class="text">worst at</th><th scope="col">backprop</th><th scope="col">numeric</th>
      </tr></thead>
      <tbody>${report.parameters.map((parameter) => row(parameter, () => selectLayer(parameter.name)))}</tbody>
    </table></div>
  `;

  function selectLayer(name: string): void {
    const layer = data.model?.layers.find(({ parameters }) => parameters.some((parameter) => parameter.name === name));
    if (layer) select(layer.index);
  }
}

function row({ name, shape, entries, checked, counts, worst, verdict }: ParameterCheck, select: () => void): TemplateResult {
  return html`<tr data-parameter=${name} class=${verdict} @click=${select}>
    <th scope="row" title=${formatShape(shape)}>${name}</th>
    <td class="text">${
      checked > 0 ? html`<span class="sign ${verdict}">${icon(verdictIcons[verdict])}${verdictNames[verdict]}</span>` : html`<span class="hint">not checked</span>`
    }</td>
    <td>${value(worst?.relativeError)}</td>
    <td class="number" title=${`${formatCount(checked)} of ${formatCount(entries)}`}>${formatCount(checked)}${checked < entries ? html`<span class="of">/${formatCount(entries)}</span>` : nothing}</td>
    ${VERDICT_ORDER.map((each) => html`<td class="number ${counts[each] === 0 ? 'zero' : each}">${formatCount(counts[each])}</td>`)}
    <td class="text number">${worst ? formatIndex(worst.index) : '–'}</td>
    <td>${value(worst?.analytic, { signed: true })}</td>
    <td>${value(worst?.numeric, { signed: true })}</td>
  </tr>`;
}

function explanation(report: CheckReport | null): TemplateResult {
  const share = (count: number): string => (report && report.checked > 0 ? ` (${formatShare(count / report.checked)})` : '');
  return html`<dl class="meanings">
    ${VERDICT_ORDER.map(
      (verdict) => html`<div>
        <dt class="sign ${verdict}">${icon(verdictIcons[verdict])}${verdictNames[verdict]}</dt>
        <dd>${verdictMeanings[verdict]}${report ? html` <span class="hint">${formatCount(report.counts[verdict])}${share(report.counts[verdict])}</span>` : nothing}</dd>
      </div>`,
    )}
  </dl>`;
}
