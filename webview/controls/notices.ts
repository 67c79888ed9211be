// Messages about recent events. They overlay a corner of the panel and move nothing. Information disappears after a
// while, warnings with the next action, errors when dismissed.
import { html, nothing, render } from 'lit/html.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Context, Component } from '../context';
import { renderIcon } from './number-value';

export const INFO_DURATION_MS = 10_000;

export function mountNotices(host: HTMLElement, context: Context): Component {
  const timers = new Map<number, ReturnType<typeof setTimeout>>();
  host.setAttribute('role', 'log');
  host.setAttribute('aria-live', 'polite');
  host.setAttribute('aria-label', 'Notices');

  const expire = (id: number): void => {
    // Not while the pointer or the focus is on it.
    if (host.matches(':hover, :focus-within')) timers.set(id, setTimeout(expire, 1000, id));
    else context.dismissNotice(id);
  };

  return {
    update(text) {
      if (!text) return;
      const { notices } = context.data;
      for (const { id, level } of notices) {
        if (level === 'info' && !timers.has(id)) timers.set(id, setTimeout(expire, INFO_DURATION_MS, id));
      }
      for (const [id, timer] of timers) {
        if (notices.some((notice) => notice.id === id)) continue;
        clearTimeout(timer);
        timers.delete(id);
      }
      render(
        repeat(
          notices,
          ({ id }) => id,
          ({ id, level, text: sentence }) =>
            html`<div class="notice ${level}">
              ${renderIcon(level)}<span class="visually-hidden">${level}:</span>
              <p>${sentence}</p>
              <button
                class="tool"
                aria-label=${`Dismiss: ${sentence}`}
                title="Dismiss"
                @click=${() => context.dismissNotice(id)}
              >
                ${renderIcon('close')}
              </button>
            </div>`,
        ),
        host,
      );
    },
    dispose() {
      for (const timer of timers.values()) clearTimeout(timer);
      render(nothing, host);
    },
  };
}
