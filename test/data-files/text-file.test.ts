// Text files in the extension host: only small regular files in the given folders, and never blocking.
import { execFileSync } from 'node:child_process';
import fs, { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readTextFile } from '../../src/data-files/text-file';

let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'nablascope-text-'));
  folder = join(parent, 'workspace');
  await mkdir(folder);
  await writeFile(join(parent, 'outside.txt'), 'secret');
});

afterEach(() => rm(parent, { recursive: true }));

const read = (file: string, maxBytes = 100) => readTextFile(file, { folders: [folder], maxBytes });

describe('reading a text file', () => {
  it('returns its text, also through a link inside the folder', async () => {
    await writeFile(join(folder, 'a.txt'), 'text ∇');
    await symlink(join(folder, 'a.txt'), join(folder, 'link.txt'));
    expect(await read(join(folder, 'a.txt'))).toEqual({ kind: 'text', text: 'text ∇' });
    expect(await read(join(folder, 'link.txt'))).toEqual({ kind: 'text', text: 'text ∇' });
  });

  it('reports that it is missing', async () => {
    expect(await read(join(folder, 'none.txt'))).toEqual({ kind: 'missing' });
    expect(await read('relative.txt')).toEqual({ kind: 'missing' });
  });

  it('rejects a file outside, by path or by link', async () => {
    await symlink(join(parent, 'outside.txt'), join(folder, 'link.txt'));
    const refused = { kind: 'refused', reason: 'outside' };
    expect(await read(join(parent, 'outside.txt'))).toEqual(refused);
    expect(await read(join(folder, '../outside.txt'))).toEqual(refused);
    expect(await read(join(folder, 'link.txt'))).toEqual(refused);
  });

  it('reads from any folder if none is given', async () => {
    expect(await readTextFile(join(parent, 'outside.txt'), { folders: null, maxBytes: 6 })).toEqual({
      kind: 'text',
      text: 'secret',
    });
  });

  it('rejects a file above the size limit, and accepts one of exactly that size', async () => {
    await writeFile(join(folder, 'a.txt'), '12345');
    expect(await read(join(folder, 'a.txt'), 4)).toEqual({ kind: 'refused', reason: 'too-large' });
    expect(await read(join(folder, 'a.txt'), 5)).toEqual({ kind: 'text', text: '12345' });
  });

  it('rejects a folder', async () => {
    await mkdir(join(folder, 'inner'));
    expect(await read(join(folder, 'inner'))).toEqual({ kind: 'refused', reason: 'not-a-file' });
  });

  it('rejects what a link leads to by the time of the opening', async () => {
    await writeFile(join(folder, 'a.txt'), 'text');
    const { open } = fs;
    const opening = vi.spyOn(fs, 'open');
    try {
      opening.mockImplementationOnce((_file, flags) => open(join(parent, 'outside.txt'), flags));
      expect(await read(join(folder, 'a.txt'))).toEqual({ kind: 'refused', reason: 'outside' });
      opening.mockImplementationOnce((_file, flags) => open(folder, flags));
      expect(await read(join(folder, 'a.txt'))).toEqual({ kind: 'refused', reason: 'not-a-file' });
      expect(opening).toHaveBeenCalledTimes(2);
    } finally {
      opening.mockRestore();
    }
    expect(await read(join(folder, 'a.txt'))).toEqual({ kind: 'text', text: 'text' });
  });

  it.skipIf(process.platform === 'win32')('resolves at once for a pipe and a device', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const notAFile = { kind: 'refused', reason: 'not-a-file' };
    expect(await read(join(folder, 'pipe'))).toEqual(notAFile);
    expect(await readTextFile('/dev/zero', { folders: null, maxBytes: 100 })).toEqual(notAFile);
  });
});
