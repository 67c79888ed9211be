// Is backprop right? The outcome in one sentence, a table by parameter, and numeric derivatives against backprop.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { CheckReport, Diagnosis, ParameterCheck } from '../../src/protocol/panel';
import { ScatterChart, VERDICT_ORDER } from '../charts/scatter-chart';
import type { Context, View } from '../context';
import { renderIcon, renderValue } from '../controls/number-value';
import {
  pluralize,
  formatInteger,
  formatIndex,
  formatCompact,
  formatNumber,
  formatShape,
  formatPercent,
} from '../../src/presentation/numbers';
import { checkOutcome, formatConclusion, hasWrongGradient } from '../../src/presentation/check-summary';
import { sourceLabel } from '../../src/presentation/source-label';
import { verdictDescriptions, verdictLabel, verdictLabels } from '../../src/presentation/verdicts';
import { CheckEntry } from './check-entry';
import { CheckMap } from './check-map';

const verdictIcons = { pass: 'pass', wrong: 'error', kink: 'warning', below_noise: 'circle-slash' } as const;

export const check: View = {
  id: 'check',
  title: 'Check',
  probes: [],
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
        render(
          html`${progress(context)}${report ? outcome(context, report, map) : model && !context.data.checking ? invitation() : nothing}`,
          top,
        );
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

function progress({ data, extension }: Context): TemplateResult | typeof nothing {
  const { checking } = data;
  if (!checking) return nothing;
  const { checked, entries, counts, diagnosing } = checking;
  const found = VERDICT_ORDER.filter((verdict) => counts[verdict] > 0);
  return html`<div class="progress">
    <p>
      Checking: <span class="number">${formatInteger(checked)}</span> of
      ${pluralize(entries, 'entry', 'entries')}${diagnosing ? html`. Now checking each layer in isolation${counts.wrong > 0 ? ' to find the cause' : ''}.` : nothing}
    </p>
    <p class="so-far">
      ${found.map((verdict) => html`<span class="sign ${verdict}">${renderIcon(verdictIcons[verdict])}<span class="number">${formatInteger(counts[verdict])}</span> ${verdictLabels[verdict]}</span> `)}
    </p>
    <progress max=${Math.max(1, entries)} value=${checked} aria-label="Entries checked"></progress>
    <button class="secondary" data-action="cancelCheck" @click=${() => void extension.cancelCheck()}>Cancel</button>
  </div>`;
}

const invitation = (): TemplateResult =>
  html`<section class="empty">
    <p>
      <b>Nothing checked yet.</b> Press Check. It perturbs every entry of every parameter and compares the difference
      quotient of the loss with the gradient from backprop. Training is paused during the check.
    </p>
  </section>`;

/** Why a gradient is wrong, with links to the code. */
function diagnosisSection(diagnosis: Diagnosis, { extension }: Context): TemplateResult {
  const { layer, place, sentence } = diagnosis;
  return html`<p class="diagnosis"><b>Why:</b> ${sentence}</p>
    <p class="actions">
      <button class="secondary" @click=${() => extension.revealDiagnosis()}>Go to ${sourceLabel(diagnosis)}</button>
      ${
        place && layer !== null
          ? html`<button
              class="secondary"
              data-action="debugLayer"
              title="Replays this step and stops at the breakpoints of the layer"
              @click=${() => void extension.debugLayer(layer)}
            >
              ${renderIcon('debug-alt')} Debug <bdi>${layer}</bdi>
            </button>`
          : nothing
      }
    </p>`;
}

function outcome(context: Context, report: CheckReport, map: CheckMap): TemplateResult {
  const { data, selectLayer } = context;
  const result = checkOutcome(report);
  const tone = hasWrongGradient(report) ? 'bad' : result === 'passed' && report.complete ? 'good' : 'plain';
  const now = data.frame?.position.step ?? report.step;
  const { step, rtol, atol } = report.options;
  const { withoutPenalty } = report;
  return html`
    <p class="verdict ${tone}" role="status" data-outcome=${result}>
      ${renderIcon(tone === 'good' ? 'pass-filled' : tone === 'bad' ? 'error' : 'info')}<span
        >${formatConclusion(report, formatNumber)}</span
      >
    </p>
    ${report.diagnosis ? diagnosisSection(report.diagnosis, context) : nothing}
    <p class="hint">
      Checked at step ${formatInteger(report.step)} on
      ${pluralize(report.samples, 'sample')}${report.mode ? html`, layers in <b>${report.mode} mode</b>` : nothing},
      loss ${renderValue(report.loss)}; float64, central difference with step ${formatCompact(step)} · max(1, |w|), rtol
      ${formatCompact(rtol)}, atol ${formatCompact(atol)}.
      ${now !== report.step ? html`<b>The run is now at step ${formatInteger(now)}.</b>` : nothing}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: gradient check by parameter">
      <table class="checks">
        <thead>
          <tr>
            <th scope="col">parameter</th>
            <th scope="col" class="text">verdict</th>
            <th scope="col">worst relative error</th>
            <th scope="col">checked</th>
            ${VERDICT_ORDER.map((verdict) => html`<th scope="col" title=${verdictDescriptions[verdict]}>${verdictLabels[verdict]}</th>`)}
            ${withoutPenalty ? html`<th scope="col" class="text">without penalty</th>` : nothing}
            <th scope="col">backprop</th>
            <th scope="col">numeric</th>
          </tr>
        </thead>
        <tbody>
          ${report.parameters.map((parameter, i) => row(parameter, withoutPenalty?.parameters[i], () => chooseParameter(parameter.name)))}
        </tbody>
      </table>
    </div>
    ${isolatedChecks(report)}
  `;

  function chooseParameter(name: string): void {
    map.selectParameter(name);
    const layer = data.model?.layers.find(({ parameters }) => parameters.some((parameter) => parameter.name === name));
    if (layer) selectLayer(layer.index);
  }
}

function row(
  { name, shape, entries, checked, counts, worst, verdict }: ParameterCheck,
  without: ParameterCheck | undefined,
  select: () => void,
): TemplateResult {
  return html`<tr data-parameter=${name} class=${verdict} @click=${select}>
    <th scope="row" title=${formatShape(shape)}>${name}</th>
    <td class="text">${verdictBadge({ checked, verdict })}</td>
    <td>
      ${renderValue(worst?.relativeError)}${worst ? html` <small class="hint">at ${formatIndex(worst.index)}</small>` : nothing}
    </td>
    <td class="number" title=${`${formatInteger(checked)} of ${formatInteger(entries)}`}>
      ${formatInteger(checked)}${checked < entries ? html`<span class="of">/${formatInteger(entries)}</span>` : nothing}
    </td>
    ${VERDICT_ORDER.map((each) => html`<td class="number ${counts[each] === 0 ? 'zero' : each}">${formatInteger(counts[each])}</td>`)}
    ${without ? html`<td class="text">${verdictBadge(without)}</td>` : nothing}
    <td>${renderValue(worst?.analytic, { signed: true })}</td>
    <td>${renderValue(worst?.numeric, { signed: true })}</td>
  </tr>`;
}

const verdictBadge = (check: Pick<ParameterCheck, 'checked' | 'verdict'>): TemplateResult =>
  check.checked > 0
    ? html`<span class="sign ${check.verdict}">${renderIcon(verdictIcons[check.verdict])}${verdictLabel(check)}</span>`
    : html`<span class="hint">${verdictLabel(check)}</span>`;

/** Each layer in isolation: is its output gradient wrong, or what it computes from it? */
function isolatedChecks({ layers, autograd }: CheckReport): TemplateResult | typeof nothing {
  if (layers.length === 0) return nothing;
  return html`<section class="part">
    <div class="chart-head">
      <h2>Each layer in isolation</h2>
      <span class="unit">a random incoming gradient, compared with differences of its own forward pass</span>
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: each layer in isolation">
      <table class="checks">
        <thead>
          <tr>
            <th scope="col">layer</th>
            <th scope="col" class="text">incoming gradient</th>
            <th scope="col" class="text">computed gradients</th>
            <th scope="col">worst relative error</th>
          </tr>
        </thead>
        <tbody>
          ${layers.map(
            ({ name, kind, arriving, tensors, overwrites }) =>
              html`<tr data-alone=${name ?? 'loss'}>
                <th scope="row">${name ?? kind}</th>
                <td class="text">
                  ${name === null ? '–' : arriving === null ? 'right' : html`<span class="sign wrong">${renderIcon('error')}wrong, from <bdi>${arriving}</bdi></span>`}
                </td>
                <td class="text">
                  ${tensors.map(
                    (tensor) =>
                      html`<span class="tensor"
                        >${tensor.name === 'input' || tensor.name === 'prediction' ? `dL/d ${tensor.name}` : tensor.name}
                        ${verdictBadge(tensor)}</span
                      >`,
                  )}${overwrites.length > 0 ? html`<span class="sign wrong">${renderIcon('error')}overwrites ${overwrites.join(', ')}</span>` : nothing}
                </td>
                <td>${renderValue(Math.max(...tensors.map(({ worst }) => worst?.relativeError ?? 0)))}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${autograd ? autogradComparison(autograd) : nothing}
  </section>`;
}

/**
 * Layers with a manual backward that autograd can differentiate: the largest differences between the three gradients.
 */
const autogradComparison = (autograd: NonNullable<CheckReport['autograd']>): TemplateResult => html`
  <p class="hint">
    Gradients of custom layers with a manual backward, computed in three ways. The difference of two of them relative to
    the largest entry:
  </p>
  <div class="scroll" tabindex="0" role="region" aria-label="Table: manual backward, autograd and numeric">
    <table class="checks">
      <thead>
        <tr>
          <th scope="col">gradient</th>
          <th scope="col">manual, autograd</th>
          <th scope="col">manual, numeric</th>
          <th scope="col">autograd, numeric</th>
        </tr>
      </thead>
      <tbody>
        ${autograd.map(
          ({ layer, tensor, writtenAutograd, writtenNumeric, autogradNumeric }) =>
            html`<tr data-three-ways=${`${layer}.${tensor}`}>
              <th scope="row">${layer}.${tensor}</th>
              <td>${renderValue(writtenAutograd)}</td>
              <td>${renderValue(writtenNumeric)}</td>
              <td>${renderValue(autogradNumeric)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>
  ${autograd.map(({ sentence }) => (sentence ? html`<p class="diagnosis">${sentence}</p>` : nothing))}
`;

function explanation(report: CheckReport | null): TemplateResult {
  const share = (count: number): string =>
    report && report.checked > 0 ? ` (${formatPercent(count / report.checked)})` : '';
  return html`<dl class="meanings">
    ${VERDICT_ORDER.map(
      (verdict) =>
        html`<div>
          <dt class="sign ${verdict}">${renderIcon(verdictIcons[verdict])}${verdictLabels[verdict]}</dt>
          <dd>
            ${verdictDescriptions[verdict]}${report ? html` <span class="hint">${formatInteger(report.counts[verdict])}${share(report.counts[verdict])}</span>` : nothing}
          </dd>
        </div>`,
    )}
  </dl>`;
}
