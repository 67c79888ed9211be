import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../src/engine/datasets/dataset';
import { textReader } from '../../src/files/text-reader';

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

const refusal = (file: string, folder = root, bound: string | null = root): string => {
  try {
    textReader(folder, bound)(file);
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as DataError).message;
  }
  throw new Error(`${file} was read`);
};

describe('files that a spec names', () => {
  it('are read from the folder of the spec', () => {
    expect(textReader(root, root)('data.csv')).toBe('a,b\n1,2\n');
    expect(textReader(join(root, 'sub'), root)('../data.csv')).toBe('a,b\n1,2\n');
    expect(textReader(join(root, 'sub'), root)('..data.csv')).toBe('dots');
    expect(textReader(root, root)(join(root, 'data.csv'))).toBe('a,b\n1,2\n');
  });

  it('may be links as long as they end inside', () => {
    expect(textReader(root, root)('link-in.csv')).toBe('a,b\n1,2\n');
    expect(textReader(join(base, 'link-to-work'), join(base, 'link-to-work'))('data.csv')).toBe('a,b\n1,2\n');
  });

  it.each(['../outside.csv', 'link-out.csv', '../work-secret/data.csv', 'sub/../../outside.csv'])(
    'outside the workspace are refused: %s',
    (file) => {
      expect(refusal(file)).toContain('outside the workspace');
    },
  );

  it('outside the workspace are refused by their full path too', () => {
    expect(refusal(join(base, 'outside.csv'))).toContain('outside the workspace');
  });

  it('have no bound where there is no workspace', () => {
    expect(textReader(root, null)('../outside.csv')).toBe('secret');
  });

  it('that are missing, folders, or no text are named in the refusal', () => {
    expect(refusal('none.csv')).toBe('There is no file "none.csv".');
    expect(refusal('data.csv/none.csv')).toBe('There is no file "data.csv/none.csv".');
    expect(refusal('sub')).toBe('"sub" is no file.');
    expect(refusal('latin1.csv')).toBe('"latin1.csv" is not UTF-8 text.');
    expect(refusal('a\0b')).toContain('cannot be read');
  });

  it('cannot be found by a spec that was never saved', () => {
    expect(refusal('data.csv', '', '')).toContain('no folder yet');
  });
});
