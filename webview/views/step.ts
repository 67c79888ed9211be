// Explains the step: the last completed phase as a rule with its numbers for one sample, the local derivatives of a
// layer, and all values of the step.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { QueryValue, ModelInfo, PanelQuestion, Phase, Query } from '../../src/protocol/panel';
import type { Context, Settings, View } from '../context';
import { formula } from '../controls/formula';
import { matrixTable } from '../controls/matrix-table';
import { outsideBatchNote } from '../controls/selection';
import { renderIcon, renderValue } from '../controls/number-value';
import { questionLinks } from '../controls/question-link';
import { formatInteger, formatShape, pluralize } from '../../src/presentation/numbers';
import {
  type StepNode,
  type StepNodeId,
  nodeExpression,
  nodeLabel,
  nodeScope,
  phaseNodes,
  computedNodes,
  phaseRule,
  updateRule,
  isSameNode,
} from '../../src/presentation/step-nodes';
import type { PanelData } from '../state/store';
import { LossComparisonChart } from './loss-comparison';
import { describePhase, lastCompletedPhase, phaseLabel } from '../../src/presentation/phases';

const ID = 'step';
/** Maximum number of rows and columns of a Jacobian on the page. The columns scroll. */
const MAX_JACOBIAN_SIZE = 12;
const MAX_JACOBIAN_COLUMNS = 48;
/** Numbers per node in the list. */
const PREVIEW_VALUES = 4;

interface StepViewState {
  /** Whether the local derivatives are expanded. */
  readonly jacobian: boolean;
  /** Whether the comparison of losses is expanded. */
  readonly losses: boolean;
}

function getViewState({ viewState }: Settings): StepViewState {
  const { jacobian, losses } = (viewState[ID] ?? {}) as { readonly jacobian?: unknown; readonly losses?: unknown };
  return { jacobian: jacobian === true, losses: losses === true };
}

const stepGraphQuery = ({ sample }: Settings): Query<'step_graph'> => ({ type: 'step_graph', sample });
const jacobianQuery = ({ sample }: Settings, layer: number): Query<'jacobian'> => ({
  type: 'jacobian',
  layer,
  sample,
});
const lossesQuery = ({ sample }: Settings): Query<'loss_comparison'> => ({ type: 'loss_comparison', sample });

export const step: View = {
  id: ID,
  title: 'Step',
  probes: [],
  queries(data, settings) {
    return [
      stepGraphQuery(settings),
      ...(getViewState(settings).jacobian ? [jacobianQuery(settings, jacobianLayer(data))] : []),
      ...(getViewState(settings).losses ? [lossesQuery(settings)] : []),
    ];
  },
  mount(host, context) {
    const losses = new LossComparisonChart(context);
    return {
      update(text) {
        if (!text) return;
        render(renderPage(context, losses), host);
        losses.draw();
      },
      dispose() {
        losses.dispose();
        render(nothing, host);
      },
    };
  },
};

function renderPage(context: Context, losses: LossComparisonChart): TemplateResult {
  const { data, settings } = context;
  const { model } = data;
  const answer = context.latestResult(stepGraphQuery(settings));
  if (!model || !answer) return html`<section class="empty"><p>Loading step…</p></section>`;
  return html`
    ${outsideBatchNote(data, answer)} ${phaseSection(context, model, answer)} ${jacobianSection(context, model)}
    ${model.classes ? lossesSection(context, losses) : nothing} ${nodeList(context, model, answer)}
  `;
}

const updateViewState = ({ settings, setViewState }: Context, change: Partial<StepViewState>): void =>
  setViewState(ID, { ...getViewState(settings), ...change });

const findNode = ({ nodes }: QueryValue<'step_graph'>, id: StepNodeId): StepNode | undefined =>
  nodes.find((node) => isSameNode(node.id, id));

function phaseSection(context: Context, model: ModelInfo, answer: QueryValue<'step_graph'>): TemplateResult {
  const { frame } = context.data;
  const phase = lastCompletedPhase(model, frame);
  if (!phase || !frame) {
    return html`<section class="empty">
      <p><b>Nothing computed yet.</b> Press Next phase (F11). Each phase then appears here with its numbers.</p>
    </section>`;
  }
  const way =
    phase.kind === 'forward' || phase.kind === 'backward'
      ? phase.kind
      : phase.kind === 'loss_backward'
        ? 'backward'
        : 'other';
  return html`<section class="part explained">
    <h2 class="phase ${way}">${phaseLabel(model, phase)}</h2>
    <p>${describePhase(model, phase, frame)}</p>
    ${specLine(context, model, phase)}
    ${phaseRules(model, answer, phase).map((rule) => html`<div class="rule">${formula(rule)}</div>`)}
    <div class="matrices">
      ${phaseNodes(model, phase).map((id) => {
        const node = findNode(answer, id);
        return node
          ? matrixTable(
              nodeLabel(model, id),
              node,
              nodeScopeLabel(context, answer, id),
              nodeExpression(model, id),
              (index, cell) => context.explain({ node: id, index }, cell),
            )
          : nothing;
      })}
    </div>
    <p class="how">${renderIcon('info')} Click a number to see where it comes from.</p>
    ${questionLinks(context, [phaseQuestion(model, phase)])}
  </section>`;
}

