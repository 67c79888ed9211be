// The step, explained: the phase that was done last as a rule with its numbers for one sample; why any number is what it
// is; all nodes of the step in order; the local derivatives of the selected layer.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { AnswerTo, ModelInfo, Phase, Question } from '../../src/protocol/panel';
import type { Context, Settings, View } from '../context';
import { formula } from '../controls/formula';
import { matrix } from '../controls/matrix';
import { sampleField } from '../controls/sample-field';
import { icon, value } from '../controls/value';
import { formatCount, formatIndex, formatShape } from '../numbers';
import { type Cell, indexOf, type Node, type NodeId, nodeName, nodesOf, ruleOf, rulesOf, sameNode } from '../step-words';
import { explainPhase, lastPhase, phaseName } from '../words';

const ID = 'step';
/** Rows and columns of a Jacobian on the page. */
const MOST = 12;
/** Numbers of a node in the list. */
const FIRST = 4;

interface Own {
  /** Whether the local derivatives are open. */
  readonly jacobian: boolean;
  /** Cells that were asked about, each from a term of the one before. */
  readonly trail: readonly Cell[];
}

function ownOf({ kept }: Settings): Own {
  const from = (kept[ID] ?? {}) as { jacobian?: unknown; trail?: unknown };
  const isCell = (cell: unknown): cell is Cell =>
    typeof cell === 'object' && cell !== null && Number.isInteger((cell as Cell).index) && typeof (cell as Cell).node?.of === 'string';
  return { jacobian: from.jacobian === true, trail: Array.isArray(from.trail) ? from.trail.filter(isCell) : [] };
}

const nodesQuestion = ({ sample }: Settings): Question<'nodes'> => ({ about: 'nodes', sample });
const jacobianQuestion = ({ sample }: Settings, layer: number): Question<'jacobian'> => ({ about: 'jacobian', layer, sample });
const whyQuestion = (settings: Settings): Question<'why'> | null => {
  const cell = ownOf(settings).trail.at(-1);
  return cell ? { about: 'why', ...cell, sample: settings.sample } : null;
};

export const step: View = {
  id: ID,
  title: 'Step',
  needs: [],
  questions(data, settings) {
    const why = whyQuestion(settings);
    return [nodesQuestion(settings), ...(why ? [why] : []), ...(ownOf(settings).jacobian ? [jacobianQuestion(settings, data.layer ?? 0)] : [])];
  },
  mount(host, context) {
    return {
      update(text) {
        if (text) render(page(context), host);
      },
      dispose() {
        render(nothing, host);
      },
    };
  },
};

function page(context: Context): TemplateResult {
  const { data, settings } = context;
  const { model } = data;
  const answer = context.answer(nodesQuestion(settings));
  if (!model || !answer) return html`<section class="empty"><p>The engine is asked for the step.</p></section>`;
  return html`
    <div class="chooser">${sampleField(context, answer)}</div>
    ${phaseSection(context, model, answer)}
    ${whySection(context, model, answer)}
    ${jacobianSection(context, model)}
    ${nodeList(context, model, answer)}
  `;
}

const keepOwn = ({ settings, keep }: Context, change: Partial<Own>): void => keep(ID, { ...ownOf(settings), ...change });

const find = ({ nodes }: AnswerTo<'nodes'>, id: NodeId): Node | undefined => nodes.find((node) => sameNode(node.id, id));

function phaseSection(context: Context, model: ModelInfo, answer: AnswerTo<'nodes'>): TemplateResult {
  const { frame } = context.data;
  const phase = lastPhase(model, frame);
  if (!phase || !frame) {
    return html`<section class="empty"><p><b>Nothing computed yet.</b> Press Next phase (F11): each phase is explained here with its numbers, forward and then backward.</p></section>`;
  }
  const trail = ownOf(context.settings).trail;
  const asked = trail[trail.length - 1];
  const way = phase.kind === 'forward' || phase.kind === 'backward' ? phase.kind : phase.kind === 'loss_backward' ? 'backward' : 'other';
  return html`<section class="part explained">
    <h2 class="phase ${way}">${phaseName(model, phase)}</h2>
    <p>${explainPhase(model, phase, frame)}</p>
    ${specLine(context, model, phase)}
    ${rulesOf(model, phase).map((rule) => html`<div class="rule">${formula(rule)}</div>`)}
    <div class="matrices">
      ${nodesOf(model, phase).map((id) => {
        const node = find(answer, id);
        return node ? matrix(nodeName(model, id), node, (index) => keepOwn(context, { trail: [{ node: id, index }] }), asked && sameNode(asked.node, id) ? asked.index : null) : nothing;
      })}
    </div>
    <p class="how">${icon('info')} Shapes are those of one sample, a vector as a row. Click a number to see why it is what it is.</p>
  </section>`;
}

