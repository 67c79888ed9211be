// The tables of a report: the model, statistics of each layer and parameter at the step, and the gradient check.
import type { LayerStats } from '../protocol/layer-stats';
import type { SplitName } from '../protocol/position';
import type { CheckReport } from '../protocol/check-report';
import type { ModelInfo } from '../protocol/model-info';
import { formatConclusion } from '../presentation/check-summary';
import { formatIndex, formatShape, pluralize } from '../presentation/numbers';
import { hasBranches, inputNames } from '../presentation/layer-inputs';
import { verdictLabel } from '../presentation/verdicts';
import { html, type Html, isolate } from './html';
import { countHtml, numberHtml } from './numbers';

/** A header; columns with `text` are left-aligned. */
export const table = (
  label: string,
  headings: readonly (string | { readonly text: string })[],
  rows: readonly Html[],
): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">
    <table>
      <thead>
        <tr>
          ${headings.map((head) =>
            typeof head === 'string'
              ? html`<th scope="col">${head}</th>`
              : html`<th scope="col" class="text">${head.text}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;

export function modelTable({ layers, inputShape, parameterCount }: ModelInfo): Html {
  const total = layers.reduce((sum, { figures }) => sum + figures.macs, 0);
  const branches = hasBranches(layers);
  const inputsHead = branches ? [{ text: 'inputs' }] : [];
  const inputsCell = (names: readonly string[]): Html =>
    branches
      ? html`<td class="text">${names.map((name, i) => html`${i > 0 ? ', ' : ''}${isolate(name)}`)}</td>`
      : html``;
  return table(
    'Layers of the model',
    ['layer', { text: 'kind' }, ...inputsHead, { text: 'output of one sample' }, 'parameters', 'multiply-adds'],
    [
      html`<tr>
        <th scope="row">input</th>
        <td class="text"></td>
        ${inputsCell([])}
        <td class="text">${formatShape(inputShape)}</td>
        <td></td>
        <td></td>
      </tr>`,
      ...layers.map(
        (layer) =>
          html`<tr>
            <th scope="row">${isolate(layer.name)}</th>
            <td class="text">${layer.kind}</td>
            ${inputsCell(inputNames(layers, layer.index))}
            <td class="text">${formatShape(layer.outputShape)}</td>
            <td>${countHtml(layer.figures.parameters)}</td>
            <td>${countHtml(layer.figures.macs)}</td>
          </tr>`,
      ),
      html`<tr>
        <th scope="row">total</th>
        <td></td>
        ${inputsCell([])}
        <td></td>
        <td>${countHtml(parameterCount)}</td>
        <td>${countHtml(total)}</td>
      </tr>`,
    ],
  );
}

export interface SplitMetrics {
  readonly split: SplitName;
  readonly samples: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** Share of the most frequent class; null if the targets are values. */
  readonly largestClass: number | null;
  /** The step at which they were evaluated; null if never. */
  readonly step: number | null;
}

export const splitsTable = (rows: readonly SplitMetrics[]): Html =>
  table(
    'Loss and accuracy',
    ['part', 'samples', 'at step', 'loss', 'accuracy', 'largest class'],
    rows.map(
      ({ split, samples, step, loss, accuracy, largestClass }) =>
        html`<tr data-part="${split}">
          <th scope="row">${split}</th>
          <td>${countHtml(samples)}</td>
          <td>${step === null ? numberHtml(null) : countHtml(step)}</td>
          <td>${numberHtml(loss)}</td>
          <td>${numberHtml(accuracy)}</td>
          <td>${numberHtml(largestClass)}</td>
        </tr>`,
    ),
  );

export const activationTable = ({ layers }: ModelInfo, layerStats: readonly LayerStats[]): Html =>
  table(
    'Outputs of the layers',
    ['layer', 'mean', 'spread', 'smallest', 'largest', 'idle units', '‖dL/d output‖'],
    layers.map((layer, i) => {
      const { activation, outputGradient } = layerStats[i] ?? {};
      return html`<tr data-layer="${i}">
        <th scope="row">${isolate(layer.name)}</th>
        <td>${numberHtml(activation?.mean)}</td>
        <td>${numberHtml(activation?.std)}</td>
        <td>${numberHtml(activation?.low)}</td>
        <td>${numberHtml(activation?.high)}</td>
        <td>${numberHtml(activation?.idle)}</td>
        <td>${numberHtml(outputGradient?.norm)}</td>
      </tr>`;
    }),
  );

export const parameterTable = ({ layers }: ModelInfo, layerStats: readonly LayerStats[]): Html =>
  table(
    'Parameters, their gradients and updates',
    ['parameter', { text: 'shape' }, '‖w‖', '‖dL/dw‖', 'mean |dL/dw|', 'max |dL/dw|', '‖update‖ / ‖w‖'],
    layers.flatMap((layer, i) =>
      layer.parameters.map((parameter, at) => {
        const reading = layerStats[i]?.parameters.at(at);
        return html`<tr data-parameter>
          <th scope="row">${isolate(parameter.name)}${parameter.frozen ? html` <small>frozen</small>` : null}</th>
          <td class="text">${formatShape(parameter.shape)}</td>
          <td>${numberHtml(reading?.norm)}</td>
          <td>${numberHtml(reading?.gradient?.norm)}</td>
          <td>${numberHtml(reading?.gradient?.meanAbsolute)}</td>
          <td>${numberHtml(reading?.gradient?.maxAbsolute)}</td>
          <td>${numberHtml(reading?.updateRatio)}</td>
        </tr>`;
      }),
    ),
  );

export function checkSection(report: CheckReport): Html {
  const { parameters, options, step, samples, diagnosis, passed } = report;
  return html`<h2>Gradient check</h2>
    <p class="${passed ? 'good' : 'bad'}">${formatConclusion(report)}</p>
    ${diagnosis ? html`<p><strong>Why:</strong> ${isolate(diagnosis.sentence)}</p>` : null}
    <p class="note">
      At step ${step}, on ${pluralize(samples, 'sample')}: central differences in float64, step
      ${numberHtml(options.step)}, relative tolerance ${numberHtml(options.rtol)}, absolute ${numberHtml(options.atol)}.
    </p>
    ${table(
      'Gradient check by parameter',
      ['parameter', 'checked', 'pass', 'wrong', 'kink', 'below noise', 'worst relative error', { text: 'verdict' }],
      parameters.map(
        (of) =>
          html`<tr data-check>
            <th scope="row">${isolate(of.name)}</th>
            <td>${countHtml(of.checked)}</td>
            <td>${countHtml(of.counts.pass)}</td>
            <td>${countHtml(of.counts.wrong)}</td>
            <td>${countHtml(of.counts.kink)}</td>
            <td>${countHtml(of.counts.below_noise)}</td>
            <td>
              ${numberHtml(of.worst?.relativeError)}${of.worst ? html` <small>at ${formatIndex(of.worst.index)}</small>` : null}
            </td>
            <td class="text ${of.verdict === 'wrong' ? 'bad' : ''}">${verdictLabel(of)}</td>
          </tr>`,
      ),
    )}`;
}
