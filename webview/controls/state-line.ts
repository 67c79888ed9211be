// The verdict in one line with its actions, its details with all findings in a popover, and the page shown while there
// is no run.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { Context, Component } from '../context';
import { actionLabel, describeState, type StateAction, type StateMessage } from './state-messages';
import { findingList } from './finding-list';
import { pluralize } from '../../src/presentation/numbers';
import { problemList } from './problems';
import { renderIcon } from './number-value';

const DETAILS = 'verdict-details';

function runAction(action: StateAction, { finding }: StateMessage, context: Context): void {
  const { data, extension } = context;
  switch (action) {
    case 'goToPreviousStep':
      if (data.frame?.nonFinite)
        context.sendCommand({ type: 'seek', step: Math.max(0, data.frame.nonFinite.step - 1) });
      return;
    case 'backStep':
      return context.sendCommand({ type: 'backStep' });
    case 'applyFix':
      if (finding?.fix) void extension.applyQuickFix(finding.fix);
      return;
    case 'showFinding':
      return finding && showFinding(finding, context);
    case 'showCheck':
      return context.updateSettings({ view: 'check' });
    case 'allowCode':
    case 'manageTrust':
    case 'restore':
    case 'startOver':
    case 'revealDiagnosis':
      return void extension[action]();
  }
}

/** Goes to the first step of a finding, and selects its layer. */
function showFinding({ since, layer }: NonNullable<StateMessage['finding']>, context: Context): void {
  context.seek(since);
  if (layer !== null) context.selectLayer(layer);
}

function actionButtons(message: StateMessage, context: Context, isCopy = false): TemplateResult | typeof nothing {
  if (message.actions.length === 0) return nothing;
  return html`<span class="actions">
    ${message.actions.map((action, i) => {
      const label = actionLabel(action, message, context.data);
      return html`<button
        class=${i === 0 ? 'primary' : 'secondary'}
        data-action=${isCopy ? nothing : action}
        title=${label}
        @click=${() => runAction(action, message, context)}
      >
        ${label}
      </button>`;
    })}
  </span>`;
}

/** One line regardless of its text: what does not fit is in its details. */
export function mountStateLine(host: HTMLElement, context: Context): Component {
  const details = (): HTMLElement | null => host.querySelector(`#${DETAILS}`);
  return {
    update(text) {
      if (!text) return;
      const message = describeState(context.data);
      const { code, tone, icon: name, title, text: sentence } = message;
      const { frame, model } = context.data;
      const running = frame?.status === 'running';
      host.className = `state ${tone}`;
      host.dataset.state = code;
      const head = title.endsWith('?') ? title : `${title}.`;
      const begun = (frame?.findings ?? []).filter(({ since }) => since <= frame!.position.step);
      const label = begun.length > 0 ? `${pluralize(begun.length, 'finding')} and details` : 'Details';
      render(
        html`${renderIcon(name)}
          <p
            role="status"
            aria-live=${running ? 'off' : 'polite'}
            title=${`${head} ${sentence}`}
            @click=${() => details()?.togglePopover()}
          >
            <b>${head}</b> ${sentence}
          </p>
          ${actionButtons(message, context)}
          <button class="tool findings-count" popovertarget=${DETAILS} aria-label=${label} title=${label}>
            ${begun.length > 0 ? html`<span>${begun.length}</span> <span class="word">${begun.length === 1 ? 'finding' : 'findings'}</span>` : nothing}${renderIcon('chevron-down')}
          </button>
          <section id=${DETAILS} class="popover details" popover aria-label="Details">
            <p><b>${head}</b> ${sentence}</p>
            ${actionButtons(message, context, true)}
            ${
              model
                ? findingList(model, begun, context, (finding) => {
                    details()?.hidePopover();
                    showFinding(finding, context);
                  })
                : nothing
            }
          </section>`,
        host,
      );
    },
    dispose: () => render(nothing, host),
  };
}

/** Null if there is a run to show instead. */
export function statePage(context: Context): TemplateResult | null {
  const { data } = context;
  const { state } = data;
  if ((state?.kind === 'run' || state?.kind === 'stopped') && data.model) return null;
  const message = describeState(data);
  const { code, tone, icon: name, title, text } = message;
  const waiting = !state || state.kind === 'loading' || state.kind === 'run';
  return html`<section class="page ${tone}" data-state=${code}>
    <h1>${renderIcon(name)} ${title}</h1>
    <p>${text}</p>
    ${waiting ? html`<div class="waiting" role="progressbar" aria-label=${text}></div>` : nothing}
    ${state?.kind === 'problems' ? problemList(context) : nothing} ${actionButtons(message, context)}
  </section>`;
}