/** The line of the spec that a phase comes from; of a layer, a click marks it there. */
function specLine({ select }: Context, { layers, loss }: ModelInfo, phase: Phase): TemplateResult | typeof nothing {
  const layer = phase.kind === 'forward' || phase.kind === 'backward' ? layers[phase.layer] : null;
  const place = layer ? layer.place : phase.kind === 'loss' || phase.kind === 'loss_backward' ? loss.place : undefined;
  if (!place) return nothing;
  const words = `Line ${place.line} of the spec`;
  return html`<p class="spec-line">${layer ? html`<button class="link" title="Marks it in the spec" @click=${() => select(layer.index)}>${words}</button>` : words}: <code><bdi>${place.text}</bdi></code></p>`;
}

/** `output of hidden[2]`. */
function cellName(model: ModelInfo, answer: AnswerTo<'nodes'>, { node, index }: Cell): string {
  const shape = find(answer, node)?.shape;
  return `${nodeName(model, node)}${formatIndex(shape ? indexOf(shape, index) : [index])}`;
}

function whySection(context: Context, model: ModelInfo, answer: AnswerTo<'nodes'>): TemplateResult | typeof nothing {
  const question = whyQuestion(context.settings);
  const { trail } = ownOf(context.settings);
  if (!question || trail.length === 0) return nothing;
  const why = context.answer(question);
  const cell = trail[trail.length - 1];
  const go = (next: Cell): void => keepOwn(context, { trail: [...trail, next] });
  return html`<section class="part why" aria-label="Why a value is what it is">
    <div class="chart-head"><h2>Why is this value what it is?</h2><button class="quiet" @click=${() => keepOwn(context, { trail: [] })}>${icon('close')} Close</button></div>
    <nav class="trail" aria-label="The way here">${trail.map((each, i) => html`${i > 0 ? ' › ' : nothing}${
      i === trail.length - 1 ? html`<b><bdi>${cellName(model, answer, each)}</bdi></b>` : html`<button class="link" @click=${() => keepOwn(context, { trail: trail.slice(0, i + 1) })}><bdi>${cellName(model, answer, each)}</bdi></button>`
    }`)}</nav>
    ${why ? reasons(context, model, answer, why, cell, go) : html`<p class="hint">This step has not come so far, or the sample is not in its batch.</p>`}
  </section>`;
}

function reasons({ settings, set }: Context, model: ModelInfo, answer: AnswerTo<'nodes'>, why: AnswerTo<'why'>, cell: Cell, go: (next: Cell) => void): TemplateResult {
  const rule = ruleOf(model, cell.node);
  const words = {
    sum: html`It is the sum of ${formatCount(why.of)} ${why.of === 1 ? 'term' : 'terms'}, the largest first:`,
    function: why.terms.length > 0 ? html`It is a function of these values; the slope says how it changes with each:` : html`It comes from the rule above.`,
    rule: html`It follows by the rule from the prediction and the target:`,
    given: cell.node.of === 'parameter' ? html`It began as the spec says, and every update so far was added to it.` : cell.node.of === 'update' ? html`The optimizer’s rule made it from the gradient.` : html`It is given by the data.`,
  };
  return html`
    <p>${value(why.value, { signed: true })}</p>
    ${rule ? html`<div class="rule">${formula(rule)}</div>` : nothing}
    <p class="hint">${words[why.kind]}</p>
    ${
      why.terms.length > 0
        ? html`<div class="scroll" tabindex="0" role="region" aria-label="Terms"><table>
          <thead><tr><th scope="col">${{ sum: 'term', function: 'slope', rule: 'value', given: '' }[why.kind]}</th><th scope="col" class="text">of</th></tr></thead>
          <tbody>${why.terms.map((term) => html`<tr>
            <td>${value(term.value, { signed: true })}</td>
            <td class="text">${(why.kind === 'sum' ? term.factors : term.factors.filter(({ cell: to }) => to)).map((factor, i) => html`${i > 0 ? (why.kind === 'sum' ? ' × ' : ', ') : nothing}${factorOf(factor)}`)}</td>
          </tr>`)}
          ${why.of > why.terms.length ? html`<tr><td>${why.kind === 'sum' ? value(why.rest, { signed: true }) : nothing}</td><td class="text hint">${formatCount(why.of - why.terms.length)} more${why.kind === 'sum' ? ', together' : ''}</td></tr>` : nothing}
          </tbody></table></div>`
        : nothing
    }`;

  function factorOf({ value: number, cell: to, name, sample }: AnswerTo<'why'>['terms'][number]['factors'][number]): TemplateResult {
    if (!to) return html`${name} ${value(number, { signed: true })}`;
    const other = sample !== undefined && sample !== answer.sample;
    const follow = (): void => {
      if (other) set({ sample });
      go(to);
    };
    return html`<button class="link" @click=${follow} title=${other && settings.sample !== sample ? `Follows sample ${sample}` : nothing}><bdi>${cellName(model, answer, to)}</bdi>${
      sample !== undefined ? html` of sample ${formatCount(sample)}` : nothing
    }</button>${why.kind === 'rule' ? nothing : html` ${value(number, { signed: true })}`}`;
  }
}

