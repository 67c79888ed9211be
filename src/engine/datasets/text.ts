import * as z from 'zod/mini';
import { escapeControls } from '../../protocol/escape-controls';
import type { CooperativeTask } from '../cooperative-task';
import { formatInteger, pluralize } from '../format-count';
import { alias, positiveInteger } from '../option-schemas';
import { type DataFile, type DataFiles, readingProgress } from './data-file';
import { DataError, type OptionPath } from './data-error';
import { type Dataset, defineDataset, type GenerateContext } from './dataset';
import { arrayColumns, type SampleSource } from './sample-source';

/** Maximum number of characters of a text, which is in memory as a whole. */
const MAX_LENGTH = 2 ** 26;

const options = z
  .strictObject({
    path: z.optional(
      z
        .string()
        .check(
          z.minLength(1),
          z.describe('A text file in UTF-8, relative to the spec. It must lie in the workspace. Use this or `text`.'),
          alias('file'),
        ),
    ),
    text: z.optional(
      z.string().check(z.minLength(1), z.describe('The text itself. Use this or `path`.'), alias('content', 'string')),
    ),
    unit: z._default(
      z
        .enum(['characters', 'words'])
        .check(
          z.describe(
            'What a token is: a character (a Unicode code point), or a word, which spaces and line breaks separate.',
          ),
          alias('tokens', 'level', 'token'),
        ),
      'characters',
    ),
    length: z._default(
      positiveInteger('Tokens in a sample. The target at each position is the token after it.').check(
        alias('block_size', 'context_length', 'sequence_length', 'seq_len', 'window'),
      ),
      32,
    ),
    stride: z.optional(
      positiveInteger(
        'Tokens from the start of a sample to that of the next. By default `length`, so that samples do not overlap ' +
          'and held-out text is not in the training split, except that the last target of a sample is the first token of the next.',
      ),
    ),
    vocabulary: z.optional(
      z
        .union([z.string().check(z.minLength(2)), z.array(z.string().check(z.minLength(1))).check(z.minLength(2))])
        .check(
          z.describe(
            'The tokens in the order of their indices: an array, or a string of characters. By default, the distinct ' +
              'tokens of the text, sorted by code point.',
          ),
          alias('vocab', 'alphabet'),
        ),
    ),
  })
  .check(
    z.superRefine(({ path, text, unit, vocabulary }, context) => {
      const fail = (code: string, at: string[], message: string, remedy: string): void => {
        context.addIssue({ code: 'custom', path: at, message, params: { code, remedy }, input: at });
      };
      if (path === undefined && text === undefined)
        fail('missing-option', [], 'Text data needs "path" or "text".', 'Name a text file, or write the text.');
      if (path !== undefined && text !== undefined)
        fail('too-many-sources', ['text'], 'Both "path" and "text" are given.', 'Keep one of them.');
      const tokens = typeof vocabulary === 'string' ? Array.from(vocabulary) : (vocabulary ?? []);
      if (new Set(tokens).size < tokens.length)
        fail('duplicate-class', ['vocabulary'], 'A token is listed twice.', 'List every token once.');
      const long = unit === 'characters' ? tokens.findIndex((token) => Array.from(token).length > 1) : -1;
      if (long >= 0)
        fail(
          'out-of-range',
          ['vocabulary', String(long)],
          `${JSON.stringify(tokens[long])} is not a single character.`,
          'List characters, or write "unit": "words".',
        );
    }),
  );

type Options = z.output<typeof options>;

/** @throws DataError if a text, of which `length` characters were read, is too long */
export function checkTextLength(length: number, { name }: Pick<DataFile, 'name'>): void {
  if (length > MAX_LENGTH)
    throw new DataError(`${name} has more than ${formatInteger(MAX_LENGTH)} characters.`, 'Use a part of it.', [
      'path',
    ]);
}

const sourcePath = ({ path }: Options): OptionPath => [path === undefined ? 'text' : 'path'];

function* readText({ path, text = '' }: Options, files: DataFiles): CooperativeTask<string> {
  if (path === undefined) return text;
  const file = files.open(path, ['path']);
  let content = '';
  for (const chunk of file.text()) {
    content += chunk;
    checkTextLength(content.length, file);
    yield readingProgress(file);
  }
  return content;
}

interface Tokens {
  readonly tokens: readonly string[];
  /** Where each begins, in UTF-16 units. */
  readonly offsets: readonly number[];
}

function tokenize(text: string, unit: Options['unit']): Tokens {
  const [tokens, offsets]: [string[], number[]] = [[], []];
  const pattern = unit === 'characters' ? /[^]/gu : /\S+/gu;
  for (const { 0: token, index } of text.matchAll(pattern)) {
    tokens.push(token);
    offsets.push(index);
  }
  return { tokens, offsets };
}

