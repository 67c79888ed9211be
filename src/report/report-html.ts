// A step of a run as one HTML file that opens anywhere: no script, no external resources, and a content security policy
// that allows neither.
import type { LayerStats } from '../protocol/layer-stats';
import type { SplitName } from '../protocol/position';
import type { CheckReport } from '../protocol/check-report';
import type { Frame } from '../protocol/frame';
import type { ModelInfo } from '../protocol/model-info';
import { describeNonFinite } from '../presentation/non-finite';
import { formatObjective, lossShares, lossUnit, weightedName } from '../presentation/loss-shares';
import { phaseLabel } from '../presentation/phases';
import { pluralize } from '../presentation/numbers';
import { type HistoryData, seriesName } from '../history/history';
import { type Curve, curvesFigure } from './curves';
import { html, type Html, isolate } from './html';
import { countHtml, numberHtml } from './numbers';
import { reportPage } from './page';
import { activationTable, checkSection, modelTable, parameterTable, splitsTable, type SplitMetrics } from './tables';

/** A problem of the spec. */
export interface SpecFinding {
  readonly severity: 'error' | 'warning' | 'information';
  readonly message: string;
  readonly remedy: string;
  /** Counted from 1. */
  readonly line: number;
}

export interface ReportInput {
  /** Name of the spec's file. */
  readonly file: string;
  /** The text of the spec. */
  readonly text: string;
  /** Version of Nablascope. */
  readonly version: string;
  readonly model: ModelInfo;
  readonly frame: Frame;
  /** The statistics of every layer at the frame's position; null where not measured. */
  readonly layerStats: readonly LayerStats[];
  readonly history: HistoryData;
  readonly check: CheckReport | null;
  readonly findings: readonly SpecFinding[];
}

const SPLITS: readonly SplitName[] = ['train', 'validation', 'test'];

export function reportHtml(parts: ReportInput): string {
  const { file, model, frame, layerStats, check, text } = parts;
  const { nonFinite } = frame;
  const main = html`<h1>${isolate(model.name)}</h1>
    <p class="note">${isolate(file)}, a report of Nablascope ${parts.version}</p>
    ${statusSection(parts)} ${partialRunNotice(parts)}
    <h2>Loss</h2>
    ${splitsTable(splitMetrics(parts))} ${curvesSection(parts)}
    <h2>Findings</h2>
    ${nonFinite ? html`<p class="bad">Diverged in step ${nonFinite.step}: ${isolate(describeNonFinite(nonFinite))}</p>` : null}
    ${findingList(parts)}
    <h2>Model</h2>
    ${modelTable(model)}
    <h2>Layers at this step</h2>
    ${activationTable(model, layerStats)}
    <h2>Parameters at this step</h2>
    ${parameterTable(model, layerStats)}
    ${
      check
        ? checkSection(check)
        : html`<h2>Gradient check</h2>
            <p>The gradients of this run were not checked.</p>`
    }
    <h2>Spec</h2>
    <pre tabindex="0" aria-label="Text of the spec">${text}</pre>`;
  return reportPage({ title: `${model.name} – Nablascope report`, main });
}

function statusSection({ model, frame }: ReportInput): Html {
  const { step, phase } = frame.position;
  const facts: readonly (readonly [string | Html, Html])[] = [
    ['steps done', html`${countHtml(step)} of ${countHtml(model.totalSteps)}`],
    ...(phase > 0 ? [['in the next step, after', isolate(phaseLabel(model, model.phases[phase - 1]!))] as const] : []),
    [
      'epoch',
      html`${countHtml(frame.batchPosition.epoch)}, batch ${countHtml(frame.batchPosition.batch)} of
      ${countHtml(model.batchesPerEpoch)}`,
    ],
    ['state', html`${frame.status}`],
    ['loss of the batch', numberHtml(frame.loss)],
    ...lossShares(model, frame.losses).map((each) => [isolate(weightedName(each)), numberHtml(each.share)] as const),
    ['accuracy of the batch', numberHtml(frame.accuracy)],
    ['learning rate', numberHtml(frame.lr)],
    ['loss', isolate(formatObjective(model))],
    ['optimizer', html`${model.optimizer.kind}`],
    ['batch size', countHtml(model.batchSize)],
    ['seed', html`<data value="${model.seed}">${model.seed}</data>`],
    ['precision', html`${model.precision}`],
    ['kernels', html`${model.backend}`],
  ];
  return html`<dl>
    ${facts.map(
      ([term, fact]) =>
        html`<div>
          <dt>${term}</dt>
          <dd>${fact}</dd>
        </div>`,
    )}
  </dl>`;
}

