// File names from any text: a single path component without bidirectional or invisible characters.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toFileName } from '../../../src/host/panel/file-name';

describe('a file name', () => {
  it.each([
    ['circles Loss', 'circles Loss.csv'],
    ['../../etc/passwd', 'etc passwd.csv'],
    ['<b>x</b>', 'b x b.csv'],
    ['a\u202Egpj', 'a gpj.csv'],
    ['..', 'nablascope.csv'],
    ['\0', 'nablascope.csv'],
    ['grüße Шаг 5', 'grüße Шаг 5.csv'],
  ])('made of %j is %j', (text, name) => {
    expect(toFileName(text, 'csv')).toBe(name);
  });

  it('is never a path, never hidden, never too long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const name = toFileName(text, 'csv');
        expect(name).toMatch(/^[^./\\:*?"<>|\p{Cc}\p{Cf}][^/\\:*?"<>|\p{Cc}\p{Cf}]*\.csv$/u);
        expect([...name].length).toBeLessThanOrEqual(84);
      }),
    );
  });
});
