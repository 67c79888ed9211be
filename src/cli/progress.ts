// One line at the bottom of a terminal that says how far work is. Writes nothing where there is no terminal.
import type { Terminal } from './terminal';

const REDRAW_MS = 80;
const BAR = 24;
const ERASE = '\r\u001b[K';

/** `████████░░░░` of `width` characters. */
export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

export class Progress {
  #last = -Infinity;
  #shown = false;

  constructor(readonly terminal: Terminal) {}

  /** @param room characters that the text may take, given where it is made. */
  show(share: number, text: (room: number) => string): void {
    const { err, now } = this.terminal;
    if (!err.isTTY || now() - this.#last < REDRAW_MS) return;
    this.#last = now();
    this.#shown = true;
    const head = `${bar(share, BAR)} ${String(Math.floor(share * 100)).padStart(3)} % `;
    // The last column stays free: some terminals break the line there.
    const room = Math.max(0, err.columns - head.length - 1);
    err.write(ERASE + head + text(room).slice(0, room));
  }

  /** Takes the line away. */
  clear(): void {
    if (!this.#shown) return;
    this.#shown = false;
    this.terminal.err.write(ERASE);
  }
}
