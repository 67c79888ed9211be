// Writes a file completely or not at all: to a temporary file that is then renamed. The temporary file has a name that
// nobody can guess, and is created only if nothing of that name exists, so no planted link is followed.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';

/**
 * Replaces a file, or a link by a file, and keeps the permissions of the file. Writes into what is no regular file: a
 * pipe, or `/dev/stdout`. Rejects if it cannot be written; then the file is as it was.
 */
export async function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
  const old = await fs.stat(file).catch(() => null);
  if (old && !old.isFile()) return fs.writeFile(file, content);
  await withTemporaryFile(file, async (temporaryFile) => {
    // Nobody may read more of it meanwhile than of the old file.
    await fs.writeFile(temporaryFile, content, { flag: 'wx', ...(old && { mode: old.mode & 0o777 }) });
    // Above, the umask takes permissions away. Some file systems have none.
    if (old) await fs.chmod(temporaryFile, old.mode).catch(() => undefined);
    await fs.rename(temporaryFile, file);
  });
}

/** Rejects if `replaceFile` could not write an empty file there. Changes nothing. */
export async function requireReplaceable(file: string): Promise<void> {
  const old = await fs.stat(file).catch(() => null);
  if (old?.isDirectory()) throw Object.assign(new Error(`${file} is a folder.`), { code: 'EISDIR' });
  if (old && !old.isFile()) return fs.access(file, fs.constants.W_OK);
  await withTemporaryFile(file, async (temporaryFile) => {
    await fs.writeFile(temporaryFile, '', { flag: 'wx' });
    await fs.rm(temporaryFile);
  });
}

async function withTemporaryFile(file: string, use: (temporaryFile: string) => Promise<void>): Promise<void> {
  const temporaryFile = path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID()}.tmp`);
  try {
    await use(temporaryFile);
  } catch (error) {
    await fs.rm(temporaryFile, { force: true }).catch(() => undefined);
    throw error;
  }
}
