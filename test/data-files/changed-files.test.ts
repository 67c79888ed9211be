// Data files that change between loading and using them, or meanwhile: samples of two versions are never mixed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { FolderFiles } from '../../src/data-files/data-files';
import { loadRunTask } from '../../src/model-spec';
import { runQuery } from '../../src/session/queries';
import { TrainingSession } from '../../src/session/session';

const folder = mkdtempSync(join(tmpdir(), 'nablascope-changing-'));
const folders = { folder, root: null };

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Large enough to be read in several slices. */
const table = (value: number): string => `x,y,t\n${`${value},${value},${value}\n`.repeat(200_000)}`;
const csv = join(folder, 'd.csv');
const text = JSON.stringify({
  data: { type: 'csv', path: 'd.csv' },
  layers: [{ type: 'linear', out_features: 1 }],
  loss: 'mse',
});

beforeEach(() => writeFileSync(csv, table(1)));

/** Loads a run. @param change called once the file was read in part */
function load(files: FolderFiles, change?: () => void) {
  const task = loadRunTask(text, files);
  for (let slices = 0; ; slices++) {
    const { done, value } = task.next();
    if (done) return value;
    if (slices === 2) change?.();
  }
}

describe('a data file that changes', () => {
  it('while it is loaded is a problem of the spec', () => {
    const files = new FolderFiles(folders);
    const { run, problems } = load(files, () => writeFileSync(csv, table(2)));
    expect(run).toBeUndefined();
    expect(problems).toMatchObject([{ code: 'data', severity: 'error' }]);
    expect(problems[0].message).toContain('changed while it was read');
    files.close();
  });

  it('after it was loaded is not shown as the data of the run', () => {
    const files = new FolderFiles(folders);
    const { run } = load(files);
    files.close();
    if (!run) throw new Error('the spec cannot run');
    const open = (): TrainingSession =>
      new TrainingSession(run, text, { openDataFiles: () => new FolderFiles(folders, undefined, files.versions) });
    const query = (session: TrainingSession) => runQuery(session, { type: 'data_profile' }).value;

    expect(query(open())).toMatchObject({ done: true, error: null, profile: { samples: 200_000 } });
    writeFileSync(csv, table(2).replace('2,2,2', '3,3,3'));
    expect(query(open())).toMatchObject({
      done: true,
      profile: null,
      error: expect.stringContaining('has changed since the run was opened') as string,
    });
  });

  it('is noticed by a run that is restored', () => {
    const record = (): string | undefined => {
      const files = new FolderFiles(folders);
      const { run } = load(files);
      files.close();
      if (!run) throw new Error('the spec cannot run');
      return new TrainingSession(run, text).record().dataHash;
    };
    const first = record();
    writeFileSync(csv, readFileSync(csv));
    expect(record()).toBe(first);
    writeFileSync(csv, table(1).replace('1,1,1', '1,1,2'));
    expect(record()).not.toBe(first);
  });
});
