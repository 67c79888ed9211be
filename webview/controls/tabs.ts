// The tabs above the views: one is in the tab order, arrows move between them. With several views open, a tab opens
// its view beside the others, or closes it.
import { html, nothing, render } from 'lit/html.js';
import type { Context, Mounted, View } from '../context';
import { icon } from './value';
import { openViews } from './view-area';

export function mountTabs(host: HTMLElement, context: Context, views: readonly View[]): Mounted {
  const list = host.ownerDocument.createElement('div');
  const more = host.ownerDocument.createElement('div');
  list.className = 'list';
  list.setAttribute('role', 'tablist');
  list.setAttribute('aria-label', 'Views');
  host.append(list, more);

  const isOpen = (id: string): boolean => openViews(context.settings, views).some((view) => view.id === id);
  const choose = (id: string): void => {
    const { several, open } = context.settings;
    if (!several) context.set({ view: id });
    else if (!isOpen(id)) context.set({ view: id, open: [...open, id] });
    else if (open.length > 1) context.set({ open: open.filter((other) => other !== id) });
  };
  const toggleSeveral = (): void => {
    const { several, view } = context.settings;
    context.set({ several: !several, open: [view] });
  };
  const key = (event: KeyboardEvent): void => {
    const tabs = [...list.querySelectorAll<HTMLElement>('[role="tab"]')];
    const at = tabs.indexOf(event.target as HTMLElement);
    const moves: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: views.length - 1 };
    const to = moves[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const { id } = views[(to + views.length) % views.length];
    // Several open: passing over a tab must not close its view.
    if (!context.settings.several) context.set({ view: id });
    list.querySelector<HTMLElement>(`#tab-${id}`)?.focus();
  };
  list.addEventListener('keydown', key);

  return {
    update(text) {
      if (!text) return;
      const { settings, data } = context;
      const { several } = settings;
      list.setAttribute('aria-multiselectable', String(several));
      const inOrder = isOpen(settings.view) ? settings.view : openViews(settings, views)[0].id;
      render(
        views.map(({ id, title }) => {
          const on = isOpen(id);
          const failed = id === 'check' && data.check !== null && data.check.counts.wrong > 0;
          return html`<button id="tab-${id}" role="tab" aria-controls=${on ? `view-${id}` : nothing} aria-selected=${on ? 'true' : 'false'}
            tabindex=${id === inOrder ? 0 : -1} @click=${() => choose(id)}>${title}${
              failed ? html`<span class="sign error">${icon('error')}<span class="unseen">wrong gradients</span></span>` : nothing
            }</button>`;
        }),
        list,
      );
      const meaning = several ? 'Show one view' : 'Show several views: each tab opens or closes its own';
      render(html`<button class="tool" data-action="several" aria-pressed=${several ? 'true' : 'false'} title=${meaning} aria-label=${meaning}
        @click=${toggleSeveral}>${icon('split-horizontal')}</button>`, more);
    },
    dispose() {
      list.removeEventListener('keydown', key);
      render(nothing, list);
      render(nothing, more);
    },
  };
}
