// Locates a function or an exception in a custom layer's file.
import type { SourceLocation } from '../protocol/problem';
import fs from 'node:fs';
import * as nodeModule from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readThrownError } from '../engine/custom/foreign-value';
import { positionAt } from '../presentation/text-position';

const toFilePath = (name: string): string => (name.startsWith('file:') ? fileURLToPath(name) : name);

/** Replaces types with blanks, as Node does, if Node supports it. Throws if the text contains more than types. */
export function stripTypes(text: string): string {
  const { stripTypeScriptTypes } = nodeModule as { stripTypeScriptTypes?: (code: string) => string };
  return stripTypeScriptTypes ? withoutWarnings(() => stripTypeScriptTypes(text)) : text;
}

/** A file as it runs: types are replaced with blanks, so positions stay the same. */
function readStripped(file: string): string | null {
  try {
    const text = fs.readFileSync(file, 'utf8');
    return /\.[cm]?ts$/.test(file) ? stripTypes(text) : text;
  } catch {
    return null;
  }
}

/** Suppresses Node's warnings about experimental features. */
function withoutWarnings<Result>(work: () => Result): Result {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Parses the header of a stack that Node adds to syntax errors: file and line, the source line, and a caret below the
 * column.
 */
function locationFromHeader(stack: string): SourceLocation | null {
  const head = /^(\S.*?):(\d+)\n([\s\S]*?\n)?( *)\^/.exec(stack);
  if (!head) return null;
  return { file: toFilePath(head[1]!), line: Number(head[2]), column: head[4]!.length + 1 };
}

/** The innermost frame in a file of the user, not in Node or the engine. */
function locationFromFrames(stack: string, own: string): SourceLocation | null {
  const frames = [...stack.matchAll(/^ +at (?:.*? \()?(file:\/\/\S+?|\/\S.*?|[A-Z]:\\.*?):(\d+):(\d+)\)?$/gm)].map(
    ([, name, line, column]): SourceLocation => ({
      file: toFilePath(name!),
      line: Number(line),
      column: Number(column),
    }),
  );
  return (
    frames.find(({ file }) => file === own) ??
    frames.find(({ file }) => !file.includes('node_modules') && path.dirname(file) !== __dirname) ??
    null
  );
}

export class SourceLocator {
  readonly #displayPath: (file: string) => string;
  #source: string | null | undefined;

  /**
   * @param file the real path of the layer's file, under which it runs
   * @param named converts real paths to those that the user knows
   */
  constructor(
    readonly file: string,
    named = (file: string): string => file,
  ) {
    this.#displayPath = named;
  }

  /** The position of a function of the file, or of an error; the file itself if the position is unknown. */
  locate(what: unknown): SourceLocation {
    const place = this.#locate(what);
    return { ...place, file: this.#displayPath(place.file) };
  }

  #locate(what: unknown): SourceLocation {
    const whole: SourceLocation = { file: this.file, line: null, column: null };
    if (typeof what === 'function') return this.#locateFunction(Function.prototype.toString.call(what)) ?? whole;
    const error = readThrownError(what);
    if (!error || error.stack === null) return whole;
    return (
      locationFromHeader(error.stack) ??
      locationFromFrames(error.stack, this.file) ??
      this.#locateMissingImport(error.message) ??
      whole
    );
  }

  /** The position of a text in the file. */
  #locateText(text: string): SourceLocation | null {
    this.#source ??= readStripped(this.file);
    const at = this.#source?.indexOf(text) ?? -1;
    return at < 0 || this.#source === null ? null : { file: this.file, ...positionAt(this.#source, at) };
  }

  #locateFunction(source: string): SourceLocation | null {
    return source.includes('[native code]') ? null : this.#locateText(source);
  }

  /** The line of an import that was not found, located by the file name in the message. */
  #locateMissingImport(message: string): SourceLocation | null {
    const missing = /^Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1];
    return missing === undefined
      ? null
      : this.#locateText(missing.slice(Math.max(missing.lastIndexOf('/'), missing.lastIndexOf('\\')) + 1));
  }
}
