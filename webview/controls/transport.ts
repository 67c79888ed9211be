// The toolbar, one row: steps, run, the position of the run, the gradient check, and a popover for everything else.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { Context, Component } from '../context';
import type { Frame, ModelInfo, Phase } from '../../src/protocol/panel';
import { pluralize, formatInteger, formatRate } from '../../src/presentation/numbers';
import { lastCompletedPhase, phaseLabel, shownStep } from '../../src/presentation/phases';
import { type DebugAction, isEnabled, commandOf, keybindings } from './keybindings';
import { type Speed, speeds } from '../state/speed';
import { NumberField } from './number-field';
import { renderIcon } from './number-value';
import { severityIcons, worstSeverity } from './problems';

/** More cells would be too thin to see. */
const MAX_PHASE_CELLS = 120;

export function mountTransport(host: HTMLElement, context: Context): Component {
  const onInvalid = (text: string): void => context.notify('warning', text);
  const integerFrom =
    (min: number, text: string) =>
    (n: number): string | null =>
      Number.isInteger(n) && n >= min ? null : text;

  const stepField = new NumberField({
    id: 'step',
    label: 'Step',
    width: 'narrow',
    onInvalid,
    title: 'The step that is shown. Type a step to go there: replays a step that was reached, trains to a later one.',
    commit(step) {
      const { frame, model } = context.data;
      const wrong = integerFrom(0, 'Type a step as a whole number, 0 or more.')(step);
      if (wrong || !frame || !model) return wrong;
      if (step > model.totalSteps) return `This run ends at step ${model.totalSteps}.`;
      if (step <= frame.furthestStep) context.seek(step);
      else context.sendCommand({ type: 'runToStep', step });
      return null;
    },
  });

  const lrField = new NumberField({
    id: 'lr',
    label: 'lr',
    width: 'wide',
    onInvalid,
    title: 'Learning rate from the next step on. Changing it discards the steps after this one.',
    commit(lr) {
      if (lr < 0) return 'Type a learning rate of 0 or more.';
      context.sendCommand({ type: 'setLearningRate', lr });
      return null;
    },
  });

  let target = '';
  const runTo = (): void => {
    const { model, frame } = context.data;
    if (!model || !frame) return;
    const unit = context.settings.runTo;
    const last = unit === 'step' ? model.totalSteps : model.epochs;
    const wanted = Number(target);
    if (target.trim() === '' || !Number.isInteger(wanted) || wanted < 1 || wanted > last) {
      return onInvalid(`Type ${unit === 'step' ? 'a step' : 'an epoch'} to run to: a whole number from 1 to ${last}.`);
    }
    context.sendCommand(unit === 'step' ? { type: 'runToStep', step: wanted } : { type: 'runToEpoch', epoch: wanted });
  };

  const act = (action: DebugAction): void => {
    if (isEnabled(action, context.data)) context.sendCommand(commandOf(action, context.data.frame));
  };

  const button = (
    action: DebugAction,
    iconName: string,
    label: string,
    text: TemplateResult | typeof nothing = nothing,
    keys = action,
  ) => {
    const shortcut = keys === 'reset' ? '' : keybindings[keys];
    // Not `disabled`: a button pressed repeatedly must keep the focus.
    return html`<button
      class="tool ${text === nothing ? '' : 'labeled'}"
      data-action=${action}
      aria-disabled=${isEnabled(action, context.data) ? 'false' : 'true'}
      aria-label=${label}
      title=${shortcut ? `${label} (${shortcut})` : label}
      aria-keyshortcuts=${shortcut || nothing}
      @click=${() => act(action)}
    >
      ${renderIcon(iconName)}${text}
    </button>`;
  };

  const runToField = (live: boolean): TemplateResult => {
    const { model } = context.data;
    const { runTo: unit } = context.settings;
    return html`<span class="group">
      <select
        aria-label="Run to an epoch or a step"
        title="Run to the end of an epoch, or to a step"
        ?disabled=${!live}
        @change=${(event: Event) => context.updateSettings({ runTo: (event.target as HTMLSelectElement).value === 'step' ? 'step' : 'epoch' })}
      >
        <option value="epoch" ?selected=${unit === 'epoch'}>Run to epoch</option>
        <option value="step" ?selected=${unit === 'step'}>Run to step</option>
      </select>
      <input
        class="narrow"
        id="run-to"
        type="text"
        inputmode="numeric"
        autocomplete="off"
        ?disabled=${!live}
        aria-label=${`Run to this ${unit}`}
        placeholder=${model ? String(unit === 'step' ? model.totalSteps : model.epochs) : ''}
        @input=${(event: Event) => (target = (event.target as HTMLInputElement).value)}
        @keydown=${(event: KeyboardEvent) => event.key === 'Enter' && runTo()}
      />
      <button
        class="tool"
        aria-label="Run to there"
        title="Run to there"
        aria-disabled=${live ? 'false' : 'true'}
        @click=${() => live && runTo()}
      >
        ${renderIcon('arrow-right')}
      </button>
    </span>`;
  };

  /** In the toolbar; in a narrow one, in the popover instead. */
  const speedSelect = (id: string, live: boolean): TemplateResult => {
    const { settings } = context;
    return html`<label class="field" title="How fast Run goes: ${speeds[settings.speed].title.toLowerCase()}">
      <span class="visually-hidden">Speed of Run</span>
      <select
        id=${id}
        ?disabled=${!live}
        @change=${(event: Event) => context.updateSettings({ speed: (event.target as HTMLSelectElement).value as Speed })}
      >
        ${Object.entries(speeds).map(([speed, { label }]) => html`<option value=${speed} ?selected=${speed === settings.speed}>${label}</option>`)}
      </select>
    </label>`;
  };

  /** What is needed less often, in a popover. */
  const moreControls = (live: boolean): TemplateResult => {
    const { frame } = context.data;
    return html`<button
        class="tool"
        data-action="more"
        popovertarget="more"
        aria-label="More controls"
        title="More controls: learning rate, run to a step or epoch, undo, reset, present, lectures"
      >
        ${renderIcon('ellipsis')}
      </button>
      <div id="more" class="more-controls" popover role="group" aria-label="More controls">
        <span class="speed">${speedSelect('speed-more', live)}</span>
        ${lrField.template(frame ? String(frame.lr) : '', { disabled: !live })} ${runToField(live)}
        ${undoButton(context, live)}
        ${button('reset', 'debug-restart', 'Reset to step 0', html`<span>Reset to step 0</span>`)}
        ${menuButton('present', 'screen-full', 'Present', () => context.updateSettings({ presenting: true }))}
        ${menuButton('record', 'record', 'Record a lecture', () => void context.extension.lecture('record'))}
        ${menuButton('play', 'play', 'Play a lecture', () => void context.extension.lecture('play'))}
      </div>`;
  };

  const template = (): TemplateResult => {
    const { data } = context;
    const { frame, model, problems, checking } = data;
    const live = data.state?.kind === 'run' && frame !== null;
    const running = frame?.status === 'running' || frame?.status === 'seeking';
    return html`
      <span class="group" role="group" aria-label="Steps">
        ${button('backStep', 'debug-step-back', 'Back one step')}
        ${button('backPhase', 'chevron-left', 'Back one phase')} ${button('stepPhase', 'chevron-right', 'Next phase')}
        ${button('step', 'debug-step-over', 'Step')}
      </span>
      ${button('toggleRun', running ? 'debug-pause' : 'debug-start', running ? 'Pause' : 'Run', html`<span>${running ? 'Pause' : 'Run'}</span>`)}
      <span class="speed">${speedSelect('speed', live)}</span>
      <span class="position" role="group" aria-label="Position">
        ${stepField.template(frame ? String(shownStep(frame)) : '', { disabled: !live })}
        <span class="of">/ ${model ? formatInteger(model.totalSteps) : '–'}</span>
        ${epochAndBatch(frame, model)} ${live && model ? phaseTrack(context, model, frame) : nothing}
      </span>
      <span class="group end">
        <button
          class="tool labeled"
          data-action="check"
          aria-label="Check gradients"
          aria-disabled=${live && !checking ? 'false' : 'true'}
          title="Compares every gradient with a numeric derivative at this step"
          @click=${() => {
            if (!live || checking) return;
            context.updateSettings({ view: 'check' });
            void context.extension.check();
          }}
        >
          ${renderIcon('beaker')}<span>Check</span>
        </button>
        ${problems.length > 0 && data.state?.kind !== 'problems' ? problemsButton(context) : nothing}
        ${moreControls(live)}
      </span>
    `;
  };

  return {
    update(text) {
      if (text) render(template(), host);
    },
    dispose: () => render(nothing, host),
  };
}

