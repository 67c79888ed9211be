// One row per layer from input to loss: a histogram of its output, the norm of its output gradient, and how far an
// update moves its weights. All rows share their axes, so that vanishing gradients show as a staircase.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { decadeTicks, StickyRange, type Range } from '../charts/axes';
import type { Context, Component, Settings } from '../context';
import {
  type Frame,
  holdsAt,
  type LayerBlock,
  type LayerInfo,
  type LayerStats,
  type ModelInfo,
  type ParameterStats,
  type Phase,
  type RunFinding,
} from '../../src/protocol/panel';
import {
  pluralize,
  formatInteger,
  formatPowerOfTen,
  formatShape,
  formatPercent,
  formatExact,
} from '../../src/presentation/numbers';
import { maxUpdateRatio } from '../../src/presentation/weight-stats';
import { lossShares, lossUnit } from '../../src/presentation/loss-shares';
import { lastCompletedPhase, kindLabel } from '../../src/presentation/phases';
import { describeInputs } from '../../src/presentation/layer-inputs';
import { drawHistogram } from './mini-histogram';
import { styleProperties } from './style-properties';
import { renderIcon, renderValue } from './number-value';

/** Ends of the axis of update ratios, and its healthy band: about 1e-3 (CS231n), in practice 1e-4 to 1e-1. */
export const RATIO_AXIS: Range = { min: 1e-6, max: 1 };
export const HEALTHY_RATIO: Range = { min: 1e-4, max: 1e-1 };

/** The position of a value on a logarithmic axis, 0 to 1; values outside are at its ends. */
export function logFraction(of: number, { min, max }: Range): number {
  if (!(of > 0)) return 0;
  return Math.min(1, Math.max(0, Math.log10(of / min) / Math.log10(max / min)));
}

/** Where the panel's stored state keeps the collapsed blocks, by id. */
const STATE_KEY = 'collapsed_blocks';

const collapsedBlocks = ({ viewState }: Settings): readonly string[] => {
  const stored = viewState[STATE_KEY];
  return Array.isArray(stored) ? stored.filter((id) => typeof id === 'string') : [];
};

/** The blocks that begin with a layer, the outermost first. */
function newBlocks(layers: readonly LayerInfo[], index: number): { block: LayerBlock; depth: number }[] {
  const before = layers[index - 1]?.blocks ?? [];
  const blocks = layers[index]?.blocks ?? [];
  const start = blocks.findIndex(({ id }, depth) => before[depth]?.id !== id);
  return start < 0 ? [] : blocks.slice(start).map((block, i) => ({ block, depth: start + i }));
}

const percent = (share: number): string => `${(share * 100).toFixed(2)}%`;

