// The terminal that a command speaks to: two streams, what they can show, and Ctrl-C. Commands get it given,
// so that none of them touches `process`.
export interface Stream {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width in characters. */
  readonly columns: number;
}

export interface Terminal {
  /** Results. */
  readonly out: Stream;
  /** Problems and progress. */
  readonly err: Stream;
  /** Whether results may be coloured. */
  readonly colour: boolean;
  /** Folder of the bundles that run beside this one, such as the threads of a sweep. */
  readonly bundles: string;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  /** Milliseconds, from any origin. */
  readonly now: () => number;
  /** Lets the event loop turn once: only then is Ctrl-C heard. */
  readonly pause: () => Promise<void>;
  /** Whether Ctrl-C was pressed. */
  readonly interrupted: () => boolean;
}

/** What a command ends with; docs/terminal.md. */
export const EXIT = { good: 0, failed: 1, misuse: 2, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const CODES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' } as const;

export type Style = keyof typeof CODES;

/** Puts text in a style where the terminal shows colours. */
export const paint = ({ colour }: Pick<Terminal, 'colour'>, style: Style, text: string): string =>
  colour ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
