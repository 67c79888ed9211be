// What is said at a stop of a lecture, and in presentation mode what the phase computed: its formulas, its terms with
// their numbers, and the sample. One term is highlighted, here and in the picture and the spec.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { unsafeHTML } from 'lit/directives/unsafe-html.js';
import type { Frame, ModelInfo, Query, QueryValue } from '../../src/protocol/panel';
import { formatInteger, formatShape, pluralize } from '../../src/presentation/numbers';
import { describePhase, lastCompletedPhase, phaseLabel, shownStep } from '../../src/presentation/phases';
import {
  computedNodes,
  isSameNode,
  nodeLabel,
  nodeScope,
  phaseRule,
  type StepNode,
  type StepNodeId,
} from '../../src/presentation/step-nodes';
import { termOf } from '../../src/presentation/terms';
import type { Component, Context, View } from '../context';
import { highlightedNode, moveHighlight, phaseTerms, positionKey } from '../state/highlight';
import { formula } from './formula';
import { commandOf, isEnabled } from './keybindings';
import { renderIcon, renderValue } from './number-value';
import type { PresentationAction } from './presentation-keys';
import { markTerm } from './term-marks';

/** Numbers of a term that are written out. */
const MAX_NUMBERS = 6;

type StepGraph = QueryValue<'step_graph'>;

export interface Stage extends Component {
  /** What frames must answer while it is shown. */
  readonly queries: readonly Query[];
  act(action: PresentationAction): void;
}

/** Whether there is anything to show. */
export const isStageShown = ({ data, settings }: Pick<Context, 'data' | 'settings'>): boolean =>
  settings.presenting || data.lecture.playing !== null || data.lecture.recording !== null;

