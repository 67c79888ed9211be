// Is backprop right? The verdict in one sentence, a table by parameter, and numeric against backprop.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { CheckReport, ParameterCheck, Verdict } from '../../src/protocol/panel';
import { ScatterChart, VERDICT_ORDER } from '../charts/scatter-chart';
import type { Context, View } from '../context';
import { icon, value } from '../controls/value';
import { counted, formatCount, formatIndex, formatRound, formatShape, formatShare } from '../numbers';
import { verdictMeanings, verdictNames, verdictSentence } from '../words';
import { CheckEntry } from './check-entry';
import { CheckMap } from './check-map';

const verdictIcons = { pass: 'pass', wrong: 'error', kink: 'warning', below_noise: 'circle-slash' } as const;

export const check: View = {
  id: 'check',
  title: 'Check',
  needs: [],
  mount(host, context) {
    const part = (tag: string): HTMLElement => host.appendChild(document.createElement(tag));
    const [top, where, one, plot, below] = [part('div'), part('section'), part('section'), part('figure'), part('div')];
    where.className = 'part';
    const entry = new CheckEntry(one, context);
    const open = (parameter: string, index: number): void => entry.show(parameter, index);
    const map = new CheckMap(where, context, open);
    let scatter: ScatterChart | null = null;
    let drawn: { report: CheckReport; theme: number } | null = null;
    return {
      update(text) {
        const { check: report, model } = context.data;
        const { version } = context.theme;
        plot.hidden = report === null;
        if (report && (report !== drawn?.report || version !== drawn.theme)) {
          scatter ??= new ScatterChart(plot, context, open);
          scatter.update(report);
          if (report === drawn?.report) entry.draw();
          else entry.close();
          drawn = { report, theme: version };
        }
        map.update(report, text);
        if (!text) return;
        render(html`${progress(context)}${report ? outcome(context, report, map) : model && !context.data.checking ? invitation() : nothing}`, top);
        render(explanation(report), below);
      },
      dispose() {
        scatter?.dispose();
        map.dispose();
        entry.dispose();
        render(nothing, top);
        render(nothing, below);
      },
    };
  },
};

function progress({ data, send }: Context): TemplateResult | typeof nothing {
  const { checking } = data;
  if (!checking) return nothing;
  const { checked, entries, counts, explaining } = checking;
  const found = VERDICT_ORDER.filter((verdict) => counts[verdict] > 0);
  return html`<div class="progress">
    <p>Checking: <span class="number">${formatCount(checked)}</span> of ${counted(entries, 'entry', 'entries')}${explaining ? html`. Now each layer is tried alone${counts.wrong > 0 ? ', to find out why' : ''}.` : nothing}</p>
    <p class="so-far">${found.map((verdict) => html`<span class="sign ${verdict}">${icon(verdictIcons[verdict])}<span class="number">${formatCount(counts[verdict])}</span> ${verdictNames[verdict]}</span> `)}</p>
    <progress max=${Math.max(1, entries)} value=${checked} aria-label="Entries checked"></progress>
    <button class="secondary" data-action="cancelCheck" @click=${() => send({ type: 'cancelCheck' })}>Cancel</button>
  </div>`;
}

const invitation = (): TemplateResult => html`<section class="empty">
  <p><b>Nothing checked yet.</b> Press Check: every entry of every parameter is moved a little up and down, and the change of the
  loss, divided by the move, is compared with what backprop says. Training waits meanwhile.</p>
</section>`;

