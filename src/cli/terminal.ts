// The terminal a command writes to: two streams, colors and Ctrl-C. Commands receive it, so none of them touches
// `process`.
import type { Readable } from 'node:stream';
import { escapeControls } from '../protocol/escape-controls';
import type { CustomLayerWatch } from '../process/custom-layer-watch';

export interface Stream {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width in characters. */
  readonly columns: number;
}

/** Receives the names of custom layers, and then when their code runs. */
export type LayerWatch = Pick<CustomLayerWatch, 'registerLayers' | 'enter' | 'leave'>;

export interface Terminal {
  /** Requests of a client; only the debug adapter and the MCP server read. */
  readonly input?: Readable;
  /** Results. */
  readonly out: Stream;
  /** Problems and progress. */
  readonly err: Stream;
  /** Whether results may be colored. */
  readonly color: boolean;
  /** Folder of the bundles that the CLI starts, such as the threads of a sweep. */
  readonly bundleFolder: string;
  /** Folder that relative paths are based on. */
  readonly cwd: string;
  /** Whether an internal error prints its stack. */
  readonly debug?: boolean;
  /** Watches the calls of custom layers; undefined if no thread could stop them. */
  readonly layerWatch?: LayerWatch;
  /** Milliseconds since an arbitrary origin. */
  readonly now: () => number;
  /** Lets the event loop run, which is when Ctrl-C is noticed. */
  readonly pause: () => Promise<void>;
  /** Whether Ctrl-C was pressed. */
  readonly interrupted: () => boolean;
}

/** 130 and 141 are the codes that a shell reports for SIGINT and SIGPIPE. */
export const EXIT = { success: 0, failed: 1, usageError: 2, interrupted: 130, brokenPipe: 141 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Shown in help and in docs/terminal.md. */
export const EXIT_CODES: readonly (readonly [ExitCode, string])[] = [
  [EXIT.success, 'Success'],
  [EXIT.failed, 'The check failed, the run diverged, or code failed while it ran'],
  [EXIT.usageError, 'The spec or the call is invalid'],
  [EXIT.interrupted, 'Stopped by Ctrl-C; results so far are printed'],
  [EXIT.brokenPipe, 'The program that reads the output ended first, such as `head`'],
];

const SGR_CODES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' } as const;

export type Style = keyof typeof SGR_CODES;

/** Text in a style. */
export interface Span {
  readonly style: Style;
  readonly text: string;
}

/** One line of output. */
export type Line = string | Span | readonly (string | Span)[];

export const paint = (style: Style, text: string): Span => ({ style, text });

/**
 * The only way text reaches a stream, apart from JSON and CSV. Names, cells of data files and messages may hold
 * anything: control characters, which could move the cursor or recolor the screen, are printed as `[U+001B]`.
 */
export function printLines({ color }: Pick<Terminal, 'color'>, stream: Stream, lines: readonly Line[]): void {
  const render = (part: string | Span): string => {
    if (typeof part === 'string') return escapeControls(part);
    const text = escapeControls(part.text);
    return color ? `\u001b[${SGR_CODES[part.style]}m${text}\u001b[0m` : text;
  };
  const text = lines.map((line) => (isParts(line) ? line.map(render).join('') : render(line)));
  if (text.length > 0) stream.write(`${text.join('\n')}\n`);
}

const isParts = (line: Line): line is readonly (string | Span)[] => Array.isArray(line);