/** For a run that is not at its end, or is within a step: which part of it this is. */
function partialRunNotice({ model, frame }: ReportInput): Html | null {
  const { step, phase } = frame.position;
  if (step >= model.totalSteps && phase === 0) return null;
  const within =
    phase > 0
      ? html` It is within step ${countHtml(step + 1)}: what the phases after
        “${isolate(phaseLabel(model, model.phases[phase - 1]!))}” compute is not included.`
      : null;
  return html`<p class="partial">
    <strong>Unfinished run:</strong> ${countHtml(step)} of its ${pluralize(model.totalSteps, 'step')}
    ${step === 1 ? 'was' : 'were'}
    done${frame.status === 'running' ? html`, and it was training when this was written` : null}.${within}
  </p>`;
}

/** Evaluated at this step, or at the last one before it. */
function splitMetrics({ model, frame, history }: ReportInput): SplitMetrics[] {
  const { step } = frame.position;
  return SPLITS.filter((part) => model.samples[part] > 0).map((part) => {
    const samples = model.samples[part];
    const here = frame.evaluation[part];
    const largestClass = model.largestClass?.[part] ?? null;
    if (here) return { split: part, samples, largestClass, step, ...here };
    const loss = lastValue(history[seriesName.loss(part)], step);
    return {
      split: part,
      samples,
      largestClass,
      step: loss?.step ?? null,
      loss: loss?.value ?? null,
      accuracy: lastValue(history[seriesName.accuracy(part)], step)?.value ?? null,
    };
  });
}

/** The value at the last step up to this one; null if only a range over several steps is known. */
function lastValue(
  data: HistoryData[string] | undefined,
  step: number,
): { readonly step: number; readonly value: number } | null {
  const at = data ? data.steps.findLastIndex((each) => each <= step) : -1;
  return data && at >= 0 && Object.is(data.low[at], data.high[at])
    ? { step: data.steps[at]!, value: data.low[at]! }
    : null;
}

function curvesSection({ model, frame, history }: ReportInput): Html {
  const end = Math.max(1, frame.furthestStep, frame.position.step);
  const of = (label: string, series: string): Curve => ({
    name: label,
    data: (history as Partial<HistoryData>)[series],
  });
  const trained = model.layers.flatMap(({ parameters }) => parameters);
  const losses = [of('batch', seriesName.batchLoss), ...SPLITS.map((part) => of(part, seriesName.loss(part)))];
  const accuracies = [
    of('batch', seriesName.batchAccuracy),
    ...SPLITS.map((part) => of(part, seriesName.accuracy(part))),
  ];
  const gradients = trained.map((parameter) => of(parameter.name, seriesName.parameterGradient(parameter.name)));
  const updates = trained.map((parameter) => of(parameter.name, seriesName.updateRatio(parameter.name)));
  return html`${curvesFigure(losses, { title: 'Loss', unit: model.losses ? lossUnit(model) : model.loss.kind, logarithmic: false, end })}
  ${curvesFigure(accuracies, { title: 'Accuracy', unit: 'share that is correct', logarithmic: false, end })}
  ${curvesFigure(gradients, { title: 'Gradient norms', unit: 'Euclidean norm of dL/d parameter', logarithmic: true, end })}
  ${curvesFigure(updates, { title: 'Update to weight', unit: '‖update‖ / ‖weights‖', logarithmic: true, end })}`;
}

/** Those of the spec, then those of the run, causes before effects. */
function findingList({ findings, frame }: ReportInput): Html | null {
  if (findings.length + frame.findings.length === 0)
    return frame.nonFinite ? null : html`<p>The rules found nothing in the spec and in the run.</p>`;
  return html`<ul>
    ${findings.map(({ severity, message, remedy, line }) => html`<li><strong>${severity}, line ${line}:</strong> ${isolate(message)} ${isolate(remedy)}</li>`)}
    ${frame.findings.map(
      ({ since, until, observation, remedy }) =>
        html`<li>
          <strong>${until === null ? `since step ${since}` : `steps ${since} to ${until}`}:</strong>
          ${isolate(observation)} ${isolate(remedy)}
        </li>`,
    )}
  </ul>`;
}
