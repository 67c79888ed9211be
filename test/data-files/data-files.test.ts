import fs, { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DataError } from '../../src/engine/datasets/data-error';
import { FolderFiles } from '../../src/data-files/data-files';

let base: string;
let root: string;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'nablascope-files-'));
  root = join(base, 'work');
  mkdirSync(join(root, 'sub'), { recursive: true });
  mkdirSync(join(base, 'work-secret'));
  writeFileSync(join(root, 'data.csv'), 'a,b\n1,2\n');
  writeFileSync(join(root, 'sub', '..data.csv'), 'dots');
  writeFileSync(join(root, 'latin1.csv'), Buffer.from([0x61, 0xe9, 0x0a]));
  writeFileSync(join(base, 'outside.csv'), 'secret');
  writeFileSync(join(base, 'work-secret', 'data.csv'), 'secret');
  symlinkSync(join(base, 'outside.csv'), join(root, 'link-out.csv'));
  symlinkSync(join(root, 'data.csv'), join(root, 'link-in.csv'));
  symlinkSync(root, join(base, 'link-to-work'));
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

/** The text of a file as a spec in `folder` reads it. */
function textOf(file: string, folder = root, bound: string | null = root, allowed: readonly string[] = []): string {
  const files = new FolderFiles({ folder, root: bound, allowed });
  try {
    return [...files.open(file, ['path']).text()].join('');
  } finally {
    files.close();
  }
}

const refusalMessage = (file: string, folder = root, bound: string | null = root): string => {
  try {
    textOf(file, folder, bound);
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as DataError).message;
  }
  throw new Error(`${file} was read`);
};

