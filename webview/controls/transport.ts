// The top of the panel: what can be done (first row) and where the run stands (second row).
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { Context, Mounted } from '../context';
import type { Frame, ModelInfo, Phase } from '../../src/protocol/panel';
import { counted, formatCount, formatRate } from '../numbers';
import { lastPhase, phaseName } from '../words';
import { type Action, canDo, commandOf, keyNames } from './keys';
import { type Speed, speeds } from '../speed';
import { NumberField } from './number-field';
import { icon } from './value';

/** More cells than this would be too thin to see: the track shows layers only as long as it can. */
const MOST_CELLS = 120;

export function mountTransport(host: HTMLElement, context: Context): Mounted {
  const refuse = (text: string): void => context.notify('warning', text);
  const wholeFrom = (least: number, text: string) => (n: number): string | null =>
    Number.isInteger(n) && n >= least ? null : text;

  const stepField = new NumberField({
    id: 'step', label: 'Step', width: 'narrow', refuse,
    title: 'Updates done. Type a step to go there: one that was reached is shown exactly as it was, a further one is trained up to.',
    commit(step) {
      const { frame, model } = context.data;
      const wrong = wholeFrom(0, 'A step is a whole number from 0 up.')(step);
      if (wrong || !frame || !model) return wrong;
      if (step > model.totalSteps) return `This run ends at step ${model.totalSteps}.`;
      if (step <= frame.frontier) context.seek(step);
      else context.command({ type: 'runToStep', step });
      return null;
    },
  });

  const lrField = new NumberField({
    id: 'lr', label: 'lr', width: 'wide', refuse,
    title: 'Learning rate from the next step on. Changing it forgets the steps after this one, which no longer hold.',
    commit(lr) {
      if (lr < 0) return 'A learning rate is a number from 0 up.';
      context.command({ type: 'setLearningRate', lr });
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
      return refuse(`Run to which ${unit}? A whole number from 1 to ${last}.`);
    }
    context.command(unit === 'step' ? { type: 'runToStep', step: wanted } : { type: 'runToEpoch', epoch: wanted });
  };

  const act = (action: Action): void => {
    if (canDo(action, context.data)) context.command(commandOf(action, context.data.frame));
  };

  const button = (action: Action, iconName: string, label: string, text: TemplateResult | typeof nothing = nothing, keys = action) => {
    const shortcut = keys === 'reset' ? '' : keyNames[keys];
    // Not `disabled`: a button that is pressed again and again must not lose the focus.
    return html`<button
      class="tool ${text === nothing ? '' : 'worded'}" data-action=${action}
      aria-disabled=${canDo(action, context.data) ? 'false' : 'true'}
      aria-label=${label} title=${shortcut ? `${label} (${shortcut})` : label}
      aria-keyshortcuts=${shortcut || nothing}
      @click=${() => act(action)}
    >${icon(iconName)}${text}</button>`;
  };

  const template = (): TemplateResult => {
    const { data, settings } = context;
    const { frame, model, problems, checking } = data;
    const live = data.state?.kind === 'run' && frame !== null;
    const running = frame?.status === 'running' || frame?.status === 'seeking';
    return html`
      <div class="row does" role="group" aria-label="Controls">
        <span class="group">
          ${button('backStep', 'debug-step-back', 'Back one step')}
          ${button('backPhase', 'chevron-left', 'Back one phase')}
          ${button('stepPhase', 'chevron-right', 'Next phase')}
          ${button('step', 'debug-step-over', 'Step')}
        </span>
        <span class="group">
          ${button('toggleRun', running ? 'debug-pause' : 'debug-start', running ? 'Pause' : 'Run', html`<span>${running ? 'Pause' : 'Run'}</span>`)}
          ${button('reset', 'debug-restart', 'Reset to step 0')}
        </span>
        <span class="group to">
          <select aria-label="Run to an epoch or a step" title="Run to the end of an epoch, or to a step" ?disabled=${!live}
            @change=${(event: Event) => context.set({ runTo: (event.target as HTMLSelectElement).value === 'step' ? 'step' : 'epoch' })}>
            <option value="epoch" ?selected=${settings.runTo === 'epoch'}>to epoch</option>
            <option value="step" ?selected=${settings.runTo === 'step'}>to step</option>
          </select>
          <input class="narrow" id="run-to" type="text" inputmode="numeric" autocomplete="off" ?disabled=${!live}
            aria-label=${`Run to this ${settings.runTo}`}
            placeholder=${model ? String(settings.runTo === 'step' ? model.totalSteps : model.epochs) : ''}
            @input=${(event: Event) => (target = (event.target as HTMLInputElement).value)}
            @keydown=${(event: KeyboardEvent) => event.key === 'Enter' && runTo()} />
          <button class="tool" aria-label="Run to there" title="Run to there" aria-disabled=${live ? 'false' : 'true'}
            @click=${() => live && runTo()}>${icon('arrow-right')}</button>
        </span>
        <span class="group">${undoButton(context, live)}${lrField.template(frame ? String(frame.lr) : '', { disabled: !live })}</span>
        <span class="group end">
          <button class="tool worded" data-action="check" aria-label="Check gradients" aria-disabled=${live && !checking ? 'false' : 'true'}
            title="Compares every gradient with a numeric derivative, at this step"
            @click=${() => {
              if (!live || checking) return;
              context.set({ view: 'check' });
              context.send({ type: 'check' });
            }}>${icon('beaker')}<span>Check</span></button>
          ${problems.length > 0 && data.state?.kind !== 'problems' ? problemsButton(context) : nothing}
        </span>
      </div>
      <div class="row where" role="group" aria-label="Position">
        ${stepField.template(frame ? String(frame.position.step) : '', { disabled: !live })}
        <span class="of">/ ${model ? formatCount(model.totalSteps) : '–'}</span>
        ${place(frame, model)}
        ${live && model ? track(context, model, frame) : nothing}
        <label class="field end" title="How fast Run goes: ${speeds[settings.speed].title.toLowerCase()}">
          <span>Speed</span>
          <select id="speed" ?disabled=${!live}
            @change=${(event: Event) => context.set({ speed: (event.target as HTMLSelectElement).value as Speed })}>
            ${Object.entries(speeds).map(([speed, { label }]) => html`<option value=${speed} ?selected=${speed === settings.speed}>${label}</option>`)}
          </select>
        </label>
      </div>
    `;
  };

  return {
    update(text) {
      if (text) render(template(), host);
    },
    dispose: () => render(nothing, host),
  };
}

function undoButton({ data, send }: Context, live: boolean): TemplateResult {
  const can = live && data.undo !== null;
  const label = data.undo === null ? 'Undo: nothing was changed by hand' : `Undo: ${data.undo}`;
  return html`<button class="tool" data-action="undo" aria-label=${label} title=${label} aria-disabled=${can ? 'false' : 'true'}
    @click=${() => can && send({ type: 'undo' })}>${icon('discard')}</button>`;
}

function problemsButton({ data, set, settings }: Context): TemplateResult {
  const errors = data.problems.some(({ severity }) => severity === 'error');
  const label = `${counted(data.problems.length, 'problem')} in the spec`;
  return html`<button class="tool worded ${errors ? 'bad' : 'warning'}" data-action="problems" title=${label} aria-label=${label}
    aria-expanded=${settings.problemsOpen ? 'true' : 'false'} aria-controls="problems"
    @click=${() => set({ problemsOpen: !settings.problemsOpen })}>
    ${icon(errors ? 'error' : 'warning')}<span>${data.problems.length}</span>
  </button>`;
}

function place(frame: Frame | null, model: ModelInfo | null): TemplateResult {
  const { epoch, batch, samples } = frame?.place ?? { epoch: 0, batch: 0, samples: 0 };
  const of = (value: number, all: number | undefined): TemplateResult =>
    html`<span class="number">${value === 0 ? '–' : formatCount(value)}</span><span class="of">/${all === undefined ? '–' : formatCount(all)}</span>`;
  return html`
    <span class="place" data-epoch=${epoch}>epoch ${of(epoch, model?.epochs)}</span>
    <span class="dot" aria-hidden="true">·</span>
    <span class="place" data-batch=${batch} title=${samples > 0 ? counted(samples, 'sample') : 'no batch yet'}>batch ${of(batch, model?.batchesPerEpoch)}</span>
  `;
}

const direction = ({ kind }: Phase): string =>
  kind === 'forward' || kind === 'loss' ? 'forward' : kind === 'backward' || kind === 'loss_backward' ? 'backward' : 'other';

/** One cell a phase, filled as far as the step has come; a click goes to the phase. */
function track(context: Context, model: ModelInfo, frame: Frame): TemplateResult {
  const { position, status, stepsPerSecond } = frame;
  const count = model.phases.length;
  const done = position.phase > 0 ? position.phase : position.step > 0 ? count : 0;
  const step = position.phase > 0 ? position.step : position.step - 1;
  const phase = lastPhase(model, frame);
  const running = status === 'running' || status === 'seeking';
  const go = (to: number): void => {
    if (running || step < 0) return;
    context.command(to === count ? { type: 'seek', step: step + 1 } : { type: 'seek', step, phase: to });
  };
  return html`
    <span class="track ${running ? 'faint' : ''}" aria-hidden="true">
      ${
        count <= MOST_CELLS
          ? model.phases.map(
              (each, i) => html`<i class="${direction(each)} ${i < done ? 'done' : ''} ${i === done - 1 && !running ? 'now' : ''}"
                title=${phaseName(model, each)} @click=${() => go(i + 1)}></i>`,
            )
          : nothing
      }
    </span>
    <span class="phase ${phase && !running ? direction(phase) : ''}">${
      running
        ? stepsPerSecond === null
          ? status === 'seeking' ? 'replaying' : 'training'
          : html`<span class="number">${formatRate(stepsPerSecond)}</span> steps/s`
        : phase
          ? phaseName(model, phase)
          : 'before the first step'
    }</span>
  `;
}
