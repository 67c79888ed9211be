// Sentences about what just happened. They lie over the corner of the panel and move nothing; news go by themselves
// after a while, warnings stay until something else is done, errors until dismissed.
import { html, nothing, render } from 'lit/html.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Context, Mounted } from '../context';
import { icon } from './value';

export const NEWS_MS = 10_000;

export function mountNotices(host: HTMLElement, context: Context): Mounted {
  const timers = new Map<number, ReturnType<typeof setTimeout>>();
  host.setAttribute('role', 'log');
  host.setAttribute('aria-live', 'polite');
  host.setAttribute('aria-label', 'Notices');

  const expire = (id: number): void => {
    // Not from under the pointer or the focus of who reads it.
    if (host.matches(':hover, :focus-within')) timers.set(id, setTimeout(expire, 1000, id));
    else context.dismiss(id);
  };

  return {
    update(text) {
      if (!text) return;
      const { notices } = context.data;
      for (const { id, level } of notices) {
        if (level === 'info' && !timers.has(id)) timers.set(id, setTimeout(expire, NEWS_MS, id));
      }
      for (const [id, timer] of timers) {
        if (notices.some((notice) => notice.id === id)) continue;
        clearTimeout(timer);
        timers.delete(id);
      }
      render(
        repeat(notices, ({ id }) => id, ({ id, level, text: sentence }) => html`<div class="notice ${level}">
          ${icon(level)}<span class="unseen">${level}:</span>
          <p>${sentence}</p>
          <button class="tool" aria-label=${`Dismiss: ${sentence}`} title="Dismiss" @click=${() => context.dismiss(id)}>${icon('close')}</button>
        </div>`),
        host,
      );
    },
    dispose() {
      for (const timer of timers.values()) clearTimeout(timer);
      render(nothing, host);
    },
  };
}