export function mountStage(host: HTMLElement, context: Context, views: readonly View[]): Stage {
  let sentTerm: string | null = null;
  const query = (): Query<'step_graph'> => ({ type: 'step_graph', sample: context.settings.sample });

  const act = (action: PresentationAction): void => {
    const { data, extension } = context;
    const { playing } = data.lecture;
    switch (action) {
      case 'next':
        return playing ? void extension.lecture('next') : step('stepPhase');
      case 'back':
        return playing ? void extension.lecture('back') : step('backPhase');
      case 'first':
      case 'last':
        return playing ? void extension.lecture(action) : undefined;
      case 'nextTerm':
        return moveHighlight(context, 1);
      case 'previousTerm':
        return moveHighlight(context, -1);
      case 'leave':
        return context.updateSettings({ presenting: false });
    }
  };
  const step = (action: 'stepPhase' | 'backPhase'): void => {
    if (isEnabled(action, context.data)) context.sendCommand(commandOf(action, context.data.frame));
  };
  const canMove = (by: 1 | -1): boolean => {
    const { playing } = context.data.lecture;
    if (!playing) return isEnabled(by === 1 ? 'stepPhase' : 'backPhase', context.data);
    const to = playing.stop.index + by;
    return to >= 0 && to < playing.stop.count;
  };

  const button = (
    action: string,
    icon: string,
    label: string,
    onClick: () => void,
    { keys = '', enabled = true, showsText = false } = {},
  ): TemplateResult =>
    html`<button
      class="tool ${showsText ? 'labeled' : ''}"
      data-action=${action}
      aria-label=${label}
      aria-keyshortcuts=${keys || nothing}
      title=${keys ? `${label} (${keys})` : label}
      aria-disabled=${enabled ? 'false' : 'true'}
      @click=${() => enabled && onClick()}
    >
      ${renderIcon(icon)}${showsText ? html`<span>${label}</span>` : nothing}
    </button>`;

  const recordingBar = (): TemplateResult | typeof nothing => {
    const { recording } = context.data.lecture;
    if (!recording) return nothing;
    const { extension } = context;
    return html`<div class="recording" role="group" aria-label="Recording a lecture">
      ${renderIcon('record')}
      <button class="link" title="Open the file" @click=${() => void extension.lecture('openFile')}>
        <bdi>${recording.file}</bdi>
      </button>
      <span class="hint" role="status">${pluralize(recording.stops, 'stop')}</span>
      ${button('addStop', 'add', 'Add stop', () => void extension.lecture('addStop'), { showsText: true })}
      ${button('finish', 'check', 'Finish', () => void extension.lecture('finish'), { showsText: true })}
    </div>`;
  };

  const controls = (): TemplateResult => {
    const { data, settings, extension } = context;
    const { playing } = data.lecture;
    const { presenting } = settings;
    const what = playing ? 'stop' : 'phase';
    return html`<div class="stage-controls" role="group" aria-label="Lecture">
      ${button('back', 'chevron-left', `Previous ${what}`, () => act('back'), { keys: presenting ? 'ArrowLeft' : '', enabled: canMove(-1) })}
      ${playing ? html`<span class="number">${playing.stop.index + 1} / ${playing.stop.count}</span>` : nothing}
      ${button('next', 'chevron-right', `Next ${what}`, () => act('next'), { keys: presenting ? 'ArrowRight' : '', enabled: canMove(1) })}
      ${presenting ? viewMenu() : nothing}
      <span class="end"
        >${
          presenting
            ? button('leave', 'screen-normal', 'Leave presentation mode', () => act('leave'), { keys: 'Escape' })
            : button('present', 'screen-full', 'Present', () => context.updateSettings({ presenting: true }))
        }${
          playing
            ? html`${button('export', 'export', 'Export the lecture', () => void extension.lecture('export'))}${button('closeLecture', 'close', 'Close the lecture', () => void extension.lecture('close'))}`
            : nothing
        }</span
      >
    </div>`;
  };

  /** The view tabs are not shown. */
  const viewMenu = (): TemplateResult => {
    const { data, settings } = context;
    const shown = views.filter(({ id, appliesTo }) => id === settings.view || (appliesTo?.(data) ?? true));
    return html`<select
      aria-label="View"
      title="View"
      @change=${({ target }: Event) => context.updateSettings({ view: (target as HTMLSelectElement).value })}
    >
      ${shown.map(({ id, title }) => html`<option value=${id} .selected=${id === settings.view}>${title}</option>`)}
    </select>`;
  };

  const spoken = (): TemplateResult | typeof nothing => {
    const { playing } = context.data.lecture;
    if (!playing) return nothing;
    const { title, html: safeHtml, goingTo } = playing.stop;
    return html`<div class="spoken" role="status">
      ${title || playing.title ? html`<h2><bdi>${title || playing.title}</bdi></h2>` : nothing}
      ${goingTo === null ? html`<div class="markdown">${unsafeHTML(safeHtml)}</div>` : html`<p class="hint">Going to step ${formatInteger(goingTo)} …</p>`}
    </div>`;
  };

  const template = (): TemplateResult => {
    const { data, settings } = context;
    const { model, frame } = data;
    const shows = settings.presenting || data.lecture.playing;
    return html`${recordingBar()}${
      shows
        ? html`${spoken()}${settings.presenting && model && frame ? explained(context, model, frame, context.latestResult(query())) : nothing}${controls()}`
        : nothing
    }`;
  };

  /** Marks the term in the formulas, and in the spec once for each change. */
  const mark = (): void => {
    const { model } = context.data;
    const node = highlightedNode(context);
    const graph = context.latestResult(query());
    const name = node && graph?.nodes.find(({ id }) => isSameNode(id, node))?.name;
    markTerm(host.querySelectorAll('.formula'), name ?? '', node?.of.endsWith('gradient') ?? false);
    const term = node && model ? termOf(model, node) : null;
    if (term === sentTerm) return;
    sentTerm = term;
    context.extension.highlight(term);
  };

  return {
    get queries() {
      return context.settings.presenting ? [query()] : [];
    },
    act,
    isHidden: () => !isStageShown(context),
    update(text) {
      if (!text) return;
      host.hidden = !isStageShown(context);
      render(host.hidden ? nothing : template(), host);
      mark();
    },
    dispose: () => render(nothing, host),
  };
}

