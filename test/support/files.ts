// Files for tests: from memory, unpacked by Node, or none at all.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../src/engine/datasets/dataset';
import { type DataFile, type DataFiles, inMemory } from '../../src/engine/datasets/files';
import { FolderFiles } from '../../src/files/data-files';

const { unpack } = new FolderFiles({ folder: '', root: null });

/** Whatever is asked for is not there. */
export const noFiles: DataFiles = {
  open: (path, at) => {
    throw new DataError(`There is no file ${JSON.stringify(path)}.`, 'Check the path.', at);
  },
  unpack,
};

/**
 * Files from memory, by their path.
 * @param pieceSize characters of text that are handed out at a time
 */
export function filesOf(contents: Readonly<Record<string, string | Uint8Array>>, pieceSize = Infinity): DataFiles {
  return {
    open(path, at): DataFile {
      if (!Object.hasOwn(contents, path)) return noFiles.open(path, at);
      const content = contents[path];
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      return {
        ...inMemory(path, bytes),
        *text() {
          const whole = new TextDecoder().decode(bytes);
          for (let from = 0; from < whole.length; from += pieceSize) yield whole.slice(from, from + pieceSize);
        },
      };
    },
    unpack,
  };
}

/** The files of a folder, by their path in it. */
export const filesIn = (folder: string): DataFiles => ({
  open: (path, at) => filesOf({ [path]: readFileSync(join(folder, path)) }).open(path, at),
  unpack,
});
