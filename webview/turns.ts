// Who is drawn when. Of a run at full speed the parts of the panel take turns: each frame of the screen has a little time for
// whoever waits longest, so that frames follow each other closely and training keeps its share of the machine. At rest
// everything is drawn at once.
import type { Mounted } from './context';

interface Shown {
  /** When it was drawn, and when its text was. */
  at: number;
  text: number;
  /** Milliseconds from one refresh of its text to the next. */
  pause: number;
  /** What it shows, and what its text says. */
  version: number;
  said: number;
}

/** Text that changes faster cannot be read. */
const TEXT_MS = 100;
/** The share of the time that refreshing one part's text may take: hundreds of layers cost more. */
const TEXT_SHARE = 0.04;
/** For drawing, of a frame of the screen: what the page then does to show it takes several times as long. */
export const BUDGET_MS = 0.5;

export class Turns {
  readonly #shown = new WeakMap<Mounted, Shown>();
  #version = 0;

  /** @param now milliseconds, from any origin. */
  constructor(readonly now: () => number) {}

  /** There is something new to show. */
  news(): void {
    this.#version++;
  }

  /**
   * What moves is drawn as far as there is time, whoever waits longest first, one part at least; of one part the text is
   * refreshed, too, as text takes the page longest.
   * @param everything all parts, and their text @param budget milliseconds; Infinity for no turns
   * @returns whether all of them now show what is new, text too
   */
  draw(parts: readonly Mounted[], everything: boolean, budget = BUDGET_MS): boolean {
    const start = this.now();
    const waiting = parts
      .map((part) => ({ part, shown: this.#of(part) }))
      .filter(({ shown }) => everything || shown.version < this.#version || shown.said < this.#version);
    const due = waiting.filter(({ shown }) => everything || start - shown.text >= shown.pause);
    const all = everything || budget === Infinity;
    const speaks = new Set(all ? due : due.sort((a, b) => a.shown.text - b.shown.text).slice(0, 1));
    if (!all) waiting.sort((a, b) => a.shown.at - b.shown.at);
    let [done, spent] = [true, 0];
    for (const each of waiting) {
      const { part, shown } = each;
      const text = speaks.has(each);
      if (!all && !text && spent >= budget) {
        done = false;
        continue;
      }
      const began = this.now();
      part.update(text);
      if (!text) spent += this.now() - began;
      shown.at = began;
      shown.version = this.#version;
      if (text) {
        shown.text = began;
        shown.said = this.#version;
        shown.pause = Math.max(TEXT_MS, (this.now() - began) / TEXT_SHARE);
      } else done = false;
    }
    return done;
  }

  #of(part: Mounted): Shown {
    let shown = this.#shown.get(part);
    if (!shown) this.#shown.set(part, (shown = { at: -Infinity, text: -Infinity, pause: TEXT_MS, version: -1, said: -1 }));
    return shown;
  }
}
