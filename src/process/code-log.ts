// What the user's code writes to the console, handed on in bounded portions: a layer runs thousands of times a second.
import { format } from 'node:util';
import type { LogLevel } from '../protocol/engine';

/** Lines in a second; those beyond are counted and left out. */
const MOST_LINES = 100;
/** Characters of a line. */
const MOST_CHARACTERS = 4000;
const SECOND = 1000;

const LEVELS = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error' } as const satisfies Record<string, LogLevel>;

export interface CodeLogOptions {
  readonly now: () => number;
  /** The layer whose code runs; null where none does. */
  readonly source: () => string | null;
  readonly write: (level: LogLevel, text: string, source: string | null) => void;
}

export class CodeLog {
  readonly #options: CodeLogOptions;
  #since = -Infinity;
  #lines = 0;

  constructor(options: CodeLogOptions) {
    this.#options = options;
  }

  /** From now on the console writes here. */
  capture(target: Console): void {
    for (const [name, level] of Object.entries(LEVELS)) {
      target[name as keyof typeof LEVELS] = (...values: unknown[]): void => this.add(level, values);
    }
  }

  add(level: LogLevel, values: readonly unknown[]): void {
    const { now, source, write } = this.#options;
    if (now() - this.#since >= SECOND) {
      const left = this.#lines - MOST_LINES;
      if (left > 0) write('warn', `${left} more ${left === 1 ? 'line was' : 'lines were'} left out.`, null);
      this.#since = now();
      this.#lines = 0;
    }
    if (++this.#lines > MOST_LINES) return;
    const text = format(...values);
    write(level, text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}… (${text.length} characters)` : text, source());
  }
}
