// Progress on a terminal: one line at the bottom with a bar, and a series as block characters.
import { escapeControls } from '../protocol/escape-controls';
import type { Terminal } from './terminal';

const REDRAW_MS = 80;
const BAR_WIDTH = 24;
const ERASE_LINE = '\r\u001b[K';
const BLOCKS = '▁▂▃▄▅▆▇█';

/** `████████░░░░` of `width` characters. */
export function renderBar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** At most `width` characters; each shows the mean of its share of the values. Empty if no value is finite. */
export function sparkline(values: readonly number[], width: number): string {
  const cells = Math.min(width, values.length);
  const means: number[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const from = Math.floor((cell * values.length) / cells);
    const to = Math.max(from + 1, Math.floor(((cell + 1) * values.length) / cells));
    const share = values.slice(from, to).filter(Number.isFinite);
    if (share.length > 0) means.push(share.reduce((sum, value) => sum + value, 0) / share.length);
  }
  const low = Math.min(...means);
  const high = Math.max(...means);
  return means
    .map((mean) => BLOCKS[high > low ? Math.round(((mean - low) / (high - low)) * (BLOCKS.length - 1)) : 0])
    .join('');
}

/** Writes nothing if standard error is not a terminal. */
export class ProgressBar {
  #lastDraw = -Infinity;
  #isShown = false;

  constructor(readonly terminal: Terminal) {}

  /** @param text receives the number of characters available */
  show(share: number, text: (width: number) => string): void {
    const { err, now } = this.terminal;
    if (!err.isTTY || now() - this.#lastDraw < REDRAW_MS) return;
    this.#lastDraw = now();
    this.#isShown = true;
    const head = `${renderBar(share, BAR_WIDTH)} ${String(Math.floor(share * 100)).padStart(3)} % `;
    // The last column stays free: some terminals wrap the line there.
    const width = Math.max(0, err.columns - head.length - 1);
    err.write(ERASE_LINE + head + escapeControls(text(width)).slice(0, width));
  }

  clear(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.terminal.err.write(ERASE_LINE);
  }
}