function outcome({ data, select }: Context, report: CheckReport, map: CheckMap): TemplateResult {
  const { tone, text } = verdictSentence(report);
  const now = data.frame?.position.step ?? report.step;
  const { step, rtol, atol } = report.options;
  const { withoutPenalty } = report;
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
        ${withoutPenalty ? html`<th scope="col" class="text">without penalty</th>` : nothing}
        <th scope="col" class="text">worst at</th><th scope="col">backprop</th><th scope="col">numeric</th>
      </tr></thead>
      <tbody>${report.parameters.map((parameter, i) => row(parameter, withoutPenalty?.parameters[i], () => chooseParameter(parameter.name)))}</tbody>
    </table></div>
    ${alone(report)}
  `;

  function chooseParameter(name: string): void {
    map.choose(name);
    const layer = data.model?.layers.find(({ parameters }) => parameters.some((parameter) => parameter.name === name));
    if (layer) select(layer.index);
  }
}

function row({ name, shape, entries, checked, counts, worst, verdict }: ParameterCheck, without: ParameterCheck | undefined, select: () => void): TemplateResult {
  return html`<tr data-parameter=${name} class=${verdict} @click=${select}>
    <th scope="row" title=${formatShape(shape)}>${name}</th>
    <td class="text">${
      sign(checked, verdict)
    }</td>
    <td>${value(worst?.relativeError)}</td>
    <td class="number" title=${`${formatCount(checked)} of ${formatCount(entries)}`}>${formatCount(checked)}${checked < entries ? html`<span class="of">/${formatCount(entries)}</span>` : nothing}</td>
    ${VERDICT_ORDER.map((each) => html`<td class="number ${counts[each] === 0 ? 'zero' : each}">${formatCount(counts[each])}</td>`)}
    ${without ? html`<td class="text">${sign(without.checked, without.verdict)}</td>` : nothing}
    <td class="text number">${worst ? formatIndex(worst.index) : '–'}</td>
    <td>${value(worst?.analytic, { signed: true })}</td>
    <td>${value(worst?.numeric, { signed: true })}</td>
  </tr>`;
}

const sign = (checked: number, verdict: Verdict): TemplateResult =>
  checked > 0 ? html`<span class="sign ${verdict}">${icon(verdictIcons[verdict])}${verdictNames[verdict]}</span>` : html`<span class="hint">not checked</span>`;

/** Each layer by itself: is the signal that arrives wrong, or what the layer makes of it? */
function alone({ layers, autograd }: CheckReport): TemplateResult | typeof nothing {
  if (layers.length === 0) return nothing;
  return html`<section class="part">
    <div class="chart-head"><h2>Each layer alone</h2><span class="unit">a random gradient from above, against differences of its own forward</span></div>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: each layer alone"><table class="checks">
      <thead><tr><th scope="col">layer</th><th scope="col" class="text">signal that arrives</th><th scope="col" class="text">what it makes of it</th><th scope="col">worst relative error</th></tr></thead>
      <tbody>${layers.map(
        ({ name, kind, arriving, tensors, overwrites }) => html`<tr data-alone=${name ?? 'loss'}>
          <th scope="row">${name ?? kind}</th>
          <td class="text">${name === null ? '–' : arriving === null ? 'right' : html`<span class="sign wrong">${icon('error')}wrong, from <bdi>${arriving}</bdi></span>`}</td>
          <td class="text">${tensors.map(
            (tensor) => html`<span class="tensor">${tensor.name === 'input' || tensor.name === 'prediction' ? `dL/d ${tensor.name}` : tensor.name} ${sign(tensor.checked, tensor.verdict)}</span>`,
          )}${overwrites.length > 0 ? html`<span class="sign wrong">${icon('error')}overwrites ${overwrites.join(', ')}</span>` : nothing}</td>
          <td>${value(Math.max(...tensors.map(({ worst }) => worst?.relativeError ?? 0)))}</td>
        </tr>`,
      )}</tbody>
    </table></div>
    ${autograd ? threeWays(autograd) : nothing}
  </section>`;
}

/** Layers with a written backward that autograd can follow: how far apart the three gradients are. */
const threeWays = (autograd: NonNullable<CheckReport['autograd']>): TemplateResult => html`
  <p class="hint">Of layers with a backward of their own, the gradients three ways: as written, by autograd, by differences. How far two are apart, as a share of the largest number:</p>
  <div class="scroll" tabindex="0" role="region" aria-label="Table: written backward, autograd and numeric"><table class="checks">
    <thead><tr><th scope="col">gradient</th><th scope="col">written, autograd</th><th scope="col">written, numeric</th><th scope="col">autograd, numeric</th></tr></thead>
    <tbody>${autograd.map(
      ({ layer, tensor, writtenAutograd, writtenNumeric, autogradNumeric }) => html`<tr data-three-ways=${`${layer}.${tensor}`}>
        <th scope="row">${layer}.${tensor}</th><td>${value(writtenAutograd)}</td><td>${value(writtenNumeric)}</td><td>${value(autogradNumeric)}</td>
      </tr>`,
    )}</tbody>
  </table></div>
  ${autograd.map(({ sentence }) => (sentence ? html`<p class="diagnosis">${sentence}</p>` : nothing))}
`;

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
