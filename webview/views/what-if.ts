// What if: other weights or inputs, and every value of the network before and after.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { Context, View } from '../context';
import { NumberField } from '../controls/number-field';
import { renderIcon, renderValue } from '../controls/number-value';
import { whatIfBar } from '../controls/what-if-bar';
import {
  pluralize,
  formatIndex,
  formatCompact,
  formatShape,
  formatExact,
  formatShortestFloat32,
} from '../../src/presentation/numbers';
import { unravelIndex } from '../../src/presentation/tensor-index';
import { nodeLabel } from '../../src/presentation/step-nodes';
import {
  removeWeightOverride,
  getOverrides,
  hasOverrides,
  overrideInput,
  overrideInputs,
  overrideWeight,
  type WhatIfResult,
  whatIfQuery,
} from '../state/overrides';

/** Maximum number of elements of an input that get a row. */
const MAX_INPUTS = 16;
/** Maximum number of elements of an input that can be scaled: all of them are sent. */
const MAX_SCALABLE_INPUTS = 64;
/** Values per tensor on the page. */
const MAX_VALUES = 16;

export const whatIf: View = {
  id: 'what_if',
  title: 'What if',
  probes: [],
  queries: (_data, settings) => [whatIfQuery(settings)],
  mount(host, context) {
    const onInvalid = (text: string): void => context.notify('warning', text);
    const inputFields = new Map<number, NumberField>();
    const inputField = (index: number): NumberField => {
      let field = inputFields.get(index);
      if (!field) {
        field = new NumberField({
          id: `try-input-${index}`,
          label: `input ${index}`,
          title: 'New value of this input',
          width: 'wide',
          onInvalid,
          commit(typed) {
            overrideInput(context, index, typed);
            return null;
          },
        });
        inputFields.set(index, field);
      }
      return field;
    };
    const scaleField = new NumberField({
      id: 'try-scale',
      label: 'All inputs ×',
      title: 'Multiplies every input of this sample',
      width: 'narrow',
      onInvalid,
      commit(factor) {
        const given = findInputNode(context.latestResult(whatIfQuery(context.settings)));
        if (!given) return 'The sample is still loading.';
        overrideInputs(
          context,
          factor === 1 ? [] : [...given.before].map((from, index) => ({ index, value: from * factor })),
        );
        return null;
      },
    });
    let parameter = '';
    let index = 0;
    const parameters = () => (context.data.model?.layers ?? []).flatMap((layer) => layer.parameters);
    const chosen = () => parameters().find(({ name }) => name === parameter) ?? parameters()[0];
    const indexField = new NumberField({
      id: 'try-index',
      label: 'entry',
      title: 'Index of the weight in the flattened parameter, from 0',
      width: 'narrow',
      onInvalid,
      commit(typed) {
        const { count = 0, name = '' } = chosen() ?? {};
        if (!Number.isInteger(typed) || typed < 0 || typed >= count)
          return count === 1 ? `${name} has only entry 0.` : `${name} has entries 0 to ${count - 1}.`;
        index = typed;
        return null;
      },
    });
    const weightField = new NumberField({
      id: 'try-weight',
      label: 'new value',
      title: 'New value of this weight. The run is not changed.',
      width: 'wide',
      onInvalid,
      commit(typed) {
        const own = chosen();
        if (!own) return 'This network has no weights.';
        overrideWeight(context, { parameter: own.name, index: Math.min(index, own.count - 1), value: typed });
        return null;
      },
    });

    const inputs = (answer: WhatIfResult): TemplateResult => {
      const node = findInputNode(answer);
      if (!node) return html``;
      const factor = inputScale(node.before, node.after);
      const { inputs: tried } = getOverrides(context.settings);
      const now = (i: number): number => tried.find(({ index: own }) => own === i)?.value ?? node.after[i]!;
      const rows = [...node.before.subarray(0, MAX_INPUTS)];
      const count = node.shape.reduce((a, b) => a * b, 1);
      return html`<section class="part">
        <div class="chart-head">
          <h2>Input of sample ${answer.sample}</h2>
          ${count <= MAX_SCALABLE_INPUTS ? scaleField.template(factor === null ? '' : formatCompact(factor)) : nothing}
        </div>
        <div class="scroll" tabindex="0" role="region" aria-label="Input">
          <table>
            <thead>
              <tr>
                <th scope="col">input</th>
                <th scope="col">in the data</th>
                <th scope="col" class="text">new value</th>
              </tr>
            </thead>
            <tbody>
              ${rows.map(
                (given, i) =>
                  html`<tr>
                    <th scope="row">${formatIndex(unravelIndex(i, node.shape))}</th>
                    <td>${renderValue(given, { signed: true })}</td>
                    <td class="text">
                      ${inputField(i).template(context.data.model?.precision === 'float32' ? formatShortestFloat32(now(i)) : formatExact(now(i)), { visibleLabel: false })}
                      ${slider(context, i, given, now(i))}
                    </td>
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>
        ${count > rows.length ? html`<p class="hint">The first ${rows.length} of ${pluralize(count, 'input')}.</p>` : nothing}
      </section>`;
    };

    const weights = (): TemplateResult => {
      const own = chosen();
      if (!own) return html``;
      const { weights: tried } = getOverrides(context.settings);
      return html`<section class="part">
        <div class="chart-head">
          <h2>Weights</h2>
          <span class="unit">or click one in Network or Tensors</span>
        </div>
        <div class="chooser" role="group" aria-label="Weight to change">
          <label class="field"
            ><span>of</span
            ><select
              id="try-parameter"
              title="Parameter of the weight"
              @change=${(event: Event) => {
                parameter = (event.target as HTMLSelectElement).value;
                index = 0;
                update(true);
              }}
            >
              ${parameters().map(({ name }) => html`<option value=${name} ?selected=${name === own.name}>${name}</option>`)}
            </select></label
          >
          ${indexField.template(String(Math.min(index, own.count - 1)))} ${weightField.template('')}
        </div>
        ${
          tried.length > 0
            ? html`<ul class="tried">
                ${tried.map(
                  (weight) =>
                    html`<li>
                      <bdi>${weightName(context, weight)}</bdi> = ${renderValue(weight.value, { signed: true })}
                      <button
                        class="quiet"
                        title="Restore the value of the run"
                        aria-label=${`Restore ${weight.parameter} entry ${weight.index}`}
                        @click=${() => removeWeightOverride(context, weight)}
                      >
                        ${renderIcon('close')}
                      </button>
                    </li>`,
                )}
              </ul>`
            : nothing
        }
      </section>`;
    };

    // A field that is being edited must stay while the engine computes.
    let last: WhatIfResult | null = null;
    let run = -1;
    const update = (text: boolean): void => {
      if (!text) return;
      const fresh = context.latestResult(whatIfQuery(context.settings));
      if (run !== context.data.runVersion) last = null;
      run = context.data.runVersion;
      const answer = (last = fresh ?? last);
      render(
        html`
          ${whatIfBar(context, false)}
          ${
            answer
              ? html`${inputs(answer)}${weights()}${consequences(context, answer, fresh !== null)}`
              : html`<section class="empty">
                    <p>Loading… Networks that are too large to copy are not supported here.</p>
                  </section>
                  ${weights()}`
          }
        `,
        host,
      );
    };
    return { update, dispose: () => render(nothing, host) };
  },
};

const findInputNode = (answer: WhatIfResult | null) => answer?.nodes.find(({ node }) => node.of === 'input');

/** The common factor between the two; null if there is none. */
export function inputScale(before: Float64Array, after: Float64Array): number | null {
  const at = before.findIndex((given) => given !== 0);
  if (at < 0) return 1;
  const factor = after[at]! / before[at]!;
  return before.every((given, i) => Math.abs(given * factor - after[i]!) <= 1e-9 * Math.abs(after[i]!)) ? factor : null;
}

/** A slider around the value in the data, in 100 steps, with labeled ends. */
function slider(context: Context, index: number, given: number, now: number): TemplateResult {
  const reach = 5 * Math.max(1, Math.abs(given));
  const [low, high] = [Math.min(given - reach, now), Math.max(given + reach, now)];
  return html`<span class="slider-end number" aria-hidden="true">${formatEnd(low)}</span
    ><input
      type="range"
      class="try"
      min=${low}
      max=${high}
      step=${(high - low) / 100}
      .value=${String(now)}
      aria-label=${`Input ${index}`}
      title="Drag to change this input"
      @input=${(event: Event) => overrideInput(context, index, Number((event.target as HTMLInputElement).value), true)}
    /><span class="slider-end number" aria-hidden="true">${formatEnd(high)}</span>`;
}

const formatEnd = (end: number): string => formatCompact(Number(end.toPrecision(3)));

function weightName(
  { data }: Context,
  { parameter, index }: { readonly parameter: string; readonly index: number },
): string {
  const own = data.model?.layers.flatMap((layer) => layer.parameters).find(({ name }) => name === parameter);
  return own ? `${parameter}${formatIndex(unravelIndex(index, own.shape))}` : parameter;
}

/** @param fresh whether it belongs to the current changes; otherwise it is being recomputed */
function consequences(
  { data, settings }: Context,
  { loss, trainingLoss, probabilities, nodes }: WhatIfResult,
  fresh: boolean,
): TemplateResult {
  const { model } = data;
  const changed = hasOverrides(getOverrides(settings));
  if (!model) return html``;
  if (!changed)
    return html`<section class="empty">
      <p>Nothing changed yet. Move an input or set a weight to see its effect on every value.</p>
    </section>`;
  const cells = (before: number, after: number) =>
    html`<td data-before>${renderValue(before, { signed: true })}</td>
      <td data-after>${renderValue(after, { signed: true })}</td>
      <td data-difference>${renderValue(after - before, { signed: true })}</td>`;
  const many = (name: string, shape: readonly number[], before: Float64Array, after: Float64Array): TemplateResult => {
    const all = shape.reduce((a, b) => a * b, 1);
    const shown = Math.min(MAX_VALUES, before.length);
    return html`<tbody data-node=${name}>
      <tr>
        <th scope="rowgroup" colspan="4">
          <b><bdi>${name}</bdi></b>
          <span class="hint">${formatShape(shape)}${all > shown ? `, the first ${shown} of ${all}` : ''}</span>
        </th>
      </tr>
      ${Array.from(
        { length: shown },
        (_, i) =>
          html`<tr class=${before[i] === after[i] ? '' : 'changed'}>
            <th scope="row">${formatIndex(unravelIndex(i, shape))}</th>
            ${cells(before[i]!, after[i]!)}
          </tr>`,
      )}
    </tbody>`;
  };
  const last = model.layers[model.layers.length - 1]?.outputShape ?? [];
  const forward = nodes.filter(({ node }) => node.of === 'output');
  const backward = nodes.filter(
    ({ node }) => node.of === 'output_gradient' || node.of === 'parameter_gradient' || node.of === 'input_gradient',
  );
  const body = ({ node, shape, before, after }: WhatIfResult['nodes'][number]) =>
    many(nodeLabel(model, node), shape, before, after);
  return html`<section class="part follows" aria-busy=${fresh ? 'false' : 'true'}>
    <div class="chart-head">
      <h2>Effect</h2>
      <span class="unit">${fresh ? '' : 'computing; '}this sample alone, layers in inference mode</span>
    </div>
    <div class="scroll tall" tabindex="0" role="region" aria-label="Effect, before and after">
      <table>
        <thead>
          <tr>
            <th scope="col"><span class="visually-hidden">value</span></th>
            <th scope="col">in the run</th>
            <th scope="col">what if</th>
            <th scope="col">difference</th>
          </tr>
        </thead>
        <tbody>
          <tr data-node="loss">
            <th scope="row">loss</th>
            ${cells(loss.before, loss.after)}
          </tr>
          ${
            trainingLoss
              ? html`<tr data-node="train">
                  <th scope="row">loss over all training samples</th>
                  ${cells(trainingLoss.before, trainingLoss.after)}
                </tr>`
              : nothing
          }
        </tbody>
        ${probabilities ? many('probabilities', last, probabilities.before, probabilities.after) : nothing}
        ${forward.map(body)}${backward.map(body)}
      </table>
    </div>
    <p class="how">
      ${renderIcon('info')} Computed by the engine on a copy of the network. Gradients are those of this sample’s loss.
    </p>
  </section>`;
}
