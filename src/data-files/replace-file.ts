// Writes a file completely or not at all: to a temporary file that is then renamed. The temporary file has a name that
// nobody can guess, and is created only if nothing of that name exists, so no planted link is followed.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';

/** Rejects if it cannot be written; then the file is as it was. */
export async function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
  const temporaryFile = path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID()}.tmp`);
  try {
    await fs.writeFile(temporaryFile, content, { flag: 'wx' });
    await fs.rename(temporaryFile, file);
  } catch (error) {
    await fs.rm(temporaryFile, { force: true }).catch(() => undefined);
    throw error;
  }
}
