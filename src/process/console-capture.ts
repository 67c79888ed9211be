// Captures the output of custom layers, from the console and the standard streams, and limits it, since a layer runs
// thousands of times per second.
import { format } from 'node:util';
import type { LogLevel } from '../protocol/engine';
import { OutputBudget } from './output-budget';

/** Further lines in the same second are counted and dropped. */
const MAX_LINES_PER_SECOND = 100;
/** Characters per line. */
const MAX_LINE_LENGTH = 4000;

const CONSOLE_LEVELS = {
  debug: 'debug',
  log: 'info',
  info: 'info',
  warn: 'warn',
  error: 'error',
} as const satisfies Record<string, LogLevel>;

export interface ConsoleCaptureOptions {
  readonly now: () => number;
  /** The layer whose code is running; null if there is none. */
  readonly source: () => string | null;
  readonly write: (level: LogLevel, text: string, source: string | null) => void;
}

export class ConsoleCapture {
  readonly #options: ConsoleCaptureOptions;
  readonly #budget: OutputBudget;

  constructor(options: ConsoleCaptureOptions) {
    this.#options = options;
    this.#budget = new OutputBudget(options.now, MAX_LINES_PER_SECOND);
  }

  /** Redirects the console to this object. */
  attach(target: Console): void {
    for (const [name, level] of Object.entries(CONSOLE_LEVELS)) {
      target[name as keyof typeof CONSOLE_LEVELS] = (...values: unknown[]): void => this.log(level, values);
    }
  }

  /** Redirects what is written to a stream to this object. */
  attachStream(target: Pick<NodeJS.WriteStream, 'write'>, level: LogLevel): void {
    target.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk.subarray(0, MAX_LINE_LENGTH)).toString();
      this.#write(level, () => text.replace(/\n$/, ''));
      const done = rest[rest.length - 1];
      if (typeof done === 'function') process.nextTick(done);
      return true;
    };
  }

  log(level: LogLevel, values: readonly unknown[]): void {
    this.#write(level, () => format(...values));
  }

  /** @param createText is not called for lines that are dropped */
  #write(level: LogLevel, createText: () => string): void {
    const { source, write } = this.#options;
    const { admitted, dropped } = this.#budget.admit(1);
    if (dropped > 0) write('warn', `${dropped} more ${dropped === 1 ? 'line was' : 'lines were'} left out.`, null);
    if (admitted === 0) return;
    const text = createText();
    write(
      level,
      text.length > MAX_LINE_LENGTH ? `${text.slice(0, MAX_LINE_LENGTH)}… (${text.length} characters)` : text,
      source(),
    );
  }
}
