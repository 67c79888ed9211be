import fs, { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { replaceFile, requireReplaceable } from '../../src/data-files/replace-file';
import { createBreadcrumbFile } from '../../src/process/crash-breadcrumb';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nablascope-replace-'));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

it('replaces the content, and leaves nothing else behind', async () => {
  const file = join(folder, 'a.json');
  await replaceFile(file, 'one');
  await replaceFile(file, new TextEncoder().encode('two'));
  expect(await readFile(file, 'utf8')).toBe('two');
  expect(await readdir(folder)).toEqual(['a.json']);
});

it('replaces a link instead of writing to where it leads', async () => {
  await writeFile(join(folder, 'precious.txt'), 'precious');
  await symlink(join(folder, 'precious.txt'), join(folder, 'a.json'));
  await replaceFile(join(folder, 'a.json'), 'new');
  expect(await readFile(join(folder, 'precious.txt'), 'utf8')).toBe('precious');
  expect(await readFile(join(folder, 'a.json'), 'utf8')).toBe('new');
});

it('creates its temporary file under another name each time, and only if there is none', async () => {
  const writing = vi.spyOn(fs, 'writeFile');
  await replaceFile(join(folder, 'a.json'), 'one');
  await replaceFile(join(folder, 'a.json'), 'two');
  const names = writing.mock.calls.map(([file]) => file);
  expect(new Set(names).size).toBe(2);
  const exclusive = expect.objectContaining({ flag: 'wx' }) as unknown;
  expect(writing.mock.calls.map(([, , options]) => options)).toEqual([exclusive, exclusive]);
});

it('leaves the old file if the new one cannot be written', async () => {
  const file = join(folder, 'a.json');
  await replaceFile(file, 'old');
  vi.spyOn(fs, 'rename').mockRejectedValueOnce(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
  await expect(replaceFile(file, 'new')).rejects.toThrow('no space');
  expect(await readFile(file, 'utf8')).toBe('old');
  expect(await readdir(folder)).toEqual(['a.json']);
});

it.skipIf(process.platform === 'win32')('keeps the permissions of the file', async () => {
  const file = join(folder, 'a.sh');
  await writeFile(file, 'old', { mode: 0o750 });
  await replaceFile(file, 'new');
  expect((await fs.stat(file)).mode & 0o777).toBe(0o750);
});

it.skipIf(process.platform === 'win32')('writes into what is no regular file', async () => {
  await symlink('/dev/null', join(folder, 'device'));
  await replaceFile(join(folder, 'device'), 'new');
  expect(await fs.readlink(join(folder, 'device'))).toBe('/dev/null');
  expect((await fs.stat(join(folder, 'device'))).isCharacterDevice()).toBe(true);
});

it('tells beforehand whether a file can be replaced, and changes nothing', async () => {
  await writeFile(join(folder, 'a.json'), 'old');
  await symlink(join(folder, 'missing'), join(folder, 'dangling'));
  for (const name of ['a.json', 'new.json', 'dangling']) await requireReplaceable(join(folder, name));
  await expect(requireReplaceable(folder)).rejects.toThrow(expect.objectContaining({ code: 'EISDIR' }));
  await expect(requireReplaceable(join(folder, 'none', 'a.json'))).rejects.toThrow('ENOENT');
  expect((await readdir(folder)).sort()).toEqual(['a.json', 'dangling']);
  expect(await readFile(join(folder, 'a.json'), 'utf8')).toBe('old');
});

it.skipIf(process.platform === 'win32')(
  'the crash breadcrumb is in a folder of its own, for this user only',
  async () => {
    const file = join(folder, 'own', 'layer-call.txt');
    createBreadcrumbFile(file);
    expect((await fs.stat(join(folder, 'own'))).mode & 0o777).toBe(0o700);
    expect((await fs.stat(file)).mode & 0o777).toBe(0o600);
    // Anything that is there already may be planted.
    expect(() => createBreadcrumbFile(file)).toThrow('EEXIST');
  },
);
