// The text of files that a spec names, and of no others: nothing outside the given folder, whatever links
// or `..` say, and nothing that is not a regular file of bounded size.
import fs from 'node:fs';
import path from 'node:path';
import { DataError } from '../engine/datasets/dataset';

const refusal = (message: string, remedy: string): DataError =>
  // Every dataset that reads a file names it by `path`.
  new DataError(message, remedy, ['path']);

/** Larger files would not fit into one JavaScript string with room to work. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * Finds the files that a spec names, by their real paths.
 * @param folder where relative paths start; empty for a spec that was never saved.
 * @param root nothing outside of it is found; null for no bound.
 */
export function fileFinder(folder: string, root: string | null): (file: string) => string {
  return (file) => {
    if (folder === '') {
      throw refusal(`${quote(file)} cannot be found: the spec has no folder yet.`, 'Save the spec first.');
    }
    const real = realPath(path.resolve(folder, file), file);
    if (root !== null && !isInside(real, fs.realpathSync(root))) {
      throw refusal(
        `${quote(file)} lies outside the workspace, so it is not read.`,
        'Copy the file next to the spec, or open the folder that holds both.',
      );
    }
    return real;
  };
}

/** Reads the files that a spec names; see fileFinder. */
export function textReader(folder: string, root: string | null): (file: string) => string {
  const find = fileFinder(folder, root);
  return (file) => decode(readBounded(find(file), file), file);
}

function realPath(target: string, file: string): string {
  try {
    return fs.realpathSync(target);
  } catch (error) {
    throw unreadable(error, file);
  }
}

function readBounded(real: string, file: string): Buffer {
  try {
    const stats = fs.statSync(real);
    if (!stats.isFile()) {
      throw refusal(`${quote(file)} is no file.`, 'Give the path of a text file.');
    }
    if (stats.size > MOST_BYTES) {
      const size = Math.ceil(stats.size / 2 ** 20);
      throw refusal(
        `${quote(file)} has ${size} MB; at most ${MOST_BYTES / 2 ** 20} MB are read.`,
        'Use a part of the data.',
      );
    }
    return fs.readFileSync(real);
  } catch (error) {
    throw error instanceof DataError ? error : unreadable(error, file);
  }
}

function decode(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refusal(`${quote(file)} is not UTF-8 text.`, 'Save the file as UTF-8.');
  }
}

function isInside(target: string, root: string): boolean {
  const relative = path.relative(root, target);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

function unreadable(error: unknown, file: string): DataError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return refusal(`There is no file ${quote(file)}.`, 'Check the path: it starts at the folder of the spec.');
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return refusal(`${quote(file)} may not be read.`, 'Change the permissions of the file.');
  }
  const why = code ?? (error instanceof Error ? error.message : String(error));
  return refusal(`${quote(file)} cannot be read (${why}).`, 'Check the path and the file.');
}

const quote = (file: string): string => JSON.stringify(file.length > 80 ? `${file.slice(0, 80)}…` : file);
