// The line that always says where things stand and what comes next; and the page shown while there is no run.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { Context, Mounted } from '../context';
import { actionLabels, describeState, type StateAction } from '../words';
import { problemList } from './problems';
import { icon } from './value';

function act(action: StateAction, context: Context): void {
  const { data } = context;
  switch (action) {
    case 'goBefore':
      if (data.frame?.nonFinite) context.command({ type: 'seek', step: Math.max(0, data.frame.nonFinite.step - 1) });
      return;
    case 'backStep':
      return context.command({ type: 'backStep' });
    case 'allowCode':
    case 'manageTrust':
      return context.send({ type: action });
    case 'restore':
      return context.send({ type: 'restore' });
    case 'startOver':
      return context.send({ type: 'startOver' });
    case 'check':
      return context.send({ type: 'check' });
    case 'problems':
      return context.set({ problemsOpen: true });
  }
}

function buttons(actions: readonly StateAction[], context: Context): TemplateResult | typeof nothing {
  if (actions.length === 0) return nothing;
  return html`<span class="actions">
    ${actions.map((action, i) => html`<button class=${i === 0 ? 'primary' : 'secondary'} data-action=${action} @click=${() => act(action, context)}>${actionLabels[action]}</button>`)}
  </span>`;
}

/** Its height never changes with its text. */
export function mountStateLine(host: HTMLElement, context: Context): Mounted {
  return {
    update(text) {
      if (!text) return;
      const { tone, icon: name, title, text: sentence, actions } = describeState(context.data);
      const running = context.data.frame?.status === 'running';
      host.className = `state ${tone}`;
      render(
        html`${icon(name)}
          <p role="status" aria-live=${running ? 'off' : 'polite'} title=${`${title}. ${sentence}`}><b>${title}.</b> ${sentence}</p>
          ${buttons(actions, context)}`,
        host,
      );
    },
    dispose: () => render(nothing, host),
  };
}

/** Null where there is a run to show instead. */
export function statePage(context: Context): TemplateResult | null {
  const { data } = context;
  const { state } = data;
  if ((state?.kind === 'run' || state?.kind === 'stopped') && data.model) return null;
  const { tone, icon: name, title, text, actions } = describeState(data);
  const waiting = !state || state.kind === 'loading' || state.kind === 'run';
  return html`<section class="page ${tone}">
    <h1>${icon(name)} ${title}</h1>
    <p>${text}</p>
    ${waiting ? html`<div class="waiting" role="progressbar" aria-label=${text}></div>` : nothing}
    ${state?.kind === 'problems' ? problemList(context) : nothing}
    ${buttons(actions, context)}
  </section>`;
}
