// Where a number comes from: a popover beside the number, with the terms that it is computed from. Each term leads to
// its own origin, down to the data; the numbers followed so far stay as a trail.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { LayerInfo, ModelInfo, Query, QueryValue } from '../../src/protocol/panel';
import { formatIndex, formatInteger } from '../../src/presentation/numbers';
import { shownStep } from '../../src/presentation/phases';
import { unravelIndex } from '../../src/presentation/tensor-index';
import type { Component, Context } from '../context';
import {
  nodeLabel,
  updateRule,
  nodeScope,
  nodeShape,
  type StepNodeEntry,
  type StepNodeId,
} from '../../src/presentation/step-nodes';
import { formula } from './formula';
import { NO_VALUE, renderIcon, renderValue } from './number-value';
import { followedSample } from './selection';

/** Terms that are shown at first. */
const FIRST_TERMS = 6;
/** Pixels between the number and the popover, and between the popover and the edge of the panel. */
const GAP = 6;
/** Lower than this, it would hide its own content. */
const MIN_HEIGHT = 160;

/** A number that is explained. */
interface TracedEntry extends StepNodeEntry {
  /** The sample, if it is not the one that views follow. */
  readonly sample?: number;
}

type Attribution = QueryValue<'attribution'>;

export interface Why extends Component {
  /** Explains a number beside the element that shows it. */
  open(entry: StepNodeEntry, anchor: Element): void;
  /** What frames must answer while it is open. */
  readonly queries: readonly Query[];
}