/** The formulas of what a phase computed, in LaTeX. */
function phaseRules(model: ModelInfo, answer: QueryValue<'step_graph'>, phase: Phase): readonly string[] {
  const own = phaseRule(model, phase);
  const nodes = computedNodes(model, phase).map((id) => findNode(answer, id)?.formula?.latex);
  return [own, ...nodes].filter((rule) => rule !== undefined);
}

/** What people ask about a phase. */
function phaseQuestion({ layers, loss }: ModelInfo, phase: Phase): PanelQuestion | undefined {
  switch (phase.kind) {
    case 'zero_grad':
      return 'zero-gradients';
    case 'forward':
    case 'backward':
      return layers[phase.layer]?.question;
    case 'loss':
      return loss.questions?.value;
    case 'loss_backward':
      return loss.questions?.gradient;
    case 'update':
      return undefined;
  }
}

/** Whose numbers a matrix holds. */
function nodeScopeLabel({ data }: Context, answer: QueryValue<'step_graph'>, id: StepNodeId): string {
  const samples = data.frame?.batchPosition.samples ?? 0;
  return {
    sample: `sample ${formatInteger(answer.sample)}`,
    batch: `batch, Σ of ${pluralize(samples, 'sample')}`,
    weights: '',
  }[nodeScope(id)];
}

/** The line of the spec that defines a phase's layer or loss. */
function specLine(
  { selectLayer }: Context,
  { layers, loss }: ModelInfo,
  phase: Phase,
): TemplateResult | typeof nothing {
  const layer = phase.kind === 'forward' || phase.kind === 'backward' ? layers[phase.layer] : null;
  const place = layer
    ? layer.specLocation
    : phase.kind === 'loss' || phase.kind === 'loss_backward'
      ? loss.specLocation
      : undefined;
  if (!place) return nothing;
  const words = `Line ${place.line} of the spec`;
  return html`<p class="spec-line">
    ${layer ? html`<button class="link" title="Select this line in the spec" @click=${() => selectLayer(layer.index)}>${words}</button>` : words}:
    <code><bdi>${place.text}</bdi></code>
  </p>`;
}

/** The layer of the last completed phase within a step, otherwise the selected one. */
function jacobianLayer({ model, frame, layer }: PanelData): number {
  const phase = (frame?.position.phase ?? 0) > 0 ? lastCompletedPhase(model, frame) : null;
  return phase && 'layer' in phase ? phase.layer : (layer ?? 0);
}

/** A section that opens and closes; what it queries is asked for only while it is open. */
function foldable(
  context: Context,
  section: keyof StepViewState,
  summary: TemplateResult,
  content: TemplateResult,
): TemplateResult {
  const open = getViewState(context.settings)[section];
  return html`<section class="part">
    <details
      class="data"
      ?open=${open}
      @toggle=${(event: Event) => {
        const now = (event.target as HTMLDetailsElement).open;
        if (now !== open) updateViewState(context, { [section]: now });
      }}
    >
      <summary>${summary}</summary>
      ${content}
    </details>
  </section>`;
}

function jacobianSection(context: Context, model: ModelInfo): TemplateResult {
  const { data, settings } = context;
  const open = getViewState(settings).jacobian;
  const layer = model.layers[jacobianLayer(data)];
  if (!layer) return html``;
  const answer = open ? context.latestResult(jacobianQuery(settings, layer.index)) : null;
  return foldable(
    context,
    'jacobian',
    html`Local derivatives of <bdi>${layer.name}</bdi>`,
    answer
      ? html`<p class="hint">
            How each output of this layer changes with each input and each parameter, for sample
            ${formatInteger(answer.sample)}, in float64. One row per output.
          </p>
          <div class="matrices">
            ${jacobianTable(`∂ ${layer.name} / ∂ input`, answer.outputs, answer.values, [answer.inputs])}
            ${answer.parameters.map(({ name, shape, values }) =>
              values
                ? jacobianTable(`∂ ${layer.name} / ∂ ${name}`, answer.outputs, values, shape)
                : html`<p class="hint">∂ ${layer.name} / ∂ <bdi>${name}</bdi> is too large to be shown.</p>`,
            )}
          </div>`
      : html`<p class="hint">
          Not available: not computed yet in this step, the layer is too large, or its output for one sample depends on
          the rest of the batch.
        </p>`,
  );
}

