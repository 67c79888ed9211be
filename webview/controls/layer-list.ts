// The spine: one row a layer from input to loss, with what its output looks like, how large the gradient is that
// reaches it, and how far its weights move. All rows share their axes, so that a staircase is seen at once.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { decadeTicks, StickyRange, type Range } from '../charts/axes';
import type { Context, Mounted } from '../context';
import type { Frame, LayerInfo, LayerReading, ModelInfo, ParameterReading, Phase } from '../../src/protocol/panel';
import { counted, formatCount, formatPower, formatShape, formatShare, fullNumber } from '../numbers';
import { IDLE, standsOut } from '../stands-out';
import { lastPhase, words } from '../words';
import { drawHistogram } from './mini-histogram';
import { placed } from './placed';
import { icon, value } from './value';

/** Ends of the ruler of update ratios, and its healthy band: about 1e-3 (CS231n), between 1e-4 and 1e-1 in use. */
export const RATIO_AXIS: Range = { min: 1e-6, max: 1 };
export const HEALTHY_RATIO: Range = { min: 1e-4, max: 1e-1 };

/** Where a value lies on a logarithmic axis, 0 to 1; what is outside lies at its end. */
export function logShare(of: number, { min, max }: Range): number {
  if (!(of > 0)) return 0;
  return Math.min(1, Math.max(0, Math.log10(of / min) / Math.log10(max / min)));
}

/** The largest update ratio of a layer's parameters. */
export function largestRatio(reading: LayerReading | undefined): number | null {
  const ratios = (reading?.parameters ?? []).flatMap(({ updateRatio }) => (updateRatio === null ? [] : [updateRatio]));
  return ratios.length === 0 ? null : ratios.some(Number.isNaN) ? NaN : Math.max(...ratios);
}

const percent = (share: number): string => `${(share * 100).toFixed(2)}%`;

export function mountLayerList(host: HTMLElement, context: Context): Mounted {
  const range = StickyRange.decades();
  let run = -1;
  let shown: number | null = null;

  const fit = (frame: Frame | null): Range | null => {
    if (run !== context.data.run) {
      run = context.data.run;
      range.reset();
    }
    const norms = (frame?.layers ?? []).flatMap(({ outputGradient }) => {
      const norm = outputGradient?.norm ?? 0;
      return norm > 0 && Number.isFinite(norm) ? [norm] : [];
    });
    return range.fit(norms.length > 0 ? { min: Math.min(...norms), max: Math.max(...norms) } : null, performance.now());
  };

  const key = (event: KeyboardEvent): void => {
    const { data } = context;
    const last = (data.model?.layers.length ?? 0) - 1;
    const at = data.layer ?? -1;
    const focused = Number((event.target as HTMLElement).dataset.layer ?? 0);
    const moves: Record<string, number> = {
      ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last, Enter: focused, ' ': focused,
    };
    const to = moves[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const layer = Math.max(0, Math.min(last, to));
    context.select(layer);
    host.querySelector<HTMLElement>(`[data-layer="${layer}"]`)?.focus();
  };

  /** Only where the list scrolls by itself: the page must not jump. */
  const reveal = (layer: number | null): void => {
    if (layer === null || getComputedStyle(host).overflowY === 'visible') return;
    // The head and what stands out lie over the rows.
    host.style.scrollPaddingTop = `${host.querySelector<HTMLElement>('.head')?.offsetHeight ?? 0}px`;
    host.style.scrollPaddingBottom = `${host.querySelector<HTMLElement>('.stands-out')?.offsetHeight ?? 0}px`;
    const scroll = (): void => host.querySelector(`[data-layer="${layer}"]`)?.scrollIntoView({ block: 'nearest' });
    scroll();
    // Rows that came into sight have the size only now that they are drawn with.
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
      const phase = running ? null : lastPhase(model, frame);
      render(
        html`
          ${head(axis)}
          ${inputRow(model, phase)}
          <div class="rows" role="listbox" aria-label="Layers, from input to loss" @keydown=${key}>
            ${model.layers.map((info) =>
              row(info, {
                frame, axis, phase, selected: layer === info.index,
                focusable: layer === null ? info.index === 0 : layer === info.index,
                select: () => context.select(info.index),
              }),
            )}
          </div>
          ${lossRow(model, frame, phase)}
          ${outstanding(model, frame, context)}
        `,
        host,
      );
      draw();
      if (layer !== shown) reveal((shown = layer));
    },
    dispose: () => render(nothing, host),
  };
}

