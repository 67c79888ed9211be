// A step of a run as one HTML file that opens anywhere: no script, nothing from outside, and a policy that allows neither.
import { counted } from '../gradcheck/words';
import { createHash } from 'node:crypto';
import type { CheckReport } from '../gradcheck/report';
import { type HistoryData, seriesName } from '../history/history';
import type { Frame, LayerReading, ModelInfo, Part, Phase } from '../session/frame';
import { type Curve, curves } from './curves';
import { html, Html, name } from './html';
import { count, number } from './numbers';
import { style } from './style';
import { activationTable, checkSection, modelTable, parameterTable, partsTable, type PartValues } from './tables';

export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly remedy: string;
  /** Counted from 1. */
  readonly line: number;
}

export interface ReportParts {
  /** Name of the spec's file. */
  readonly file: string;
  /** The spec. */
  readonly text: string;
  /** Of Nablascope. */
  readonly version: string;
  readonly model: ModelInfo;
  readonly frame: Frame;
  /** Of every layer at the frame's position; what was not measured is null in it. */
  readonly readings: readonly LayerReading[];
  readonly history: HistoryData;
  readonly check: CheckReport | null;
  readonly findings: readonly Finding[];
}

const PARTS: readonly Part[] = ['train', 'validation', 'test'];

export function reportHtml(parts: ReportParts): string {
  const { file, model, frame, readings, check, findings, text } = parts;
  const hash = createHash('sha256').update(style).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const { nonFinite } = frame;
  const page = html`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>${model.name} – Nablascope report</title>
<style>${new Html(style)}</style></head>
<body><main>
<h1>${name(model.name)}</h1><p class="note">${name(file)}, a report of Nablascope ${parts.version}</p>
${standing(parts)}
${partial(parts)}
<h2>Loss</h2>
${partsTable(partsOf(parts))}
${charts(parts)}
<h2>Findings</h2>
${nonFinite ? html`<p class="bad">In step ${nonFinite.step}, ${name(nonFinite.where)}: ${nonFinite.tensor} was the first to become ${String(nonFinite.value)}. ${nonFinite.remedy}</p>` : null}
${findings.length > 0 ? html`<ul>${findings.map(({ severity, message, remedy, line }) => html`<li><strong>${severity}, line ${line}:</strong> ${name(message)} ${name(remedy)}</li>`)}</ul>` : nonFinite ? null : html`<p>Nothing was found in the spec that speaks against it.</p>`}
<h2>Model</h2>
${modelTable(model)}
<h2>Layers at this step</h2>
${activationTable(model, readings)}
<h2>Parameters at this step</h2>
${parameterTable(model, readings)}
${check ? checkSection(check) : html`<h2>Gradient check</h2><p>The gradients of this run were not checked.</p>`}
<h2>Spec</h2>
<pre tabindex="0" aria-label="Text of the spec">${text}</pre>
</main></body></html>
`;
  return page.text;
}

const phaseWords = (phase: Phase, { layers }: ModelInfo): Html =>
  phase.kind === 'forward' || phase.kind === 'backward' ? html`${phase.kind} ${name(layers[phase.layer].name)}` : html`${phase.kind.replace('_', ' ')}`;

function standing({ model, frame }: ReportParts): Html {
  const { step, phase } = frame.position;
  const facts: readonly (readonly [string, Html])[] = [
    ['steps done', html`${count(step)} of ${count(model.totalSteps)}`],
    ...(phase > 0 ? [['in the next step, after', phaseWords(model.phases[phase - 1], model)] as const] : []),
    ['epoch', html`${count(frame.place.epoch)}, batch ${count(frame.place.batch)} of ${count(model.batchesPerEpoch)}`],
    ['state', html`${frame.status}`],
    ['loss of the batch', number(frame.loss)],
    ['accuracy of the batch', number(frame.accuracy)],
    ['learning rate', number(frame.lr)],
    ['loss', html`${model.loss.kind}`],
    ['optimizer', html`${model.optimizer.kind}`],
    ['batch size', count(model.batchSize)],
    ['seed', html`<data value="${model.seed}">${model.seed}</data>`],
    ['precision', html`${model.precision}`],
    ['kernels', html`${model.backend}`],
  ];
  return html`<dl>${facts.map(([term, fact]) => html`<div><dt>${term}</dt><dd>${fact}</dd></div>`)}</dl>`;
}

/** Of a run that is not at its end, or stands within a step: how much of it this is. */
function partial({ model, frame }: ReportParts): Html | null {
  const { step, phase } = frame.position;
  if (step >= model.totalSteps && phase === 0) return null;
  const within = phase > 0 ? html` It stands within step ${count(step + 1)}: what the phases after “${phaseWords(model.phases[phase - 1], model)}” compute is not in it.` : null;
  return html`<p class="partial"><strong>A part of the run:</strong> ${count(step)} of its ${counted(model.totalSteps, 'step')} ${step === 1 ? 'was' : 'were'} done${frame.status === 'running' ? html`, and it was training when this was written` : null}.${within}</p>`;
}

/** Evaluated here, or where it was last before. */
function partsOf({ model, frame, history }: ReportParts): PartValues[] {
  const { step } = frame.position;
  return PARTS.filter((part) => model.samples[part] > 0).map((part) => {
    const samples = model.samples[part];
    const here = frame.evaluation[part];
    if (here) return { part, samples, step, ...here };
    const loss = lastOf(history[seriesName.loss(part)], step);
    return { part, samples, step: loss?.step ?? null, loss: loss?.value ?? null, accuracy: lastOf(history[seriesName.accuracy(part)], step)?.value ?? null };
  });
}

/** The value at the last step up to this one; null where only a range of several steps is known. */
function lastOf(data: HistoryData[string] | undefined, step: number): { readonly step: number; readonly value: number } | null {
  const at = data ? data.steps.findLastIndex((each) => each <= step) : -1;
  return data && at >= 0 && Object.is(data.low[at], data.high[at]) ? { step: data.steps[at], value: data.low[at] } : null;
}

function charts({ model, frame, history }: ReportParts): Html {
  const end = Math.max(1, frame.frontier, frame.position.step);
  const of = (label: string, series: string): Curve => ({ name: label, data: (history as Partial<HistoryData>)[series] });
  const trained = model.layers.flatMap(({ parameters }) => parameters);
  const losses = [of('batch', seriesName.batchLoss), ...PARTS.map((part) => of(part, seriesName.loss(part)))];
  const accuracies = [of('batch', seriesName.batchAccuracy), ...PARTS.map((part) => of(part, seriesName.accuracy(part)))];
  const gradients = trained.map((parameter) => of(parameter.name, seriesName.parameterGradient(parameter.name)));
  const updates = trained.map((parameter) => of(parameter.name, seriesName.updateRatio(parameter.name)));
  return html`${curves(losses, { title: 'Loss', unit: model.loss.kind, logarithmic: false, end })}
${curves(accuracies, { title: 'Accuracy', unit: 'share that is right', logarithmic: false, end })}
${curves(gradients, { title: 'Gradient norms', unit: 'Euclidean norm of dL/d parameter', logarithmic: true, end })}
${curves(updates, { title: 'Update to weight', unit: '‖update‖ / ‖weights‖', logarithmic: true, end })}`;
}