export function mountLayerList(host: HTMLElement, context: Context): Component {
  const range = StickyRange.decades();
  let run = -1;
  let shown: number | null = null;

  const fit = (frame: Frame | null): Range | null => {
    if (run !== context.data.runVersion) {
      run = context.data.runVersion;
      range.reset();
    }
    const norms = (frame?.layers ?? []).flatMap(({ outputGradient }) => {
      const norm = outputGradient?.norm ?? 0;
      return norm > 0 && Number.isFinite(norm) ? [norm] : [];
    });
    return range.fit(norms.length > 0 ? { min: Math.min(...norms), max: Math.max(...norms) } : null, performance.now());
  };

  const isCollapsed = (id: string): boolean => collapsedBlocks(context.settings).includes(id);
  const setCollapsed = (id: string, collapsed: boolean): void => {
    const others = collapsedBlocks(context.settings).filter((other) => other !== id);
    context.setViewState(STATE_KEY, collapsed ? [...others, id] : others);
  };

  const key = (event: KeyboardEvent): void => {
    const { data } = context;
    const layers = data.model?.layers ?? [];
    const at = data.layer ?? -1;
    const focused = Number((event.target as HTMLElement).dataset.layer ?? 0);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: layers.length - 1,
      Enter: focused,
      ' ': focused,
    };
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      const blocks = layers[focused]?.blocks ?? [];
      const collapse = event.key === 'ArrowLeft';
      const block = collapse ? blocks.findLast(({ id }) => !isCollapsed(id)) : blocks.find(({ id }) => isCollapsed(id));
      if (block) setCollapsed(block.id, collapse);
      return;
    }
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const layer = Math.max(0, Math.min(layers.length - 1, to));
    context.selectLayer(layer);
    // A row in a collapsed block appears only when it is drawn.
    focusedByKey = layer;
    focusRow();
  };
  let focusedByKey: number | null = null;
  const focusRow = (): void => {
    const row = focusedByKey === null ? null : host.querySelector<HTMLElement>(`[data-layer="${focusedByKey}"]`);
    if (!row) return;
    focusedByKey = null;
    row.focus();
  };

  /** Only if the list scrolls on its own: the page must not jump. */
  const reveal = (layer: number | null): void => {
    const list = host.querySelector<HTMLElement>('.layer-scroll');
    if (layer === null || !list || getComputedStyle(list).overflowY === 'visible') return;
    // The header covers the rows.
    list.style.scrollPaddingTop = `${host.querySelector<HTMLElement>('.head')?.offsetHeight ?? 0}px`;
    const scroll = (): void => host.querySelector(`[data-layer="${layer}"]`)?.scrollIntoView({ block: 'nearest' });
    scroll();
    // Rows that became visible get their size only when they are drawn.
    requestAnimationFrame(() => requestAnimationFrame(() => layer === shown && scroll()));
  };

  const draw = (): void => {
    const { data, theme } = context;
    for (const canvas of host.querySelectorAll('canvas')) {
      const reading = data.frame?.layers[Number(canvas.dataset.histogram)]?.activation ?? null;
      drawHistogram(canvas, reading, theme);
    }
  };

  return {
    update(text) {
      if (!text) return;
      const { model, frame, layer } = context.data;
      if (!model) {
        render(nothing, host);
        return;
      }
      const axis = fit(frame);
      const running = frame?.status === 'running' || frame?.status === 'seeking';
      const phase = running ? null : lastCompletedPhase(model, frame);
      const firstVisible = model.layers.findIndex(({ blocks }) => !blocks.some(({ id }) => isCollapsed(id)));
      render(
        html`
          <div class="layer-scroll">
            ${renderHeader(axis)} ${inputRow(model, phase)}
            <div class="rows" role="listbox" aria-label="Layers, from input to loss" @keydown=${key}>
              ${model.layers.map((info, index) => {
                // The selected row stays visible in a collapsed block.
                const isHidden = layer !== index && info.blocks.some(({ id }) => isCollapsed(id));
                return html`${newBlocks(model.layers, index).map(({ block, depth }) =>
                  info.blocks.slice(0, depth).some(({ id }) => isCollapsed(id))
                    ? nothing
                    : renderBlockHead(block, depth, model.layers, frame, isCollapsed(block.id), () =>
                        setCollapsed(block.id, !isCollapsed(block.id)),
                      ),
                )}${
                  isHidden
                    ? nothing
                    : renderRow(info, model.layers, {
                        frame,
                        axis,
                        phase,
                        selected: layer === index,
                        focusable: layer === null ? index === firstVisible : layer === index,
                        select: () => context.selectLayer(index),
                      })
                }`;
              })}
            </div>
            ${lossRow(model, frame, phase)}
          </div>
          ${layerDetails(context, model, frame)}
        `,
        host,
      );
      focusRow();
      draw();
      if (layer !== shown) reveal((shown = layer));
    },
    dispose: () => render(nothing, host),
  };
}

function renderHeader(axis: Range | null): TemplateResult {
  const ticks = axis ? decadeTicks(axis, 2) : [];
  return html`<div class="layer head" aria-hidden="true">
    <span>Layer</span>
    <span title="Histogram of the layer's output over the batch">Out<span class="word">put</span></span>
    <span
      class="axis"
      title="Euclidean norm of dL/d output over the batch, on one logarithmic axis for all layers. A staircase is a vanishing or exploding gradient."
    >
      ‖dL/d out‖
      <small
        >${axis ? html`<i>${formatPowerOfTen(ticks[0]!)}</i><i>${formatPowerOfTen(Math.round(Math.log10(axis.max)))}</i>` : nothing}</small
      >
    </span>
    <span
      class="axis"
      title="‖update‖ / ‖weights‖ on a logarithmic axis. About 1e-3 is healthy; the band is 1e-4 to 1e-1."
    >
      update / w
      <small><i>${formatPowerOfTen(-6)}</i><i>1</i></small>
    </span>
  </div>`;
}

