// Files for tests: from memory, from disk, or none at all.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError } from '../../src/engine/datasets/data-error';
import { type DataFile, type DataFiles, inMemoryFile } from '../../src/engine/datasets/data-file';
import { type ChunkSizes, FolderFiles } from '../../src/data-files/data-files';

const { decompress: unpack } = new FolderFiles({ folder: '', root: null });

/** No file exists. */
export const noFiles: DataFiles = {
  open: (path, at) => {
    throw new DataError(`There is no file ${JSON.stringify(path)}.`, 'Check the path.', at);
  },
  decompress: unpack,
};

/**
 * Files from memory, by path.
 * @param chunkSize characters per chunk of text
 */
export function inMemoryFiles(
  contents: Readonly<Record<string, string | Uint8Array>>,
  chunkSize = Infinity,
): DataFiles {
  return {
    open(path, at): DataFile {
      if (!Object.hasOwn(contents, path)) return noFiles.open(path, at);
      const content = contents[path];
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      return {
        ...inMemoryFile(path, bytes),
        *text() {
          const whole = new TextDecoder().decode(bytes);
          for (let from = 0; from < whole.length; from += chunkSize) yield whole.slice(from, from + chunkSize);
        },
      };
    },
    decompress: unpack,
  };
}

/** The files of a folder, by relative path. */
export const folderFiles = (folder: string): DataFiles => ({
  open: (path, at) => inMemoryFiles({ [path]: readFileSync(join(folder, path)) }).open(path, at),
  decompress: unpack,
});

/** Chunk sizes that do not evenly divide a row, a number or a character. */
export const ODD_CHUNKS: ChunkSizes = { text: 7, numbers: 13 };

const MAX_OPEN = 64;
const openFolders: FolderFiles[] = [];
let scratch: string | undefined;
let written = 0;

/** The files of a folder as the product reads them: from disk, in chunks. */
export function readFolder(folder: string, chunkSizes: ChunkSizes = ODD_CHUNKS): DataFiles {
  const files = new FolderFiles({ folder, root: null }, chunkSizes);
  openFolders.push(files);
  // File descriptors are limited; a test uses one or two sets of files at a time.
  if (openFolders.length > MAX_OPEN) openFolders.shift()?.close();
  return files;
}

/** Writes files and reads them as the product does: from disk, in chunks. Paths as in `contents`. */
export function filesOnDisk(
  contents: Readonly<Record<string, string | Uint8Array>>,
  chunkSizes: ChunkSizes = ODD_CHUNKS,
): DataFiles {
  if (scratch === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'nablascope-data-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    scratch = folder;
  }
  // Cycles through a few names, because files that were opened before may still be read.
  const prefix = `${written++ % (2 * MAX_OPEN)}-`;
  const folder = scratch;
  for (const [path, content] of Object.entries(contents)) {
    const file = join(folder, prefix + path);
    rmSync(file, { force: true });
    writeFileSync(file, content);
  }
  const files = readFolder(folder, chunkSizes);
  return {
    open(path, at): DataFile {
      if (!Object.hasOwn(contents, path)) return noFiles.open(path, at);
      return withName(files.open(prefix + path, at), path);
    },
    decompress: unpack,
  };
}

/** The same file with another name or size. */
export function withName(file: DataFile, name: string, size = file.size): DataFile {
  return {
    name,
    size,
    chunkBytes: file.chunkBytes,
    get bytesRead() {
      return file.bytesRead;
    },
    read: (offset, length) => file.read(offset, length),
    text: () => file.text(),
  };
}
