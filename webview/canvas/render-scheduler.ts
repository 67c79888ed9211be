// Schedules drawing. At full speed the components of the panel take turns: each screen frame has a small time budget,
// and the component that has waited longest comes first, so that frames follow closely and training keeps its share of
// the CPU. When idle, everything is drawn at once.
import type { Component } from '../context';

interface RenderState {
  /** When it was drawn, and when its text was. */
  drawnAt: number;
  textDrawnAt: number;
  /** Milliseconds between refreshes of its text. */
  textInterval: number;
  /** The version that it shows, and the version of its text. */
  version: number;
  textVersion: number;
}

/** Text that changes faster is unreadable. */
const MIN_TEXT_INTERVAL_MS = 100;
/** The share of the time that refreshing one component's text may take; hundreds of layers cost more. */
const MAX_TEXT_FRACTION = 0.04;
/** Milliseconds of drawing per screen frame; painting the result takes the browser several times as long. */
export const DRAW_BUDGET_MS = 0.5;

export class RenderScheduler {
  readonly #states = new WeakMap<Component, RenderState>();
  #version = 0;

  /** @param now milliseconds since an arbitrary origin */
  constructor(readonly now: () => number) {}

  /** Records that there is something new to show. */
  invalidate(): void {
    this.#version++;
  }

  /**
   * Draws graphics as time permits, longest waiting first and at least one component, and refreshes the text of one
   * component, since text is the most expensive.
   * @param full whether to draw all components with their text @param budget in milliseconds; Infinity for no limit
   * @returns whether all components, including text, are up to date
   */
  draw(parts: readonly Component[], full: boolean, budget = DRAW_BUDGET_MS): boolean {
    const start = this.now();
    const waiting = parts
      .filter((part) => full || part.isHidden?.() !== true)
      .map((part) => ({ part, shown: this.#stateOf(part) }))
      .filter(({ shown }) => full || shown.version < this.#version || shown.textVersion < this.#version);
    const due = waiting.filter(({ shown }) => full || start - shown.textDrawnAt >= shown.textInterval);
    const all = full || budget === Infinity;
    const textRefresh = new Set(all ? due : due.sort((a, b) => a.shown.textDrawnAt - b.shown.textDrawnAt).slice(0, 1));
    if (!all) waiting.sort((a, b) => a.shown.drawnAt - b.shown.drawnAt);
    let [done, spent] = [true, 0];
    for (const each of waiting) {
      const { part, shown } = each;
      const text = textRefresh.has(each);
      if (!all && !text && spent >= budget) {
        done = false;
        continue;
      }
      const began = this.now();
      part.update(text);
      if (!text) spent += this.now() - began;
      shown.drawnAt = began;
      shown.version = this.#version;
      if (text) {
        shown.textDrawnAt = began;
        shown.textVersion = this.#version;
        shown.textInterval = Math.max(MIN_TEXT_INTERVAL_MS, (this.now() - began) / MAX_TEXT_FRACTION);
      } else done = false;
    }
    return done;
  }

  #stateOf(part: Component): RenderState {
    let shown = this.#states.get(part);
    if (!shown)
      this.#states.set(
        part,
        (shown = {
          drawnAt: -Infinity,
          textDrawnAt: -Infinity,
          textInterval: MIN_TEXT_INTERVAL_MS,
          version: -1,
          textVersion: -1,
        }),
      );
    return shown;
  }
}
