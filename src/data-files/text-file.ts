// Reads a small text file without ever blocking the caller: the file must be a regular file, be inside one of the given
// folders after following links, and be no larger than allowed. For the extension host, where nothing may wait for a
// pipe or read a device.
import fs from 'node:fs/promises';
import { constants } from 'node:fs';
import path from 'node:path';
import { isInside } from './is-inside';

export interface TextFileLimits {
  /** Absolute. Null allows any folder. */
  readonly folders: readonly string[] | null;
  readonly maxBytes: number;
}

export type TextFileResult =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly reason: 'outside' | 'not-a-file' | 'too-large' | 'unreadable' };

/** @param file absolute. Invalid UTF-8 is replaced. */
export async function readTextFile(file: string, { folders, maxBytes }: TextFileLimits): Promise<TextFileResult> {
  const refuse = (reason: Extract<TextFileResult, { kind: 'refused' }>['reason']): TextFileResult => ({
    kind: 'refused',
    reason,
  });
  if (!path.isAbsolute(file)) return { kind: 'missing' };
  let handle: fs.FileHandle | undefined;
  try {
    const real = await fs.realpath(file);
    const realFolders = folders && (await Promise.all(folders.map((folder) => fs.realpath(folder).catch(() => null))));
    const isAllowed = (target: string): boolean =>
      realFolders === null || realFolders.some((folder) => isInside(target, folder));
    if (!isAllowed(real)) return refuse('outside');
    if (!(await fs.stat(real)).isFile()) return refuse('not-a-file');
    // Non-blocking, because a pipe may have replaced the file since.
    handle = await fs.open(real, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const opened = await handle.stat();
    const { size } = opened;
    if (!opened.isFile()) return refuse('not-a-file');
    // A link may have changed between the check and the opening: what counts is the file that was opened.
    const again = await fs.realpath(real);
    const now = await fs.stat(again);
    if (now.dev !== opened.dev || now.ino !== opened.ino || !isAllowed(again)) return refuse('outside');
    if (size > maxBytes) return refuse('too-large');
    const bytes = Buffer.alloc(size);
    let length = 0;
    while (length < size) {
      const { bytesRead } = await handle.read(bytes, length, size - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return { kind: 'text', text: bytes.toString('utf8', 0, length) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? { kind: 'missing' } : refuse('unreadable');
  } finally {
    await handle?.close();
  }
}