/** `line 3, column 5`, counted from 1. */
function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${Array.from(before.at(-1)!).length + 1}`;
}

/** A token as it is shown: line breaks and the like by their names. */
const VISIBLE: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', ' ': '␠' };
const visible = (token: string): string => VISIBLE[token] ?? escapeControls(token);

const byCodePoint = (a: string, b: string): number => {
  const [x, y] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++)
    if (x[i] !== y[i]) return x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
  return x.length - y.length;
};

interface Encoded {
  readonly vocabulary: readonly string[];
  /** The index of each token of the text. */
  readonly indexes: Uint32Array;
}

/** @throws DataError at the first token that is not in the vocabulary, and for a text that is too short */
function encode(text: string, layer: Options): Encoded {
  const { unit, vocabulary: listed, path, length } = layer;
  const { tokens, offsets } = tokenize(text, unit);
  const name = path ?? 'The text';
  if (tokens.length < length + 1)
    throw new DataError(
      `${name} has ${pluralize(tokens.length, unit === 'words' ? 'word' : 'character')}; a sample of ${length} with the one after it needs ${length + 1}.`,
      'Use a longer text, or a smaller "length".',
      sourcePath(layer),
    );
  const vocabulary =
    listed === undefined
      ? [...new Set(tokens)].sort(byCodePoint)
      : typeof listed === 'string'
        ? Array.from(listed)
        : listed;
  if (vocabulary.length < 2)
    throw new DataError(
      `${name} consists of one token only: ${JSON.stringify(tokens[0])}.`,
      'Use a text with several tokens.',
      sourcePath(layer),
    );
  const indexOf = new Map(vocabulary.map((token, i) => [token, i]));
  const indexes = Uint32Array.from(tokens, (token, i) => {
    const index = indexOf.get(token);
    if (index !== undefined) return index;
    throw new DataError(
      `${name}, ${placeOf(text, offsets[i]!)}: ${JSON.stringify(token)} is not in the vocabulary.`,
      'Add it to "vocabulary", or correct the text.',
      sourcePath(layer),
      'unknown-token',
    );
  });
  return { vocabulary, indexes };
}

function samplesOf({ vocabulary, indexes }: Encoded, { length, stride = length }: Options): Dataset {
  const samples = Math.floor((indexes.length - 1 - length) / stride) + 1;
  const inputs = new Float64Array(samples * length);
  const targets = new Int32Array(samples * length);
  for (let i = 0; i < samples; i++)
    for (let t = 0; t < length; t++) {
      inputs[i * length + t] = indexes[i * stride + t]!;
      targets[i * length + t] = indexes[i * stride + t + 1]!;
    }
  return {
    samples,
    inputShape: [length],
    inputs,
    targetSize: length,
    targets,
    classes: vocabulary.map(visible),
    tokens: vocabulary.map(visible),
    featureNames: Array.from({ length }, (_, t) => `token ${t + 1}`),
  };
}

function* generate({ options: layer, files }: GenerateContext<Options>): CooperativeTask<Dataset> {
  return samplesOf(encode(yield* readText(layer, files), layer), layer);
}

/** Tokens are shown as text. */
function* source(context: GenerateContext<Options>): CooperativeTask<SampleSource> {
  const dataset = yield* generate(context);
  const { inputs, targets, samples, targetSize: length, classes = [] } = dataset;
  const shown = (values: ArrayLike<number>, sample: number): string[] =>
    Array.from({ length }, (_, t) => classes[values[sample * length + t]!]!);
  return {
    columns: arrayColumns(dataset.inputShape, length, dataset.featureNames),
    inputShape: dataset.inputShape,
    positions: null,
    isMissing: () => false,
    parse: () => NaN,
    *scan(visit, wanted) {
      const count = wanted?.length ?? samples;
      for (let i = 0; i < count; i++) {
        const sample = wanted?.[i] ?? i;
        visit({ sample, position: null, cells: [...shown(inputs, sample), ...shown(targets, sample)] });
        if (i % 1000 === 999) yield 'Looking at the data';
      }
    },
  };
}

export const text = defineDataset({
  kind: 'text',
  aliases: ['characters', 'char', 'words', 'language_model', 'lm'],
  summary:
    'Samples of consecutive characters or words of a text, as indices into the vocabulary. The target at each position is the next one, so that a network with causal attention learns to write.',
  options,
  defaultSplit: { validation: 0.1, test: 0 },
  shape(layer) {
    if (layer.text === undefined) return undefined;
    const encoded = encode(layer.text, layer);
    const { samples, inputShape, targetSize } = samplesOf(encoded, layer);
    return { samples, inputShape, targetSize, classes: encoded.vocabulary.length };
  },
  generate,
  source,
});