/** @param onQueriesChange it is open, closed, or explains another number */
export function mountWhy(host: HTMLElement, context: Context, onQueriesChange: () => void): Why {
  let trail: readonly TracedEntry[] = [];
  let anchor: { readonly element: Element; rect: DOMRect } | null = null;
  let showsAll = false;
  let run = -1;
  /** The latest answer, and the number that it explains: frames of a running session may be without it. */
  let answered: { readonly key: string; readonly value: Attribution | null; readonly step: number } | null = null;
  let placed = '';

  const query = (): Query<'attribution'> | null => {
    const entry = trail.at(-1);
    return entry
      ? {
          type: 'attribution',
          node: entry.node,
          index: entry.index,
          sample: entry.sample ?? context.settings.sample,
        }
      : null;
  };
  const popover = (): HTMLElement | null => host.querySelector('.why');
  const isOpen = (): boolean => popover()?.matches(':popover-open') ?? false;

  const show = (entries: readonly TracedEntry[], focus: boolean): void => {
    trail = entries;
    showsAll = false;
    onQueriesChange();
    update();
    if (focus) popover()?.querySelector<HTMLElement>('tbody .link, .trail .link, .close')?.focus();
  };
  const close = (): void => {
    const element = anchor?.element as HTMLElement | undefined;
    element?.removeAttribute('aria-expanded');
    const hadFocus = host.contains(document.activeElement);
    trail = [];
    anchor = null;
    placed = '';
    if (isOpen()) popover()?.hidePopover();
    onQueriesChange();
    if (hadFocus && element?.isConnected) element.focus();
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const links = [...(popover()?.querySelectorAll<HTMLElement>('tbody .link') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const handlers: Record<string, () => void> = {
      ArrowDown: () => links[Math.min(links.length - 1, at + 1)]?.focus(),
      ArrowUp: () => links[Math.max(0, at - 1)]?.focus(),
      ArrowRight: () => links[at]?.click(),
      ArrowLeft: () => trail.length > 1 && show(trail.slice(0, -1), true),
      Escape: close,
    };
    const handle = handlers[event.key];
    if (!handle) return;
    event.preventDefault();
    event.stopPropagation();
    handle();
  };

  /** Beside the number where there is room, completely visible, and without covering the number if possible. */
  const place = (): void => {
    const element = popover();
    if (!element || !anchor) return;
    if (anchor.element.isConnected) anchor.rect = anchor.element.getBoundingClientRect();
    const { rect } = anchor;
    const { documentElement: page } = document;
    const [pageWidth, pageHeight] = [page.clientWidth, page.clientHeight];
    element.style.setProperty('max-height', 'none');
    const { offsetWidth: width, offsetHeight: natural } = element;
    const room = {
      below: pageHeight - rect.bottom - 2 * GAP,
      above: rect.top - 2 * GAP,
      right: pageWidth - rect.right - 2 * GAP,
      left: rect.left - 2 * GAP,
    };
    const height = Math.min(natural, pageHeight - 2 * GAP);
    const isBeside = Math.max(room.right, room.left) >= width && Math.max(room.below, room.above) < height;
    let left = Math.min(Math.max(GAP, rect.left), pageWidth - width - GAP);
    let top: number;
    let most = pageHeight - 2 * GAP;
    if (isBeside) {
      left = room.right >= width ? rect.right + GAP : rect.left - GAP - width;
      top = Math.min(Math.max(GAP, rect.top - 20), pageHeight - height - GAP);
    } else {
      const below = room.below >= height || room.below >= room.above;
      most = Math.max(MIN_HEIGHT, below ? room.below : room.above);
      top = below ? rect.bottom + GAP : rect.top - GAP - Math.min(height, most);
      top = Math.max(GAP, Math.min(top, pageHeight - Math.min(height, most) - GAP));
    }
    element.style.setProperty('left', `${Math.round(left)}px`);
    element.style.setProperty('top', `${Math.round(top)}px`);
    element.style.setProperty('max-height', `${Math.floor(most)}px`);
  };

  const update = (): void => {
    const { data } = context;
    if (run !== data.runVersion) {
      run = data.runVersion;
      trail = [];
      answered = null;
      if (isOpen()) close();
    }
    const asked = query();
    if (!asked || !data.model) {
      render(nothing, host);
      return;
    }
    const key = JSON.stringify(asked);
    const { frame } = data;
    const result = frame?.queryResults.find((each) => JSON.stringify(each.query) === key);
    if (result && frame)
      answered = { key, value: (result.value as Attribution | null) ?? null, step: shownStep(frame) };
    const current = answered?.key === key ? answered : null;
    render(
      html`<section
        class="popover why"
        popover="manual"
        role="dialog"
        aria-label="Where a value comes from"
        @keydown=${onKeyDown}
      >
        ${content(data.model, current)}
      </section>`,
      host,
    );
    const element = popover();
    if (element && !isOpen()) element.showPopover();
    const placement = `${key} ${current ? 'answered' : ''} ${showsAll}`;
    if (placement === placed) return;
    placed = placement;
    place();
  };

  const content = (
    model: ModelInfo,
    current: { readonly value: Attribution | null; readonly step: number } | null,
  ): TemplateResult => {
    const entry = trail.at(-1)!;
    const value = current?.value ?? null;
    return html`<header>
        <h2>
          Why is
          <bdi>${entryLabel(model, entry)}</bdi>
          ${value ? html`= ${renderValue(value.value, { signed: false })}` : nothing}?
        </h2>
        <button class="tool close" aria-label="Close" title="Close (Esc)" @click=${close}>
          ${renderIcon('close')}
        </button>
      </header>
      ${
        trail.length > 1
          ? html`<nav class="trail" aria-label="Values followed so far">
              ${trail.slice(0, -1).map(
                (each, i) =>
                  html`<button class="link" @click=${() => show(trail.slice(0, i + 1), true)}>
                      <bdi>${entryLabel(model, each)}</bdi></button
                    >${' › '}`,
              )}<b><bdi>${entryLabel(model, entry)}</bdi></b>
            </nav>`
          : nothing
      }
      <p class="hint">${origin(model, entry, value, current?.step ?? null)}</p>
      ${
        value
          ? explanation(model, entry, value)
          : html`<p class="hint">
              ${
                current
                  ? 'Not computed yet in this step, or this sample is not in the current batch.'
                  : 'Computing where it comes from…'
              }
            </p>`
      }`;
  };

  /** Whose number it is, with links to its layer, the layer's line in the spec, and the sample's row in the data. */
  const origin = (model: ModelInfo, entry: TracedEntry, value: Attribution | null, step: number | null) => {
    const { node } = entry;
    const info = 'layer' in node ? model.layers[node.layer] : undefined;
    const sample = value?.sample ?? entry.sample ?? followedSample(context);
    const scope = nodeScope(node);
    const batch = context.data.frame?.batchPosition.samples ?? 0;
    return html`${
      scope === 'sample'
        ? html`<button class="link" title="Show this row in Data" @click=${() => showRow(sample)}>
              sample ${sample === null ? NO_VALUE : formatInteger(sample)}</button
            >${entry.sample !== undefined && entry.sample !== context.settings.sample ? html` (another one of the batch)` : nothing}`
        : scope === 'batch'
          ? html`batch, Σ of ${formatInteger(batch)} samples`
          : html`weight, the same for all samples`
    }${info ? html` · ${layerLinks(info)}` : nothing}${step === null ? nothing : html` · step ${formatInteger(step)}`}`;
  };

  const layerLinks = ({ index, name, specLocation }: LayerInfo): TemplateResult =>
    html`<button class="link" title="Select this layer" @click=${() => context.selectLayer(index)}>
        <bdi>${name}</bdi></button
      >${
        specLocation
          ? html` ·
              <button
                class="link"
                title=${`Select this line in the spec: ${specLocation.text}`}
                @click=${() => context.extension.selectLayer(index)}
              >
                line ${specLocation.line}
              </button>`
          : nothing
      }`;

  const showRow = (sample: number | null): void => {
    if (sample === null) return;
    const { settings } = context;
    close();
    context.updateSettings({
      view: 'data',
      sample,
      viewState: { ...settings.viewState, data: { split: null, from: sample } },
    });
  };

  const explanation = (model: ModelInfo, { node }: TracedEntry, why: Attribution): TemplateResult => {
    const rule = why.formula?.latex ?? updateRule(model, node);
    const terms = showsAll ? why.terms : why.terms.slice(0, FIRST_TERMS);
    const hidden = why.termCount - terms.length;
    const hiddenSum = why.terms.slice(terms.length).reduce((sum, term) => sum + term.value, why.remainder);
    const isSum = why.kind === 'sum';
    return html`${rule ? html`<div class="rule">${formula(rule)}</div>` : nothing}
      <p class="hint">${describeKind(node, why)}</p>
      ${
        terms.length > 0
          ? html`<table>
                <thead>
                  <tr>
                    <th scope="col">${{ sum: 'term', function: 'derivative', rule: 'value', given: '' }[why.kind]}</th>
                    <th scope="col" class="text">of</th>
                  </tr>
                </thead>
                <tbody>
                  ${terms.map(
                    (term) =>
                      html`<tr>
                        <td>${renderValue(term.value, { signed: true })}</td>
                        <td class="text">
                          ${(isSum ? term.factors : term.factors.filter(({ source }) => source)).map((factor, i) => html`${i > 0 ? (isSum ? ' × ' : ', ') : nothing}${factorOf(model, factor, why)}`)}
                        </td>
                      </tr>`,
                  )}
                  ${
                    hidden > 0
                      ? html`<tr>
                          <td>${isSum ? renderValue(hiddenSum, { signed: true }) : nothing}</td>
                          <td class="text hint">${formatInteger(hidden)} more${isSum ? ', together' : ''}</td>
                        </tr>`
                      : nothing
                  }
                </tbody>
              </table>
              ${
                why.terms.length > terms.length
                  ? html`<button class="quiet" @click=${showAll}>Show ${why.terms.length - terms.length} more</button>`
                  : nothing
              }`
          : nothing
      }`;
  };

  const showAll = (): void => {
    showsAll = true;
    update();
  };

  const factorOf = (
    model: ModelInfo,
    { value, source, name, sample }: Attribution['terms'][number]['factors'][number],
    why: Attribution,
  ): TemplateResult => {
    if (!source) return html`${name} ${renderValue(value, { signed: true })}`;
    // A term of another sample of the batch is followed without selecting that sample everywhere.
    const other = sample ?? trail.at(-1)?.sample;
    const next: TracedEntry = {
      ...source,
      ...(other !== undefined && other !== followedSample(context) && { sample: other }),
    };
    return html`<button class="link" @click=${() => show([...trail, next], true)}>
        <bdi>${entryLabel(model, source)}</bdi
        >${sample === undefined ? nothing : html` of sample ${formatInteger(sample)}`}</button
      >${why.kind === 'rule' ? nothing : html` ${renderValue(value, { signed: true })}`}`;
  };

  // A click elsewhere closes it; a click on another number opens it there.
  const onPointerDown = ({ target }: Event): void => {
    if (isOpen() && !(target instanceof Node && host.contains(target))) close();
  };
  const onEscape = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && isOpen()) close();
  };
  document.addEventListener('pointerdown', onPointerDown, true);
  document.addEventListener('keydown', onEscape);
  const onResize = (): void => {
    placed = '';
    update();
  };
  window.addEventListener('resize', onResize);

  return {
    open(entry, element) {
      anchor?.element.removeAttribute('aria-expanded');
      // The number that is explained stays marked.
      element.setAttribute('aria-expanded', 'true');
      anchor = { element, rect: element.getBoundingClientRect() };
      placed = '';
      show([entry], true);
    },
    get queries() {
      const asked = query();
      return asked ? [asked] : [];
    },
    update(text) {
      if (text) update();
    },
    dispose() {
      document.removeEventListener('pointerdown', onPointerDown, true);
      document.removeEventListener('keydown', onEscape);
      window.removeEventListener('resize', onResize);
      render(nothing, host);
    },
  };
}

/** `output of hidden[2]`. */
function entryLabel(model: ModelInfo, { node, index }: StepNodeEntry): string {
  const shape = nodeShape(model, node);
  return `${nodeLabel(model, node)}${formatIndex(shape ? unravelIndex(index, shape) : [index])}`;
}

function describeKind(node: StepNodeId, { kind, terms, termCount }: Attribution): string {
  switch (kind) {
    case 'sum':
      return `The sum of ${formatInteger(termCount)} ${termCount === 1 ? 'term' : 'terms'}, largest first:`;
    case 'function':
      return terms.length > 0
        ? 'A function of these values. The derivative with respect to each:'
        : 'Computed by the whole layer from all samples of the batch; there are too many terms to list.';
    case 'rule':
      return 'Computed by the rule from the prediction and the target:';
    case 'given':
      if (node.of === 'loss_gradient') return 'The derivative of the loss with respect to itself.';
      if (node.of === 'parameter') return 'Its initial value plus all updates so far.';
      return node.of === 'update' ? 'Computed by the optimizer from the gradient.' : 'Given by the data.';
  }
}