/** Closes the popover, then acts. */
const menuButton = (action: string, iconName: string, label: string, act: () => void): TemplateResult =>
  html`<button
    class="tool labeled"
    data-action=${action}
    @click=${({ currentTarget }: Event) => {
      (currentTarget as Element).closest<HTMLElement>('[popover]')?.hidePopover();
      act();
    }}
  >
    ${renderIcon(iconName)}<span>${label}</span>
  </button>`;

function undoButton({ data, extension }: Context, live: boolean): TemplateResult {
  const can = live && data.undo !== null;
  const label = data.undo === null ? 'Undo: nothing to undo' : `Undo: ${data.undo}`;
  return html`<button
    class="tool labeled"
    data-action="undo"
    aria-label=${label}
    title=${label}
    aria-disabled=${can ? 'false' : 'true'}
    @click=${() => can && void extension.undo()}
  >
    ${renderIcon('discard')}<span>${label}</span>
  </button>`;
}

function problemsButton({ data, updateSettings, settings }: Context): TemplateResult {
  const worst = worstSeverity(data.problems);
  const label = `${pluralize(data.problems.length, 'problem')} in the spec`;
  return html`<button
    class="tool labeled ${worst === 'error' ? 'bad' : worst}"
    data-action="problems"
    title=${label}
    aria-label=${label}
    aria-expanded=${settings.problemsOpen ? 'true' : 'false'}
    aria-controls="problems"
    @click=${() => updateSettings({ problemsOpen: !settings.problemsOpen })}
  >
    ${renderIcon(severityIcons[worst])}<span>${data.problems.length}</span>
  </button>`;
}