describe('files that a spec names', () => {
  it('are read relative to the folder of the spec', () => {
    expect(textOf('data.csv')).toBe('a,b\n1,2\n');
    expect(textOf('../data.csv', join(root, 'sub'), root)).toBe('a,b\n1,2\n');
    expect(textOf('..data.csv', join(root, 'sub'), root)).toBe('dots');
    expect(textOf(join(root, 'data.csv'))).toBe('a,b\n1,2\n');
  });

  it('may be links that lead to a place inside', () => {
    expect(textOf('link-in.csv')).toBe('a,b\n1,2\n');
    expect(textOf('data.csv', join(base, 'link-to-work'), join(base, 'link-to-work'))).toBe('a,b\n1,2\n');
  });

  it.each(['../outside.csv', 'link-out.csv', '../work-secret/data.csv', 'sub/../../outside.csv'])(
    'outside the workspace are refused: %s',
    (file) => {
      expect(refusalMessage(file)).toContain('outside the workspace');
    },
  );

  it('outside the workspace are rejected, also by absolute path', () => {
    expect(refusalMessage(join(base, 'outside.csv'))).toContain('outside the workspace');
  });

  it('in a folder that the user allows are read, by relative, absolute or linked path', () => {
    expect(textOf('../outside.csv', root, root, [base])).toBe('secret');
    expect(textOf(join(base, 'outside.csv'), root, root, [base])).toBe('secret');
    expect(textOf('link-out.csv', root, root, [base])).toBe('secret');
    expect(textOf('../work-secret/data.csv', root, root, [join(base, 'work-secret')])).toBe('secret');
  });

  it.each([[['work-secret']], [[''], ['.'], ['..']].flat(), [['/nowhere/at/all']]])(
    'are not allowed by a folder that is no full path, or not there: %j',
    (...allowed) => {
      expect(() => textOf('../work-secret/data.csv', root, root, allowed.flat())).toThrow('outside the workspace');
    },
  );

  it('outside are not read if a link changes between the check and the opening', () => {
    const { openSync } = fs;
    const opening = vi
      .spyOn(fs, 'openSync')
      .mockImplementationOnce((_file, flags) => openSync(join(base, 'outside.csv'), flags));
    try {
      expect(refusalMessage('data.csv')).toContain('outside the workspace');
      expect(opening).toHaveBeenCalledOnce();
    } finally {
      opening.mockRestore();
    }
  });

  it.each<[string, (file: string) => void]>([
    ['become shorter', (file) => writeFileSync(file, 'a')],
    ['become longer', (file) => fs.appendFileSync(file, 'a')],
    ['change', (file) => fs.utimesSync(file, 0, 1)],
    ['are replaced', (file) => fs.renameSync(join(root, 'data.csv.new'), file)],
  ])('that %s while they are read are a problem', (_what, change) => {
    const path = join(root, 'changing.csv');
    writeFileSync(path, 'a'.repeat(100));
    writeFileSync(join(root, 'data.csv.new'), 'b'.repeat(100));
    const files = new FolderFiles({ folder: root, root });
    try {
      const file = files.open('changing.csv', ['path']);
      expect(file.read(0, 50)).toHaveLength(50);
      change(path);
      expect(() => file.read(0, 100)).toThrow(expect.objectContaining({ name: 'DataError', code: 'file-changed' }));
    } finally {
      files.close();
    }
  });

  it('outside are not read while a link alternates between inside and outside', async () => {
    const flickering = join(root, 'flickering');
    const code = `
      const fs = require('fs');
      const { workerData: { link, inside, outside, go } } = require('worker_threads');
      const flag = new Int32Array(go);
      for (let i = 0; Atomics.load(flag, 0) === 0; i++) {
        try { fs.symlinkSync(i % 2 ? inside : outside, link + '.new'); fs.renameSync(link + '.new', link); } catch {}
        Atomics.add(flag, 1, 1);
      }`;
    const go = new SharedArrayBuffer(8);
    const flag = new Int32Array(go);
    const workerData = { link: flickering, inside: join(root, 'data.csv'), outside: join(base, 'outside.csv'), go };
    const worker = new Worker(code, { eval: true, workerData });
    const ended = once(worker, 'exit');
    const seen = new Set<string>();
    try {
      while (Atomics.load(flag, 1) < 2) Atomics.wait(flag, 1, Atomics.load(flag, 1), 5);
      for (let i = 0; i < 3000; i++) {
        try {
          seen.add(textOf('flickering'));
        } catch (error) {
          seen.add((error as Error).message);
        }
      }
    } finally {
      Atomics.store(flag, 0, 1);
      await ended;
    }
    expect([...seen].sort()).toEqual(['"flickering" is outside the workspace, so it is not read.', 'a,b\n1,2\n']);
  });

  it('are read in chunks that never split a character', () => {
    const text = 'é🙂ß'.repeat(400_000);
    writeFileSync(join(root, 'long.csv'), text);
    const files = new FolderFiles({ folder: root, root });
    try {
      const file = files.open('long.csv', ['path']);
      const pieces = [...file.text()];
      expect(pieces.length).toBeGreaterThan(2);
      expect(pieces.join('') === text).toBe(true);
      expect(file.bytesRead).toBe(file.size);
      expect(() => file.read(file.size - 1, 2)).toThrow(RangeError);
    } finally {
      files.close();
    }
  });

  it('that are not text are rejected with the byte of the error', () => {
    const bytes = Buffer.from('é'.repeat(700_000));
    for (const at of [0, 1, 2 ** 16 - 1, 2 ** 16, 2 ** 16 + 1, 2 ** 20, bytes.length - 1]) {
      const wrong = Buffer.from(bytes);
      wrong[at] = 0xff;
      writeFileSync(join(root, 'wrong.csv'), wrong);
      // The byte at which the damaged character starts, counted from 1.
      expect(refusalMessage('wrong.csv')).toBe(`"wrong.csv" is not UTF-8 text at byte ${at - (at % 2) + 1}.`);
    }
  });

  it('have no limit without a workspace', () => {
    expect(textOf('../outside.csv', root, null)).toBe('secret');
  });

  it('that are missing, folders or not text are named in the error', () => {
    expect(refusalMessage('none.csv')).toBe('There is no file "none.csv".');
    expect(refusalMessage('data.csv/none.csv')).toBe('There is no file "data.csv/none.csv".');
    expect(refusalMessage('sub')).toBe('"sub" is not a file.');
    expect(refusalMessage('latin1.csv')).toBe('"latin1.csv" is not UTF-8 text at byte 2.');
    expect(refusalMessage('a\0b')).toContain('cannot be read');
  });

  it('are not found by an unsaved spec', () => {
    expect(refusalMessage('data.csv', '', '')).toContain('no folder yet');
  });
});
