// Where something stands in the user's file: a function, or where an exception arose.
import fs from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import type { CodePlace } from '../engine/custom/fault';

/** Line and column, from 1, of an offset in a text. */
function lineAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/);
  return { line: before.length, column: before[before.length - 1].length + 1 };
}

const pathOf = (name: string): string => (name.startsWith('file:') ? fileURLToPath(name) : name);

/** As Node does, where it can: blanks in place of types. Throws where the text is more than types. */
export function removeTypes(text: string): string {
  const { stripTypeScriptTypes } = nodeModule as { stripTypeScriptTypes?: (code: string) => string };
  return stripTypeScriptTypes ? quietly(() => stripTypeScriptTypes(text)) : text;
}

/** A file as it runs: what is removed of its types leaves blanks, so that every place stays. */
function asItRuns(file: string): string | null {
  try {
    const text = fs.readFileSync(file, 'utf8');
    return /\.[cm]?ts$/.test(file) ? removeTypes(text) : text;
  } catch {
    return null;
  }
}

/** Without what Node says of a feature that is new. */
function quietly<Result>(work: () => Result): Result {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** The head of a stack that Node gives to errors of syntax: file and line, the line, and a caret below the column. */
function placeInHead(stack: string): CodePlace | null {
  const head = /^(\S.*?):(\d+)\n([\s\S]*?\n)?( *)\^/.exec(stack);
  if (!head) return null;
  return { file: pathOf(head[1]), line: Number(head[2]), column: head[4].length + 1 };
}

/** The innermost frame in a file of the user's: none of Node's, none of the engine's. */
function placeInFrames(stack: string, own: string): CodePlace | null {
  const frames = [...stack.matchAll(/^ +at (?:.*? \()?(file:\/\/\S+?|\/\S.*?|[A-Z]:\\.*?):(\d+):(\d+)\)?$/gm)].map(
    ([, name, line, column]): CodePlace => ({ file: pathOf(name), line: Number(line), column: Number(column) }),
  );
  return frames.find(({ file }) => file === own) ?? frames.find(({ file }) => !file.includes('node_modules') && file !== __filename) ?? null;
}

export class Places {
  readonly #named: (file: string) => string;
  #text: string | null | undefined;

  /**
   * @param file of the layer, by its real path: the one that it runs by.
   * @param named what the user calls a file by its real path, where links lead to it.
   */
  constructor(readonly file: string, named = (file: string): string => file) {
    this.#named = named;
  }

  /** Of a function of the file, or of an error that arose in it; the file itself where that cannot be told. */
  of(what: unknown): CodePlace {
    const place = this.#of(what);
    return { ...place, file: this.#named(place.file) };
  }

  #of(what: unknown): CodePlace {
    const whole: CodePlace = { file: this.file, line: null, column: null };
    if (typeof what === 'function') return this.#ofFunction(String(what)) ?? whole;
    if (!(what instanceof Error) || typeof what.stack !== 'string') return whole;
    return placeInHead(what.stack) ?? placeInFrames(what.stack, this.file) ?? this.#ofMissing(what.message) ?? whole;
  }

  /** Of a text in the file. */
  #ofText(text: string): CodePlace | null {
    this.#text ??= asItRuns(this.file);
    const at = this.#text?.indexOf(text) ?? -1;
    return at < 0 || this.#text === null ? null : { file: this.file, ...lineAt(this.#text, at) };
  }

  #ofFunction(source: string): CodePlace | null {
    return source.includes('[native code]') ? null : this.#ofText(source);
  }

  /** Of an import that was not found: its line, by the name at the end of the path. */
  #ofMissing(message: string): CodePlace | null {
    const missing = /^Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1];
    return missing === undefined ? null : this.#ofText(missing.slice(Math.max(missing.lastIndexOf('/'), missing.lastIndexOf('\\')) + 1));
  }
}
