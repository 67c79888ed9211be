// Edit and watch: weights and the numbers of an input are tried, and all that follows is seen at once, before and after.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { Context, View } from '../context';
import { NumberField } from '../controls/number-field';
import { sampleField } from '../controls/sample-field';
import { icon, value } from '../controls/value';
import { whatIfBar } from '../controls/what-if-bar';
import { counted, formatIndex, formatRound, formatShape, fullNumber, shortNumber } from '../numbers';
import { indexOf, nodeName } from '../step-words';
import { dropWeight, triedOf, tryInput, tryInputs, tryWeight, type WhatIf, whatIfQuestion } from '../what-if';

/** Numbers of an input that have a row. */
const MOST_INPUTS = 16;
/** Inputs that can be scaled: all of them are sent. */
const MOST_SCALED = 64;
/** Values of a tensor on the page. */
const MOST_VALUES = 16;

export const whatIf: View = {
  id: 'what_if',
  title: 'What if',
  needs: [],
  questions: (_data, settings) => [whatIfQuestion(settings)],
  mount(host, context) {
    const refuse = (text: string): void => context.notify('warning', text);
    const inputFields = new Map<number, NumberField>();
    const inputField = (index: number): NumberField => {
      let field = inputFields.get(index);
      if (!field) {
        field = new NumberField({
          id: `try-input-${index}`, label: `input ${index}`, title: 'What this number of the input is to be', width: 'wide', refuse,
          commit(typed) {
            tryInput(context, index, typed);
            return null;
          },
        });
        inputFields.set(index, field);
      }
      return field;
    };
    const scaleField = new NumberField({
      id: 'try-scale', label: 'All inputs ×', title: 'Multiplies every number of the sample’s input', width: 'narrow', refuse,
      commit(factor) {
        const given = inputOf(context.answer(whatIfQuestion(context.settings)));
        if (!given) return 'The sample is not known yet.';
        tryInputs(context, factor === 1 ? [] : [...given.before].map((from, index) => ({ index, value: from * factor })));
        return null;
      },
    });
    let parameter = '';
    let index = 0;
    const parameters = () => (context.data.model?.layers ?? []).flatMap((layer) => layer.parameters);
    const chosen = () => parameters().find(({ name }) => name === parameter) ?? parameters()[0];
    const indexField = new NumberField({
      id: 'try-index', label: 'entry', title: 'The place of the weight in the flat parameter, counted from 0', width: 'narrow', refuse,
      commit(typed) {
        const { count = 0, name = '' } = chosen() ?? {};
        if (!Number.isInteger(typed) || typed < 0 || typed >= count) return count === 1 ? `${name} has the entry 0 alone.` : `${name} has the entries 0 to ${count - 1}.`;
        index = typed;
        return null;
      },
    });
    const weightField = new NumberField({
      id: 'try-weight', label: 'is to be', title: 'What this weight is to be. The run is not touched.', width: 'wide', refuse,
      commit(typed) {
        const own = chosen();
        if (!own) return 'This network has no weights.';
        tryWeight(context, { parameter: own.name, index: Math.min(index, own.count - 1), value: typed });
        return null;
      },
    });

    const inputs = (answer: WhatIf): TemplateResult => {
      const node = inputOf(answer);
      if (!node) return html``;
      const factor = scaleOf(node.before, node.after);
      const { inputs: tried } = triedOf(context.settings);
      const now = (i: number): number => tried.find(({ index: own }) => own === i)?.value ?? node.after[i];
      const rows = [...node.before.subarray(0, MOST_INPUTS)];
      const count = node.shape.reduce((a, b) => a * b, 1);
      return html`<section class="part">
        <div class="chart-head"><h2>Input of sample ${answer.sample}</h2>${
          count <= MOST_SCALED ? scaleField.template(factor === null ? '' : formatRound(factor)) : nothing
        }</div>
        <div class="scroll" tabindex="0" role="region" aria-label="Input"><table>
          <thead><tr><th scope="col">number</th><th scope="col">in the data</th><th scope="col" class="text">tried</th></tr></thead>
          <tbody>${rows.map((given, i) => html`<tr><th scope="row">${formatIndex(indexOf(node.shape, i))}</th><td>${value(given, { signed: true })}</td>
            <td class="text">${inputField(i).template(context.data.model?.precision === 'float32' ? shortNumber(now(i)) : fullNumber(now(i)), { visibleLabel: false })} ${slider(context, i, given, now(i))}</td></tr>`)}</tbody>
        </table></div>
        ${count > rows.length ? html`<p class="hint">The first ${rows.length} of ${counted(count, 'number')}.</p>` : nothing}
      </section>`;
    };

    const weights = (): TemplateResult => {
      const own = chosen();
      if (!own) return html``;
      const { weights: tried } = triedOf(context.settings);
      return html`<section class="part">
        <div class="chart-head"><h2>Weights</h2><span class="unit">or click one in Network or Tensors</span></div>
        <div class="chooser" role="group" aria-label="A weight to try">
          <label class="field"><span>of</span><select id="try-parameter" title="The parameter that the weight is in" @change=${(event: Event) => {
            parameter = (event.target as HTMLSelectElement).value;
            index = 0;
            update(true);
          }}>${parameters().map(({ name }) => html`<option value=${name} ?selected=${name === own.name}>${name}</option>`)}</select></label>
          ${indexField.template(String(Math.min(index, own.count - 1)))}
          ${weightField.template('')}
        </div>
        ${tried.length > 0 ? html`<ul class="tried">${tried.map((weight) => html`<li><bdi>${weightName(context, weight)}</bdi> = ${value(weight.value, { signed: true })}
          <button class="quiet" title="As in the run" aria-label=${`${weight.parameter} entry ${weight.index} as in the run`} @click=${() => dropWeight(context, weight)}>${icon('close')}</button></li>`)}</ul>` : nothing}
      </section>`;
    };

    // What is being typed into or moved must not go away while the engine computes what follows of it.
    let last: WhatIf | null = null;
    let run = -1;
    const update = (text: boolean): void => {
      if (!text) return;
      const fresh = context.answer(whatIfQuestion(context.settings));
      if (run !== context.data.run) last = null;
      run = context.data.run;
      const answer = (last = fresh ?? last);
      render(
        html`
          ${whatIfBar(context, false)}
          <div class="chooser">${sampleField(context, answer && { sample: answer.sample, inBatch: true })}</div>
          ${answer ? html`${inputs(answer)}${weights()}${follows(context, answer, fresh !== null)}` : html`<section class="empty"><p>The engine is asked. For a network that is too large to copy, or a weight that is not in it, there is nothing to say.</p></section>${weights()}`}
        `,
        host,
      );
    };
    return { update, dispose: () => render(nothing, host) };
  },
};