function epochAndBatch(frame: Frame | null, model: ModelInfo | null): TemplateResult {
  const { epoch, batch, samples } = frame?.batchPosition ?? { epoch: 0, batch: 0, samples: 0 };
  const of = (value: number, all: number | undefined): TemplateResult =>
    html`<span class="number">${value === 0 ? '–' : formatInteger(value)}</span
      ><span class="of">/${all === undefined ? '–' : formatInteger(all)}</span>`;
  return html`
    <span class="place" data-epoch=${epoch}>epoch ${of(epoch, model?.epochs)}</span>
    <span class="place" data-batch=${batch} title=${samples > 0 ? pluralize(samples, 'sample') : 'no batch yet'}
      >batch ${of(batch, model?.batchesPerEpoch)}</span
    >
  `;
}

const direction = ({ kind }: Phase): string =>
  kind === 'forward' || kind === 'loss'
    ? 'forward'
    : kind === 'backward' || kind === 'loss_backward'
      ? 'backward'
      : 'other';

/** One cell per phase, filled up to the current one; a click goes to the phase. */
function phaseTrack(context: Context, model: ModelInfo, frame: Frame): TemplateResult {
  const { position, status, stepsPerSecond } = frame;
  const count = model.phases.length;
  const done = position.phase > 0 ? position.phase : position.step > 0 ? count : 0;
  const step = position.phase > 0 ? position.step : position.step - 1;
  const phase = lastCompletedPhase(model, frame);
  const running = status === 'running' || status === 'seeking';
  const go = (to: number): void => {
    if (running || step < 0) return;
    context.sendCommand(to === count ? { type: 'seek', step: step + 1 } : { type: 'seek', step, phase: to });
  };
  return html`
    <span class="track ${running ? 'faint' : ''}" aria-hidden="true">
      ${
        count <= MAX_PHASE_CELLS
          ? model.phases.map(
              (each, i) =>
                html`<i
                  class="${direction(each)} ${i < done ? 'done' : ''} ${i === done - 1 && !running ? 'now' : ''}"
                  title=${phaseLabel(model, each)}
                  @click=${() => go(i + 1)}
                ></i>`,
            )
          : nothing
      }
    </span>
    <span class="phase ${phase && !running ? direction(phase) : ''}"
      >${
        running
          ? stepsPerSecond === null
            ? status === 'seeking'
              ? 'replaying'
              : 'training'
            : html`<span class="number">${formatRate(stepsPerSecond)}</span> steps/s`
          : phase
            ? phaseLabel(model, phase)
            : 'before the first step'
      }</span
    >
  `;
}
