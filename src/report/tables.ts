// The tables of a report: the model, what each layer and parameter was at the step, and the gradient check.
import { counted } from '../gradcheck/words';
import { conclusion } from '../gradcheck/conclusion';
import type { CheckReport } from '../gradcheck/report';
import { indexText } from '../gradcheck/words';
import type { LayerReading, ModelInfo, Part } from '../session/frame';
import { html, type Html, name } from './html';
import { count, number, shape } from './numbers';

/** A head of which `text` columns are left-aligned. */
const table = (label: string, heads: readonly (string | { readonly text: string })[], rows: readonly Html[]): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table><thead><tr>${heads.map((head) =>
    typeof head === 'string' ? html`<th scope="col">${head}</th>` : html`<th scope="col" class="text">${head.text}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;

export function modelTable({ layers, inputShape, parameterCount }: ModelInfo): Html {
  const total = layers.reduce((sum, { figures }) => sum + figures.macs, 0);
  return table('Layers of the model', ['layer', { text: 'kind' }, { text: 'output of one sample' }, 'parameters', 'multiply-adds'], [
    html`<tr><th scope="row">input</th><td class="text"></td><td class="text">${shape(inputShape)}</td><td></td><td></td></tr>`,
    ...layers.map((layer) => html`<tr><th scope="row">${name(layer.name)}</th><td class="text">${layer.kind}</td><td class="text">${shape(layer.outputShape)}</td>
<td>${count(layer.figures.parameters)}</td><td>${count(layer.figures.macs)}</td></tr>`),
    html`<tr><th scope="row">total</th><td></td><td></td><td>${count(parameterCount)}</td><td>${count(total)}</td></tr>`,
  ]);
}

export interface PartValues {
  readonly part: Part;
  readonly samples: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** The step that they are of; null where they were never evaluated. */
  readonly step: number | null;
}

export const partsTable = (parts: readonly PartValues[]): Html =>
  table('Loss and accuracy', ['part', 'samples', 'at step', 'loss', 'accuracy'], parts.map(({ part, samples, step, loss, accuracy }) =>
    html`<tr data-part="${part}"><th scope="row">${part}</th><td>${count(samples)}</td><td>${step === null ? number(null) : count(step)}</td><td>${number(loss)}</td><td>${number(accuracy)}</td></tr>`));

export const activationTable = ({ layers }: ModelInfo, readings: readonly LayerReading[]): Html =>
  table('Outputs of the layers', ['layer', 'mean', 'spread', 'smallest', 'largest', 'idle units', '‖dL/d output‖'], layers.map((layer, i) => {
    const { activation, outputGradient } = readings[i] ?? {};
    return html`<tr data-layer="${i}"><th scope="row">${name(layer.name)}</th><td>${number(activation?.mean)}</td><td>${number(activation?.std)}</td><td>${number(activation?.low)}</td>
<td>${number(activation?.high)}</td><td>${number(activation?.idle)}</td><td>${number(outputGradient?.norm)}</td></tr>`;
  }));

export const parameterTable = ({ layers }: ModelInfo, readings: readonly LayerReading[]): Html =>
  table('Parameters, their gradients and updates', ['parameter', { text: 'shape' }, '‖w‖', '‖dL/dw‖', 'mean |dL/dw|', 'max |dL/dw|', '‖update‖ / ‖w‖'], layers.flatMap((layer, i) =>
    layer.parameters.map((parameter, at) => {
      const reading = readings[i]?.parameters.at(at);
      return html`<tr data-parameter><th scope="row">${name(parameter.name)}${parameter.frozen ? html` <small>frozen</small>` : null}</th><td class="text">${shape(parameter.shape)}</td><td>${number(reading?.norm)}</td>
<td>${number(reading?.gradient?.norm)}</td><td>${number(reading?.gradient?.meanAbsolute)}</td><td>${number(reading?.gradient?.maxAbsolute)}</td><td>${number(reading?.updateRatio)}</td></tr>`;
    })));

export function checkSection(report: CheckReport): Html {
  const { parameters, options, step, samples, diagnosis, passed } = report;
  return html`<h2>Gradient check</h2>
<p class="${passed ? 'good' : 'bad'}">${conclusion(report)}</p>
${diagnosis ? html`<p><strong>Why:</strong> ${name(diagnosis.sentence)}</p>` : null}
<p class="note">At step ${step}, on ${counted(samples, 'sample')}: central differences in float64, step ${number(options.step)}, relative tolerance ${number(options.rtol)}, absolute ${number(options.atol)}.</p>
${table('Gradient check by parameter', ['parameter', 'checked', 'pass', 'wrong', 'kink', 'below noise', 'worst relative error', { text: 'verdict' }], parameters.map((of) =>
    html`<tr data-check><th scope="row">${name(of.name)}</th><td>${count(of.checked)}</td><td>${count(of.counts.pass)}</td><td>${count(of.counts.wrong)}</td><td>${count(of.counts.kink)}</td>
<td>${count(of.counts.below_noise)}</td><td>${number(of.worst?.relativeError)}${of.worst ? html` <small>at ${indexText(of.worst.index)}</small>` : null}</td><td class="text ${of.verdict === 'wrong' ? 'bad' : ''}">${of.checked === 0 ? 'not checked' : of.verdict.replace('_', ' ')}</td></tr>`))}`;
}
