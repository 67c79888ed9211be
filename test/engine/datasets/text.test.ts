// Text as samples of tokens with the next token as target.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runToCompletion } from '../../../src/engine/cooperative-task';
import { DataError } from '../../../src/engine/datasets/data-error';
import type { Dataset } from '../../../src/engine/datasets/dataset';
import { text } from '../../../src/engine/datasets/text';
import { Random } from '../../../src/engine/random';
import { inMemoryFiles } from '../../support/data-files';
import { makeDataset } from '../../support/datasets';

const make = (options: object, contents: Readonly<Record<string, string>> = {}, chunkSize?: number): Dataset =>
  makeDataset('text', options, { seed: 0, files: inMemoryFiles(contents, chunkSize) });

/** The tokens of each sample and of its target. */
function rowsOf({ samples, inputs, targets, targetSize: length, classes = [] }: Dataset): [string, string][] {
  const shown = (values: ArrayLike<number>, i: number): string =>
    Array.from({ length }, (_, t) => classes[values[i * length + t]]).join(' ');
  return Array.from({ length: samples }, (_, i) => [shown(inputs, i), shown(targets, i)]);
}

function errorOf(options: object, contents: Readonly<Record<string, string>> = {}): DataError {
  try {
    make(options, contents);
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error('no error');
}

describe('characters', () => {
  it('are numbered by code point, and each is followed by its target', () => {
    const data = make({ text: 'bananas', length: 3 });
    expect(data.classes).toEqual(['a', 'b', 'n', 's']);
    expect(rowsOf(data)).toEqual([
      ['b a n', 'a n a'],
      ['a n a', 'n a s'],
    ]);
  });

  it('are code points, whatever the chunks of a file', () => {
    const content = 'a😀é\n b😀';
    for (const chunkSize of [1, 2, 3, 100]) {
      const data = make({ path: 'x.txt', length: 6 }, { 'x.txt': content }, chunkSize);
      expect(data.classes).toEqual(['\\n', '␠', 'a', 'b', 'é', '😀']);
      expect(rowsOf(data)).toEqual([['a 😀 é \\n ␠ b', '😀 é \\n ␠ b 😀']]);
    }
  });

  it('have the indices of a given vocabulary', () => {
    const data = make({ text: 'abba', length: 3, vocabulary: 'xba' });
    expect([...data.inputs]).toEqual([2, 1, 1]);
    expect([...data.targets]).toEqual([1, 1, 2]);
    expect(data.classes).toEqual(['x', 'b', 'a']);
  });

  it('every sample is a window of the text, and its target the window one later', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', '\n', 'é', '😀'), { minLength: 12, maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 12 }),
        (drawn, length, stride) => {
          const tokens = ['a', 'b', ...drawn];
          const data = make({ text: tokens.join(''), length, stride });
          const distinct = [...new Set(tokens)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
          const indices = tokens.map((token) => distinct.indexOf(token));
          const starts = indices.flatMap((_, i) => (i % stride === 0 && i + length < indices.length ? [i] : []));
          expect(data.samples).toBe(starts.length);
          expect([...data.inputs]).toEqual(starts.flatMap((i) => indices.slice(i, i + length)));
          expect([...data.targets]).toEqual(starts.flatMap((i) => indices.slice(i + 1, i + 1 + length)));
        },
      ),
    );
  });
});

describe('words', () => {
  it('are what spaces and line breaks separate', () => {
    const data = make({ text: ' to be,\tor\nnot  to be, ', unit: 'words', length: 5 });
    expect(data.classes).toEqual(['be,', 'not', 'or', 'to']);
    expect(rowsOf(data)).toEqual([['to be, or not to', 'be, or not to be,']]);
  });
});

describe('problems', () => {
  it('an unknown token has its line and column', () => {
    const error = errorOf({ path: 'x.txt', length: 2, vocabulary: 'abc\n' }, { 'x.txt': 'abc\nab😀c' });
    expect(error.code).toBe('unknown-token');
    expect(error.message).toContain('x.txt, line 2, column 3');
    expect(error.message).toContain('😀');
    expect(error.path).toEqual(['path']);
  });

  it('a word that is not in the vocabulary, too', () => {
    const error = errorOf({ text: 'one two\n  three', unit: 'words', length: 1, vocabulary: ['one', 'two'] });
    expect(error.message).toContain('line 2, column 3');
    expect(error.path).toEqual(['text']);
  });

  it('a text that is too short says how long it is', () => {
    const { message, path } = errorOf({ text: 'abc', length: 3 });
    expect(message).toMatch(/\b3\b.*\b4\b/);
    expect(path).toEqual(['text']);
  });

  it.each([
    ['no text', {}],
    ['two texts', { text: 'abc', path: 'x.txt' }],
    ['a token twice', { text: 'abc', vocabulary: 'aba' }],
    ['a vocabulary of words for characters', { text: 'abc', vocabulary: ['ab', 'c'] }],
  ])('%s', (_name, options) => {
    expect(text.options.safeParse(options).success).toBe(false);
  });
});

it('shows tokens as they stand in the text', () => {
  const options = text.options.parse({ text: 'ab ba', length: 2, stride: 1 });
  const files = inMemoryFiles({});
  const source = runToCompletion(text.source!({ options, random: new Random(0, 'data'), files, precision: 'float32' }));
  // A column for each cell, as views of rows expect.
  expect(source.columns.map(({ name }) => name)).toEqual(['token 1', 'token 2', 'target 1', 'target 2']);
  const rows: (string | number)[][] = [];
  runToCompletion(source.scan(({ cells }) => rows.push(Array.from(cells)), Uint32Array.of(1, 2)));
  expect(rows).toEqual([
    ['b', '␠', '␠', 'b'],
    ['␠', 'b', 'b', 'a'],
  ]);
});
