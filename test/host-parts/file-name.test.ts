// Names of files that are made of any text: one part of a path, whole, and nothing that turns or hides text.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileNameOf } from '../../src/host/file-name';

describe('the name of a file', () => {
  it.each([
    ['circles Loss', 'circles Loss.csv'],
    ['../../etc/passwd', 'etc passwd.csv'],
    ['<b>x</b>', 'b x b.csv'],
    ['a\u202Egpj', 'a gpj.csv'],
    ['..', 'nablascope.csv'],
    ['\0', 'nablascope.csv'],
    ['grüße Шаг 5', 'grüße Шаг 5.csv'],
  ])('made of %j is %j', (text, name) => {
    expect(fileNameOf(text, 'csv')).toBe(name);
  });

  it('is never a path, never hidden, never long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const name = fileNameOf(text, 'csv');
        expect(name).toMatch(/^[^./\\:*?"<>|\p{Cc}\p{Cf}][^/\\:*?"<>|\p{Cc}\p{Cf}]*\.csv$/u);
        expect([...name].length).toBeLessThanOrEqual(84);
      }),
    );
  });
});