function renderBlockHead(
  { id, label }: LayerBlock,
  depth: number,
  layers: readonly LayerInfo[],
  frame: Frame | null,
  collapsed: boolean,
  toggle: () => void,
): TemplateResult {
  const inside = layers.filter(({ blocks }) => blocks.some((block) => block.id === id));
  const isMarked = collapsed && inside.some(({ index }) => findingsOf(frame, index).length > 0);
  // The rows name their blocks, and arrow keys collapse and expand them.
  return html`<div
    class="block-head"
    aria-hidden="true"
    data-block=${id}
    title=${collapsed ? 'Expand this block (Right)' : 'Collapse this block (Left)'}
    ${styleProperties({ '--depth': String(depth) })}
    @click=${toggle}
  >
    ${renderIcon(collapsed ? 'chevron-right' : 'chevron-down')}<span>${label}</span>
    ${collapsed ? html`<span class="count">${pluralize(inside.length, 'layer')}</span>` : nothing}
    ${isMarked ? html`<span class="finding">${renderIcon('warning')}</span>` : nothing}
  </div>`;
}

/** The findings of a layer that hold at the frame's step. */
const findingsOf = (frame: Frame | null, layer: number): readonly RunFinding[] =>
  (frame?.findings ?? []).filter((each) => each.layer === layer && holdsAt(each, frame!.position.step));

/** The numbers of the selected layer, in a region of fixed height, so that no row moves. */
function layerDetails(context: Context, model: ModelInfo, frame: Frame | null): TemplateResult {
  const info = context.data.layer === null ? undefined : model.layers[context.data.layer];
  if (!info)
    return html`<section class="layer-details" aria-label="Selected layer">
      <p class="hint">Select a layer for its numbers, and to follow it in all views.</p>
    </section>`;
  const reading = frame?.layers[info.index];
  const { activation = null, outputGradient = null } = reading ?? {};
  const count = info.parameters.reduce((sum, parameter) => sum + parameter.count, 0);
  const samples = frame?.batchPosition.samples ?? 0;
  const [finding] = findingsOf(frame, info.index);
  return html`<section class="layer-details" aria-label="Selected layer">
    <p>
      <b><bdi>${info.name}</bdi></b>
      <span class="hint"
        >${kindLabel(info.kind)}
        ${formatShape(info.inputShape)}→${formatShape(info.outputShape)}${count > 0 ? `, ${pluralize(count, 'parameter')}` : ''}${info.specLocation ? `, line ${info.specLocation.line}` : ''}</span
      >
    </p>
    <p>
      <span class="hint">output</span> ${renderValue(activation?.mean, { title: 'mean' })}
      <span class="hint">±</span> ${renderValue(activation?.std, { title: 'standard deviation' })}
      <span class="hint">from</span> ${renderValue(activation?.low)} <span class="hint">to</span>
      ${renderValue(activation?.high)}
    </p>
    <p>
      <span class="hint">‖dL/d output‖</span> ${renderValue(outputGradient?.norm)}${
        count > 0
          ? html`,
              <span class="hint">update / weights</span>
              ${renderValue(maxUpdateRatio(info, reading), { title: RATIO_TITLE })}`
          : nothing
      }
      ${samples > 0 ? html`<span class="hint">(batch of ${formatInteger(samples)})</span>` : nothing}
    </p>
    ${
      finding
        ? html`<p class="finding" title=${`${finding.observation} ${finding.remedy}`}>
            ${renderIcon('warning')} <bdi>${finding.observation}</bdi>
          </p>`
        : nothing
    }
  </section>`;
}

const RATIO_TITLE = 'largest ‖update‖ / ‖weights‖ of its weights';

/** The direction of the last completed phase through a row, for its color and arrow. */
function phaseClass(phase: Phase | null, matches: (phase: Phase) => boolean): string {
  if (!phase || !matches(phase)) return '';
  return phase.kind === 'forward' || phase.kind === 'loss'
    ? 'forward'
    : phase.kind === 'backward' || phase.kind === 'loss_backward'
      ? 'backward'
      : 'touched';
}

const directionArrow = (way: string): TemplateResult | typeof nothing =>
  way === 'forward'
    ? html`<span class="direction">${renderIcon('arrow-down')}</span>`
    : way === 'backward'
      ? html`<span class="direction">${renderIcon('arrow-up')}</span>`
      : nothing;

function inputRow({ inputShape, samples, classes, taskDecision }: ModelInfo, phase: Phase | null): TemplateResult {
  const way = phaseClass(phase, () => false);
  const note = `${pluralize(samples.train, 'sample')} to train${samples.validation > 0 ? `, ${formatInteger(samples.validation)} to validate` : ''}${samples.test > 0 ? `, ${formatInteger(samples.test)} to test` : ''}`;
  return html`<div class="layer end ${way}">
    <span class="what"><b>input</b> <span class="kind">${formatShape(inputShape)}</span></span>
    <span class="note" title=${note}>${note}</span>
    ${taskDecision === null ? nothing : html`<span class="note" data-task title=${taskDecision}>${renderIcon('info')} target read as ${classes ? 'classes' : 'values'}</span>`}
  </div>`;
}