function jacobianSection(context: Context, model: ModelInfo): TemplateResult {
  const { data, settings } = context;
  const open = ownOf(settings).jacobian;
  const layer = model.layers[data.layer ?? 0];
  if (!layer) return html``;
  const answer = open ? context.answer(jacobianQuestion(settings, layer.index)) : null;
  return html`<section class="part">
    <details class="data" ?open=${open} @toggle=${(event: Event) => {
      const now = (event.target as HTMLDetailsElement).open;
      if (now !== open) keepOwn(context, { jacobian: now });
    }}>
      <summary>Local derivatives of <bdi>${layer.name}</bdi></summary>
      ${
        answer
          ? html`<p class="hint">∂ output / ∂ input of this layer alone, for sample ${formatCount(answer.sample)}: a row an output, a column an input; in float64.
              ${answer.outputs > MOST || answer.inputs > MOST ? html`The first ${Math.min(MOST, answer.outputs)} × ${Math.min(MOST, answer.inputs)} of ${answer.outputs} × ${answer.inputs}.` : nothing}</p>
            <div class="scroll bracket" tabindex="0" role="region" aria-label="Local derivatives"><table><tbody>
              ${Array.from({ length: Math.min(MOST, answer.outputs) }, (_, i) => html`<tr>${Array.from({ length: Math.min(MOST, answer.inputs) }, (__, j) => html`<td>${value(answer.values[i * answer.inputs + j], { signed: true })}</td>`)}</tr>`)}
            </tbody></table></div>`
          : html`<p class="hint">Not known: the step has not come so far, the layer is too large, or what it gives for one sample depends on the others of the batch.</p>`
      }
    </details>
  </section>`;
}

/** All nodes in the order in which they come about. */
function nodeList(context: Context, model: ModelInfo, answer: AnswerTo<'nodes'>): TemplateResult {
  return html`<section class="part">
    <div class="chart-head"><h2>Nodes of the step</h2><span class="unit">in the order in which they come about</span></div>
    <div class="scroll tall" tabindex="0" role="region" aria-label="Nodes of the step"><table class="nodes">
      <thead><tr><th scope="col" class="text">node, shape, rule</th><th scope="col" class="text">first values</th></tr></thead>
      <tbody>${answer.nodes.map(({ id, shape, corner }) => {
        const rule = ruleOf(model, id);
        const way = id.of === 'output' || id.of === 'input' || id.of === 'target' ? 'forward' : id.of.endsWith('gradient') ? 'backward' : 'other';
        return html`<tr><th scope="row"><div class="node"><span class="phase ${way}"><bdi>${nodeName(model, id)}</bdi> <small class="shape">${formatShape(shape)}</small></span>${rule ? formula(rule) : nothing}</div></th>
          <td class="text">${corner ? html`${[...corner.cells.subarray(0, FIRST)].map((cell, i) => html`<button class="cell" title=${`Why ${nodeName(model, id)}, value ${i + 1}?`}
            @click=${() => keepOwn(context, { trail: [{ node: id, index: Math.floor(i / corner.columns) * corner.allColumns + (i % corner.columns) }] })}>${value(cell, { signed: true })}</button> `)}${corner.cells.length > FIRST ? '…' : nothing}` : value(null)}</td></tr>`;
      })}</tbody>
    </table></div>
  </section>`;
}
