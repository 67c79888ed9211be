// A lecture as one HTML file: each stop with its text, its pictures, and the values of its phase.
import type { StopPicture } from '../protocol/lecture';
import type { ModelInfo } from '../protocol/model-info';
import type { Position } from '../protocol/position';
import type { StepGraph } from '../protocol/queries';
import { formatInteger, formatShape, pluralize } from '../presentation/numbers';
import { phaseLabel } from '../presentation/phases';
import { isSameNode, nodeLabel, nodeScope, phaseNodes } from '../presentation/step-nodes';
import { termOf } from '../presentation/terms';
import { html, Html, isolate } from './html';
import { numberHtml } from './numbers';
import { reportPage } from './page';
import { table } from './tables';

/** Values of a tensor that are listed. */
const MAX_VALUES = 8;

export interface LectureReportStop {
  readonly title: string;
  /** Its text as HTML, safe as `markdownToHtml` makes it. */
  readonly safeHtml: string;
  readonly position: Position;
  /** Loss of the batch. */
  readonly loss: number | null;
  /** Samples in the batch of the step; 0 before the first step. */
  readonly batchSamples: number;
  readonly highlight: string | null;
  readonly pictures: readonly StopPicture[];
  /** The step's tensors for the followed sample; null if there are none. */
  readonly graph: StepGraph | null;
}

export interface LectureReport {
  readonly title: string;
  readonly file: string;
  readonly specFile: string;
  /** The text of the spec. */
  readonly specText: string;
  /** Version of Nablascope. */
  readonly version: string;
  readonly model: ModelInfo;
  readonly stops: readonly LectureReportStop[];
}

export function lectureHtml({ title, file, specFile, specText, version, model, stops }: LectureReport): string {
  const name = title || file;
  const main = html`<h1>${isolate(name)}</h1>
    <p class="note">
      ${isolate(file)}, a lecture on ${isolate(specFile)} in ${pluralize(stops.length, 'stop')}, written by Nablascope
      ${version}
    </p>
    ${stops.map((stop, i) => stopSection(model, stop, i))}
    <h2>Spec</h2>
    <pre tabindex="0" aria-label="Text of the spec">${specText}</pre>`;
  return reportPage({ title: `${name} – Nablascope lecture`, main, hasPictures: true });
}

/** `Step 3, after backward: hidden`. */
function positionLabel(model: ModelInfo, { step, phase }: Position): string {
  const last = phase > 0 ? model.phases[phase - 1] : undefined;
  if (last) return `Step ${formatInteger(step + 1)}, after ${phaseLabel(model, last)}`;
  return step === 0 ? 'Before the first step' : `End of step ${formatInteger(step)}`;
}

function stopSection(model: ModelInfo, stop: LectureReportStop, i: number): Html {
  const { title, safeHtml, position, loss, pictures } = stop;
  return html`<section class="stop">
    <h2>${i + 1}. ${isolate(title || positionLabel(model, position))}</h2>
    <p class="note">
      ${isolate(positionLabel(model, position))}${loss === null ? null : html`. Loss of the batch: ${numberHtml(loss)}`}
    </p>
    ${new Html(safeHtml)}
    ${pictures.map(
      ({ description, png, width }) =>
        html`<figure>
          <img src="data:image/png;base64,${png}" width="${Math.round(width)}" alt="${description}" />
        </figure>`,
    )}
    ${valuesTable(model, stop)}
  </section>`;
}

/** The tensors of the stop's phase; at the end of a step, of its update. */
function valuesTable(model: ModelInfo, { position, graph, highlight, batchSamples }: LectureReportStop): Html | null {
  const phase =
    position.phase > 0 ? model.phases[position.phase - 1] : position.step > 0 ? model.phases.at(-1) : undefined;
  if (!phase || !graph) return null;
  const nodes = phaseNodes(model, phase).flatMap((id) => graph.nodes.find((node) => isSameNode(node.id, id)) ?? []);
  if (nodes.length === 0) return null;
  const scopes = {
    sample: `sample ${formatInteger(graph.sample)}`,
    batch: `Σ of ${pluralize(batchSamples, 'sample')}`,
    weights: 'weights',
  };
  return table(
    `Values of ${phaseLabel(model, phase)}`,
    ['value', { text: 'shape' }, { text: 'of' }, { text: 'numbers' }],
    nodes.map(({ id, shape, preview }) => {
      const cells = [...(preview?.cells.subarray(0, MAX_VALUES) ?? [])];
      const more = preview && preview.totalRows * preview.totalColumns > cells.length;
      return html`<tr class="${highlight === termOf(model, id) ? 'highlighted' : ''}">
        <th scope="row">${isolate(nodeLabel(model, id))}</th>
        <td class="text">${formatShape(shape)}</td>
        <td class="text">${scopes[nodeScope(id)]}</td>
        <td class="text">
          ${preview ? cells.map((cell, j) => html`${j > 0 ? ', ' : ''}${numberHtml(cell)}`) : numberHtml(null)}${more ? ', …' : ''}
        </td>
      </tr>`;
    }),
  );
}