/** Cross-entropy and squared error of the followed sample. */
function lossesSection(context: Context, losses: LossComparisonChart): TemplateResult {
  const open = getViewState(context.settings).losses;
  const answer = open ? context.latestResult(lossesQuery(context.settings)) : null;
  return foldable(
    context,
    'losses',
    html`Cross-entropy against squared error`,
    answer
      ? losses.render(answer)
      : html`<p class="hint">
          Not available: not computed yet in this step, or the outputs are neither logits nor probabilities of one class
          for each sample.
        </p>`,
  );
}

/**
 * A Jacobian as a matrix; that of a parameter with rows has one block for each. Zeros are faint, so that the blocks
 * that an output depends on stand out.
 * @param shape of what the derivatives are with respect to
 */
function jacobianTable(name: string, outputs: number, values: Float64Array, shape: readonly number[]): TemplateResult {
  const entries = values.length / outputs;
  const block = shape.length > 1 ? entries / shape[0]! : entries;
  const [rows, columns] = [Math.min(MAX_JACOBIAN_SIZE, outputs), Math.min(MAX_JACOBIAN_COLUMNS, entries)];
  return html`<figure class="matrix jacobian">
    <figcaption>
      <b><bdi>${name}</bdi></b> <span class="hint number">${formatShape([outputs, entries])}</span>
    </figcaption>
    <div class="scroll bracket" tabindex="0" role="region" aria-label=${name}>
      <table>
        ${
          shape.length > 1
            ? html`<thead>
                <tr>
                  ${Array.from(
                    { length: Math.ceil(columns / block) },
                    (_, i) =>
                      html`<th scope="colgroup" class="block" colspan=${Math.min(block, columns - i * block)}>
                        row ${i}
                      </th>`,
                  )}
                </tr>
              </thead>`
            : nothing
        }
        <tbody>
          ${Array.from(
            { length: rows },
            (_, i) =>
              html`<tr>
                ${Array.from({ length: columns }, (__, j) => {
                  const value = values[i * entries + j]!;
                  const classes = `${value === 0 ? 'zero' : 'filled'}${shape.length > 1 && j % block === 0 ? ' block' : ''}`;
                  return html`<td class=${classes}>${renderValue(value, { signed: true })}</td>`;
                })}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${rows < outputs || columns < entries ? html`<p class="hint">The first ${rows} × ${columns} of ${outputs} × ${entries}.</p>` : nothing}
  </figure>`;
}

/** All values of the step, in order of computation. */
function nodeList(context: Context, model: ModelInfo, answer: QueryValue<'step_graph'>): TemplateResult {
  return html`<section class="part">
    <div class="chart-head">
      <h2>All values of this step</h2>
      <span class="unit">in order of computation</span>
    </div>
    <div class="scroll tall" tabindex="0" role="region" aria-label="All values of this step">
      <table class="nodes">
        <thead>
          <tr>
            <th scope="col" class="text">value, shape, formula</th>
            <th scope="col" class="text">first entries</th>
          </tr>
        </thead>
        <tbody>
          ${answer.nodes.map(({ id, shape, preview, formula: own }) => {
            const rule = own?.latex ?? updateRule(model, id);
            const way = id.of.endsWith('gradient')
              ? 'backward'
              : 'layer' in id && id.of !== 'output'
                ? 'other'
                : 'forward';
            return html`<tr>
              <th scope="row">
                <div class="node">
                  <span class="phase ${way}"
                    ><bdi>${nodeLabel(model, id)}</bdi> <small class="shape">${formatShape(shape)}</small></span
                  >${rule ? formula(rule) : nothing}${symbols(own)}
                </div>
              </th>
              <td class="text">
                ${
                  preview
                    ? html`${[...preview.cells.subarray(0, PREVIEW_VALUES)].map(
                        (cell, i) =>
                          html`<button
                            class="cell"
                            title=${`Why ${nodeLabel(model, id)}, value ${i + 1}?`}
                            @click=${({ currentTarget }: Event) => context.explain({ node: id, index: Math.floor(i / preview.columns) * preview.totalColumns + (i % preview.columns) }, currentTarget as Element)}
                          >
                            ${renderValue(cell, { signed: true })}
                          </button> `,
                      )}${preview.cells.length > PREVIEW_VALUES ? '…' : nothing}`
                    : renderValue(null)
                }
              </td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** What the symbols of a formula mean that it does not define. */
function symbols(own: StepNode['formula']): TemplateResult | typeof nothing {
  const all = Object.entries(own?.symbols ?? {});
  return all.length === 0
    ? nothing
    : html`<small class="hint">${all.map(([name, meaning]) => `${name}: ${meaning}`).join('; ')}</small>`;
}