function head(axis: Range | null): TemplateResult {
  const ticks = axis ? decadeTicks(axis, 2) : [];
  return html`<div class="layer head" aria-hidden="true">
    <span>Layer</span>
    <span title="Histogram of the layer's output over the batch; below it mean ± standard deviation">Output</span>
    <span class="axis" title="Euclidean norm of dL/d output, on one logarithmic axis for all layers">
      ‖dL/d out‖
      <small>${axis ? html`<i>${formatPower(ticks[0])}</i><i>${formatPower(Math.round(Math.log10(axis.max)))}</i>` : nothing}</small>
    </span>
    <span class="axis" title="How far an update moves the weights: ‖update‖ / ‖weights‖. About 1e-3 is healthy; the band is 1e-4 to 1e-1.">
      update / w
      <small><i>${formatPower(-6)}</i><i>1</i></small>
    </span>
  </div>`;
}

/** Which way the phase that was done last goes through a row, for its colour and its arrow. */
function lit(phase: Phase | null, matches: (phase: Phase) => boolean): string {
  if (!phase || !matches(phase)) return '';
  return phase.kind === 'forward' || phase.kind === 'loss' ? 'forward' : phase.kind === 'backward' || phase.kind === 'loss_backward' ? 'backward' : 'touched';
}

const arrow = (way: string): TemplateResult | typeof nothing =>
  way === 'forward' ? html`<span class="way">${icon('arrow-down')}</span>` : way === 'backward' ? html`<span class="way">${icon('arrow-up')}</span>` : nothing;

function inputRow({ inputShape, samples }: ModelInfo, phase: Phase | null): TemplateResult {
  const way = lit(phase, () => false);
  const note = `${counted(samples.train, 'sample')} to train${samples.validation > 0 ? `, ${formatCount(samples.validation)} to validate` : ''}${samples.test > 0 ? `, ${formatCount(samples.test)} to test` : ''}`;
  return html`<div class="layer end ${way}">
    <span class="what"><b>input</b> <span class="kind">${formatShape(inputShape)}</span></span>
    <span class="note" title=${note}>${note}</span>
  </div>`;
}

function lossRow({ loss }: ModelInfo, frame: Frame | null, phase: Phase | null): TemplateResult {
  const way = lit(phase, ({ kind }) => kind === 'loss' || kind === 'loss_backward');
  return html`<div class="layer end loss ${way}" title=${loss.summary}>
    <span class="what"><b>loss</b> <span class="kind">${words(loss.kind)}</span>${arrow(way)}</span>
    <span class="note" data-loss>of the batch ${value(frame?.loss)}</span>
  </div>`;
}

/** Under the rows, so that it moves none of them. */
function outstanding(model: ModelInfo, frame: Frame | null, { select }: Context): TemplateResult | typeof nothing {
  const findings = standsOut(model, frame);
  if (findings.length === 0) return nothing;
  return html`<section class="stands-out" aria-label="What stands out">
    <h2>What stands out</h2>
    <ul>${findings.map(({ layer, seen, remedy }) => html`<li data-finding=${layer}>${icon('warning')}<p><bdi>${seen}</bdi> <span class="remedy"><bdi>${remedy}</bdi></span>
      <button class="link" title="Selects the layer everywhere and marks it in the spec" @click=${() => select(layer)}>Show <bdi>${model.layers[layer].name}</bdi></button></p></li>`)}</ul>
  </section>`;
}

interface RowState {
  readonly frame: Frame | null;
  readonly axis: Range | null;
  readonly phase: Phase | null;
  readonly selected: boolean;
  readonly focusable: boolean;
  readonly select: () => void;
}

function row(info: LayerInfo, { frame, axis, phase, selected, focusable, select }: RowState): TemplateResult {
  const reading = frame?.layers[info.index];
  const count = info.parameters.reduce((sum, parameter) => sum + parameter.count, 0);
  const way = lit(
    phase,
    (at) => ((at.kind === 'forward' || at.kind === 'backward') && at.layer === info.index) || (at.kind === 'update' && count > 0),
  );
  return html`<div class="layer ${way} ${selected ? 'selected' : ''}" role="option" data-layer=${info.index}
    aria-selected=${selected ? 'true' : 'false'} tabindex=${focusable ? 0 : -1}
    @click=${select}>
    <span class="what">
      <span class="name"><b title=${info.name}>${info.name}</b>${arrow(way)}${modeTag(info)}${count > 0 ? idleBadge(info, reading) : nothing}</span>
      <span class="kind" title=${`${info.kind}, ${formatShape(info.inputShape)} to ${formatShape(info.outputShape)}`}>
        ${info.kind} ${formatShape(info.inputShape)}→${formatShape(info.outputShape)}${count > 0 ? html`<span class="count" title=${counted(count, 'parameter')}> · ${formatCount(count)}</span>` : nothing}
      </span>
    </span>
    ${outputCell(info, reading)} ${gradientCell(reading, axis)} ${ratioCell(info, reading)}
  </div>`;
}