function lossRow(model: ModelInfo, frame: Frame | null, phase: Phase | null): TemplateResult {
  const { loss, losses = [], layers } = model;
  const way = phaseClass(phase, ({ kind }) => kind === 'loss' || kind === 'loss_backward');
  const parts = lossShares(model, frame?.losses).map(({ name, weight, value, share }, i) => {
    const { kind: ownKind, summary, layer } = losses[i]!;
    const from = layers[layer]?.name ?? '';
    return html`<div
      class="layer end loss ${way}"
      data-loss-part=${name}
      title="${kindLabel(ownKind)} of ${from}. ${summary}"
    >
      <span class="what"><b>${name}</b></span>
      <span class="note"
        >${weight === 1 ? nothing : html`${weight} × ${renderValue(value)} = `}${renderValue(share)}</span
      >
    </div>`;
  });
  return html`${parts}
    <div class="layer end loss ${way}" title=${losses.length > 0 ? nothing : loss.summary}>
      <span class="what"><b>loss</b> <span class="kind">${lossUnit(model)}</span>${directionArrow(way)}</span>
      <span class="note" data-loss>of the batch ${renderValue(frame?.loss)}</span>
    </div>`;
}

interface RowState {
  readonly frame: Frame | null;
  readonly axis: Range | null;
  readonly phase: Phase | null;
  readonly selected: boolean;
  readonly focusable: boolean;
  readonly select: () => void;
}

function renderRow(
  info: LayerInfo,
  layers: readonly LayerInfo[],
  { frame, axis, phase, selected, focusable, select }: RowState,
): TemplateResult {
  const reading = frame?.layers[info.index];
  const count = info.parameters.reduce((sum, parameter) => sum + parameter.count, 0);
  const from = describeInputs(layers, info.index);
  const shared = info.sharedParameters.map(({ name }) => name).join(', ');
  const way = phaseClass(
    phase,
    (at) =>
      ((at.kind === 'forward' || at.kind === 'backward') && at.layer === info.index) ||
      (at.kind === 'update' && count > 0),
  );
  return html`<div
    class="layer ${way} ${selected ? 'selected' : ''}"
    role="option"
    data-layer=${info.index}
    aria-selected=${selected ? 'true' : 'false'}
    tabindex=${focusable ? 0 : -1}
    @click=${select}
  >
    <span class="what" ${styleProperties({ '--depth': String(info.blocks.length) })}>
      <span class="name"
        ><b title=${info.name}>${info.name}</b
        >${directionArrow(way)}${findingMark(frame, info.index)}${modeTag(info)}${count > 0 ? idleBadge(info, reading, frame) : nothing}</span
      >
      ${info.blocks.length > 0 ? html`<span class="visually-hidden">in ${info.blocks.map(({ label }) => label).join(', ')}</span>` : nothing}
      <span class="kind" title=${`${info.kind}, ${formatShape(info.inputShape)} to ${formatShape(info.outputShape)}`}>
        ${info.kind}
        ${formatShape(info.inputShape)}→${formatShape(info.outputShape)}${count > 0 ? html`<span class="count" title=${pluralize(count, 'parameter')}> · ${formatInteger(count)}</span>` : nothing}
      </span>
      ${from === null ? nothing : html`<span class="kind" data-inputs title="Takes the output of ${from}">← <bdi>${from}</bdi></span>`}
      ${shared === '' ? nothing : html`<span class="kind" data-shared title="Uses ${shared}, and adds to its gradient">= <bdi>${shared}</bdi></span>`}
    </span>
    ${outputCell(info, reading)} ${gradientCell(reading, axis)} ${ratioCell(info, reading, frame)}
  </div>`;
}

function findingMark(frame: Frame | null, layer: number): TemplateResult | typeof nothing {
  const texts = findingsOf(frame, layer).map(({ observation }) => observation);
  if (texts.length === 0) return nothing;
  return html`<span class="finding" title=${texts.join(' ')}
    >${renderIcon('warning')}<span class="visually-hidden">finding</span></span
  >`;
}

/** The mode during a step, for layers with two. */
function modeTag({ modes }: LayerInfo): TemplateResult | typeof nothing {
  if (!modes) return nothing;
  return html`<span
    class="mode"
    title=${`In training mode it ${modes.training}. In inference mode it ${modes.evaluation}.`}
    >train</span
  >`;
}

