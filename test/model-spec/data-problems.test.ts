// Data files as people have them, from the text of a spec to the problems that an editor and a terminal show.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadRun } from '../../src/model-spec';
import { filesOnDisk } from '../support/data-files';

interface GoldenCase {
  readonly files: Readonly<Record<string, string>>;
  readonly data: object;
  readonly loss: string;
  readonly precision: string;
  readonly expect: {
    readonly error?: string;
    readonly place?: string;
    readonly remedy?: string;
    readonly notes?: readonly string[];
  };
}

const { cases } = JSON.parse(readFileSync(join(__dirname, '../golden/tables/cases.json'), 'utf8')) as {
  cases: Record<string, GoldenCase>;
};

const load = ({ files, data, loss, precision }: GoldenCase) => {
  const contents = Object.fromEntries(
    Object.entries(files).map(([name, base64]) => [name, new Uint8Array(Buffer.from(base64, 'base64'))]),
  );
  const text = JSON.stringify({ name: 'x', data, layers: [{ type: 'linear', out_features: 1 }], loss, precision });
  return { text, ...loadRun(text, filesOnDisk(contents)) };
};

const hasProblems = ({ expect: { error, notes = [] } }: GoldenCase): boolean => error !== undefined || notes.length > 0;

describe.each(Object.entries(cases).filter(([, golden]) => hasProblems(golden)))('%s', (_name, golden) => {
  if (golden.expect.error !== undefined)
    it('is one error, at the data, fit to be printed', () => {
      const { text, run, problems } = load(golden);
      expect(run).toBeUndefined();
      expect(problems).toMatchObject([{ severity: 'error', code: 'data' }]);
      const [{ start, end, message, remedy }] = problems;
      const dataText = JSON.stringify(golden.data);
      const dataStart = text.indexOf(dataText);
      expect(start).toBeGreaterThanOrEqual(dataStart);
      expect(end).toBeLessThanOrEqual(dataStart + dataText.length);
      expect(message).toContain(golden.expect.place ?? '');
      expect(remedy).toContain(golden.expect.remedy ?? '');
      expect(message + remedy).not.toMatch(/\p{Cc}/u);
    });

  if ((golden.expect.notes ?? []).length > 0)
    it('shows what the reader decided or noticed', () => {
      const { problems } = load(golden);
      const notes = problems.filter(({ severity }) => severity !== 'error').map(({ code }) => code);
      expect(notes).toEqual(expect.arrayContaining([...(golden.expect.notes ?? [])]));
    });
});