/** Which mode it is in at a step, for a layer that has two. */
function modeTag({ modes }: LayerInfo): TemplateResult | typeof nothing {
  if (!modes) return nothing;
  return html`<span class="mode" title=${`In training mode, as at every step, it ${modes.training}. In evaluation mode it ${modes.evaluation}.`}>train</span>`;
}

function idleBadge({ idleness }: LayerInfo, reading: LayerReading | undefined): TemplateResult | typeof nothing {
  const idle = reading?.activation?.idle ?? null;
  if (idle === null || idle === 0 || !idleness) return nothing;
  const many = idle >= IDLE;
  return html`<span class="badge ${many ? 'many' : ''}" data-idle=${fullNumber(idle)} title=${`${formatShare(idle)} of the units are ${idleness.name}. ${idleness.rule}`}>
    ${many ? icon('warning') : nothing}${formatShare(idle)} <span class="word">${idleness.name}</span>
  </span>`;
}

/** What the column's heading says to who sees it. */
const unseen = (text: string): TemplateResult => html`<span class="unseen">, ${text} </span>`;

function outputCell({ index }: LayerInfo, reading: LayerReading | undefined): TemplateResult {
  const activation = reading?.activation ?? null;
  return html`<span class="cell">
    <canvas class="histogram" data-histogram=${index} width="1" height="1"
      title=${activation ? `from ${fullNumber(activation.low)} to ${fullNumber(activation.high)}` : 'not measured yet'}></canvas>
    <span class="below" data-activation>${unseen('output')}${value(activation?.mean, { signed: true, title: 'mean' })}${
      activation ? html`<span class="pm">±</span>${value(activation.std, { title: 'standard deviation' })}` : nothing
    }</span>
  </span>`;
}

function gradientCell(reading: LayerReading | undefined, axis: Range | null): TemplateResult {
  const norm = reading?.outputGradient?.norm ?? null;
  const share = axis && norm !== null && Number.isFinite(norm) ? logShare(norm, axis) : 0;
  // The smallest decade still shows.
  const broken = norm !== null && !Number.isFinite(norm);
  const width = broken ? 1 : norm !== null && norm > 0 ? Math.max(0.02, share) : 0;
  return html`<span class="cell">
    <span class="bar ${broken ? 'broken' : ''}"><i ${placed({ width: percent(width) })}></i></span>
    <span class="below" data-gradient>${unseen('gradient norm')}${value(norm, { title: '‖dL/d output‖' })}</span>
  </span>`;
}

const outside = (ratio: number): boolean => !(ratio >= HEALTHY_RATIO.min && ratio <= HEALTHY_RATIO.max);

function ratioDot({ name, updateRatio }: ParameterReading, first: boolean): TemplateResult | typeof nothing {
  if (updateRatio === null || Number.isNaN(updateRatio)) return nothing;
  return html`<i class="point ${first ? '' : 'hollow'} ${outside(updateRatio) ? 'off' : ''}" title=${`${name}: ${fullNumber(updateRatio)}`}
    ${placed({ left: percent(logShare(updateRatio, RATIO_AXIS)) })}></i>`;
}

function ratioCell(info: LayerInfo, reading: LayerReading | undefined): TemplateResult {
  const { parameters } = info;
  // A layer without weights has room here for what can be off with its units.
  if (parameters.length === 0) return html`<span class="cell alone">${idleBadge(info, reading)}</span>`;
  const ratio = largestRatio(reading);
  const off = ratio !== null && outside(ratio);
  const where = !off ? '' : ratio > HEALTHY_RATIO.max ? '↑' : '↓';
  return html`<span class="cell">
    <span class="ruler">
      <i class="band" ${placed({ left: percent(logShare(HEALTHY_RATIO.min, RATIO_AXIS)), right: percent(1 - logShare(HEALTHY_RATIO.max, RATIO_AXIS)) })}></i>
      ${reading?.parameters.map((parameter, i) => ratioDot(parameter, i === 0)) ?? nothing}
    </span>
    <span class="below" data-ratio>${unseen('update to weight')}${
      where ? html`<span class="off" title=${`${where === '↑' ? 'Above' : 'Below'} the healthy band of 1e−4 to 1e−1`}>${where}</span>` : nothing
    }${value(ratio, { title: 'largest ‖update‖ / ‖weights‖' })}</span>
  </span>`;
}