function idleBadge(
  { idleness, index }: LayerInfo,
  reading: LayerStats | undefined,
  frame: Frame | null,
): TemplateResult | typeof nothing {
  const idle = reading?.activation?.idle ?? null;
  if (idle === null || idle === 0 || !idleness) return nothing;
  const many = frame?.findings.some(
    (finding) =>
      finding.layer === index && finding.code === `${idleness.name}-units` && holdsAt(finding, frame.position.step),
  );
  return html`<span
    class="badge ${many ? 'many' : ''}"
    data-idle=${formatExact(idle)}
    title=${`${formatPercent(idle)} of the units are ${idleness.name}. ${idleness.rule}`}
  >
    ${formatPercent(idle)} <span class="word ${idleness.name}">${idleness.name}</span>
  </span>`;
}

/** The column's heading, for screen readers. */
const visuallyHidden = (text: string): TemplateResult => html`<span class="visually-hidden">, ${text} </span>`;

function outputCell({ index }: LayerInfo, reading: LayerStats | undefined): TemplateResult {
  const activation = reading?.activation ?? null;
  return html`<span class="cell">
    <canvas
      class="histogram"
      data-histogram=${index}
      width="1"
      height="1"
      title=${activation ? `from ${formatExact(activation.low)} to ${formatExact(activation.high)}` : 'not measured yet'}
    ></canvas>
    <span class="below" data-activation
      >${visuallyHidden('output')}${renderValue(activation?.mean, { signed: true, title: 'mean' })}${
        activation
          ? html`<span class="plus-minus">±</span>${renderValue(activation.std, { title: 'standard deviation' })}`
          : nothing
      }</span
    >
  </span>`;
}

function gradientCell(reading: LayerStats | undefined, axis: Range | null): TemplateResult {
  const norm = reading?.outputGradient?.norm ?? null;
  const share = axis && norm !== null && Number.isFinite(norm) ? logFraction(norm, axis) : 0;
  // The smallest decade stays visible.
  const broken = norm !== null && !Number.isFinite(norm);
  const width = broken ? 1 : norm !== null && norm > 0 ? Math.max(0.02, share) : 0;
  return html`<span class="cell">
    <span class="bar ${broken ? 'broken' : ''}"><i ${styleProperties({ width: percent(width) })}></i></span>
    <span class="below" data-gradient
      >${visuallyHidden('gradient norm')}${renderValue(norm, { title: '‖dL/d output‖' })}</span
    >
  </span>`;
}

const isOutsideHealthyRange = (ratio: number): boolean => !(ratio >= HEALTHY_RATIO.min && ratio <= HEALTHY_RATIO.max);

function ratioDot({ name, updateRatio }: ParameterStats, first: boolean): TemplateResult | typeof nothing {
  if (updateRatio === null || Number.isNaN(updateRatio)) return nothing;
  return html`<i
    class="point ${first ? '' : 'hollow'} ${isOutsideHealthyRange(updateRatio) ? 'off' : ''}"
    title=${`${name}: ${formatExact(updateRatio)}`}
    ${styleProperties({ left: percent(logFraction(updateRatio, RATIO_AXIS)) })}
  ></i>`;
}

function ratioCell(info: LayerInfo, reading: LayerStats | undefined, frame: Frame | null): TemplateResult {
  const { parameters } = info;
  // Layers without weights show their idle units in this column.
  if (parameters.length === 0) return html`<span class="cell alone">${idleBadge(info, reading, frame)}</span>`;
  const ratio = maxUpdateRatio(info, reading);
  const off = ratio !== null && isOutsideHealthyRange(ratio);
  const where = !off ? '' : ratio > HEALTHY_RATIO.max ? '↑' : '↓';
  return html`<span class="cell">
    <span class="ruler">
      <i
        class="band"
        ${styleProperties({ left: percent(logFraction(HEALTHY_RATIO.min, RATIO_AXIS)), right: percent(1 - logFraction(HEALTHY_RATIO.max, RATIO_AXIS)) })}
      ></i>
      ${reading?.parameters.map((parameter, i) => ratioDot(parameter, i === 0)) ?? nothing}
    </span>
    <span class="below" data-ratio
      >${visuallyHidden('update to weight')}${
        where
          ? html`<span class="off" title=${`${where === '↑' ? 'Above' : 'Below'} the healthy band of 1e−4 to 1e−1`}
              >${where}</span
            >`
          : nothing
      }${renderValue(ratio, { title: RATIO_TITLE })}</span
    >
  </span>`;
}