const inputOf = (answer: WhatIf | null) => answer?.nodes.find(({ node }) => node.of === 'input');

/** The factor between the two, where there is one for all; null where there is none. */
export function scaleOf(before: Float64Array, after: Float64Array): number | null {
  const at = before.findIndex((given) => given !== 0);
  if (at < 0) return 1;
  const factor = after[at] / before[at];
  return before.every((given, i) => Math.abs(given * factor - after[i]) <= 1e-9 * Math.abs(after[i])) ? factor : null;
}

/** Around what the data say; the arrow keys move it by a hundredth of its way. */
function slider(context: Context, index: number, given: number, now: number): TemplateResult {
  const reach = 5 * Math.max(1, Math.abs(given));
  const [low, high] = [Math.min(given - reach, now), Math.max(given + reach, now)];
  return html`<input type="range" class="try" min=${low} max=${high} step=${(high - low) / 100} .value=${String(now)}
    aria-label=${`Input ${index}`} title="Move this number of the input"
    @input=${(event: Event) => tryInput(context, index, Number((event.target as HTMLInputElement).value), true)} />`;
}

function weightName({ data }: Context, { parameter, index }: { readonly parameter: string; readonly index: number }): string {
  const own = data.model?.layers.flatMap((layer) => layer.parameters).find(({ name }) => name === parameter);
  return own ? `${parameter}${formatIndex(indexOf(own.shape, index))}` : parameter;
}

/** @param fresh whether it is of what is tried now; else it is being computed */
function follows({ data }: Context, { loss, train, probabilities, nodes }: WhatIf, fresh: boolean): TemplateResult {
  const { model } = data;
  if (!model) return html``;
  const cells = (before: number, after: number) => html`<td data-before>${value(before, { signed: true })}</td><td data-after>${value(after, { signed: true })}</td>
    <td data-difference>${value(after - before, { signed: true })}</td>`;
  const many = (name: string, shape: readonly number[], before: Float64Array, after: Float64Array): TemplateResult => {
    const all = shape.reduce((a, b) => a * b, 1);
    const shown = Math.min(MOST_VALUES, before.length);
    return html`<tbody data-node=${name}>
      <tr><th scope="rowgroup" colspan="4"><b><bdi>${name}</bdi></b> <span class="hint">${formatShape(shape)}${all > shown ? `, the first ${shown} of ${all}` : ''}</span></th></tr>
      ${Array.from({ length: shown }, (_, i) => html`<tr class=${before[i] === after[i] ? '' : 'changed'}><th scope="row">${formatIndex(indexOf(shape, i))}</th>${cells(before[i], after[i])}</tr>`)}
    </tbody>`;
  };
  const last = model.layers[model.layers.length - 1]?.outputShape ?? [];
  const forward = nodes.filter(({ node }) => node.of === 'output');
  const backward = nodes.filter(({ node }) => node.of === 'output_gradient' || node.of === 'parameter_gradient' || node.of === 'input_gradient');
  const body = ({ node, shape, before, after }: WhatIf['nodes'][number]) => many(node.of === 'input_gradient' ? 'dL/d input' : nodeName(model, node), shape, before, after);
  return html`<section class="part follows" aria-busy=${fresh ? 'false' : 'true'}>
    <div class="chart-head"><h2>What follows</h2><span class="unit">${fresh ? '' : 'being computed; '}for this sample by itself, layers in evaluation mode</span></div>
    <div class="scroll tall" tabindex="0" role="region" aria-label="What follows, before and after"><table>
      <thead><tr><th scope="col"><span class="unseen">value</span></th><th scope="col">in the run</th><th scope="col">what if</th><th scope="col">difference</th></tr></thead>
      <tbody>
        <tr data-node="loss"><th scope="row">loss</th>${cells(loss.before, loss.after)}</tr>
        ${train ? html`<tr data-node="train"><th scope="row">loss over all training samples</th>${cells(train.before, train.after)}</tr>` : nothing}
      </tbody>
      ${probabilities ? many('probabilities', last, probabilities.before, probabilities.after) : nothing}
      ${forward.map(body)}${backward.map(body)}
    </table></div>
    <p class="how">${icon('info')} Every number is computed by the engine, on a copy of the network. Gradients are of the loss of this sample.</p>
  </section>`;
}
