// The tabs above the views: one is in the tab order, arrows move between them.
import { html, nothing, render } from 'lit/html.js';
import type { Context, Mounted, View } from '../context';
import { icon } from './value';

export function mountTabs(host: HTMLElement, context: Context, views: readonly View[], panel: HTMLElement): Mounted {
  host.setAttribute('role', 'tablist');
  host.setAttribute('aria-label', 'Views');

  const key = (event: KeyboardEvent): void => {
    const at = views.findIndex(({ id }) => id === context.settings.view);
    const moves: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: views.length - 1 };
    const to = moves[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const { id } = views[(to + views.length) % views.length];
    context.set({ view: id });
    host.querySelector<HTMLElement>(`#tab-${id}`)?.focus();
  };
  host.addEventListener('keydown', key);

  return {
    update(text) {
      if (!text) return;
      const { settings, data } = context;
      panel.setAttribute('aria-labelledby', `tab-${settings.view}`);
      render(
        views.map(({ id, title }) => {
          const on = id === settings.view;
          const failed = id === 'check' && data.check !== null && data.check.counts.wrong > 0;
          return html`<button id="tab-${id}" role="tab" aria-controls="view" aria-selected=${on ? 'true' : 'false'}
            tabindex=${on ? 0 : -1} @click=${() => context.set({ view: id })}>${title}${
              failed ? html`<span class="sign error">${icon('error')}<span class="unseen">wrong gradients</span></span>` : nothing
            }</button>`;
        }),
        host,
      );
    },
    dispose() {
      host.removeEventListener('keydown', key);
      render(nothing, host);
    },
  };
}