function explained(context: Context, model: ModelInfo, frame: Frame, graph: StepGraph | null): TemplateResult {
  const phase = lastCompletedPhase(model, frame);
  const way =
    phase?.kind === 'forward' || phase?.kind === 'backward'
      ? phase.kind
      : phase?.kind === 'loss_backward'
        ? 'backward'
        : 'other';
  const find = (id: StepNodeId): StepNode | undefined => graph?.nodes.find((node) => isSameNode(node.id, id));
  const rules = phase
    ? [phaseRule(model, phase), ...computedNodes(model, phase).map((id) => find(id)?.formula?.latex)]
    : [];
  return html`<div class="phase-explained">
    <h2 class="phase ${way}" aria-live="polite">
      ${phase ? html`Step ${formatInteger(shownStep(frame))} · ${phaseLabel(model, phase)}` : 'Before the first step'}
    </h2>
    ${phase && !context.data.lecture.playing?.stop.html ? html`<p>${describePhase(model, phase, frame)}</p>` : nothing}
    ${rules.filter((rule) => rule !== undefined).map((rule) => html`<div class="rule">${formula(rule)}</div>`)}
    ${terms(context, model, frame, graph, phaseTerms(model, frame))} ${sampleRow(context, model, graph)}
  </div>`;
}

/** The tensors of the phase as buttons, each of which can be highlighted. */
function terms(
  context: Context,
  model: ModelInfo,
  frame: Frame,
  graph: StepGraph | null,
  nodes: readonly StepNodeId[],
): TemplateResult {
  const highlighted = highlightedNode(context);
  const samples = frame.batchPosition.samples;
  return html`<ul class="terms" aria-label="Terms of this phase">
    ${nodes.map((id) => {
      const node = graph?.nodes.find((each) => isSameNode(each.id, id));
      const on = highlighted !== null && isSameNode(highlighted, id);
      return html`<li>
        <button
          class="term ${on ? 'laser' : ''}"
          aria-pressed=${on ? 'true' : 'false'}
          title="Highlight this term in formula, picture, spec and data"
          @click=${() => context.updateSettings({ highlight: { term: termOf(model, id), at: positionKey(frame) } })}
        >
          <b><bdi>${nodeLabel(model, id)}</bdi></b>
          <span class="hint number"
            >${node ? formatShape(node.shape) : nothing}${nodeScope(id) === 'batch' && samples > 1 ? ` · Σ of ${samples}` : nothing}</span
          >
          <span class="numbers">${numbersOf(node)}</span>
        </button>
      </li>`;
    })}
  </ul>`;
}

function numbersOf(node: StepNode | undefined): TemplateResult {
  const { preview } = node ?? {};
  if (!preview) return renderValue(null);
  const shown = [...preview.cells.subarray(0, MAX_NUMBERS)];
  const more = preview.totalRows * preview.totalColumns > shown.length;
  return html`${shown.map((value, i) => html`${i > 0 ? ', ' : nothing}${renderValue(value)}`)}${more ? ', …' : nothing}`;
}

/** The row of the data that goes through the network. */
function sampleRow(context: Context, model: ModelInfo, graph: StepGraph | null): TemplateResult | typeof nothing {
  if (!graph) return nothing;
  const highlighted = highlightedNode(context);
  const cell = (of: 'input' | 'target'): TemplateResult => {
    const on = highlighted?.of === of || highlighted?.of === `${of}_gradient`;
    const node = graph.nodes.find(({ id }) => id.of === of);
    return html`<span class="datum ${on ? 'laser' : ''}" data-of=${of}
      >${of}
      <span class="hint number">${of === 'input' ? formatShape(model.inputShape) : nothing}</span>
      ${numbersOf(node)}</span
    >`;
  };
  return html`<p class="sample-row">
    <span class="hint">Sample ${formatInteger(graph.sample)}:</span> ${cell('input')} ${cell('target')}
  </p>`;
}
