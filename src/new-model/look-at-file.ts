// A look at a data file: what it can predict. Reads all of it, so the classes and the scale are exact.
import type { CooperativeTask } from '../engine/cooperative-task';
import type { DataFiles } from '../engine/datasets/data-file';
import { readingProgress } from '../engine/datasets/data-file';
import { checkTextLength } from '../engine/datasets/text';
import { Random } from '../engine/random';
import { profileTask } from '../data-profile/profile';
import { openSourceTask, parseSpec } from '../model-spec';
import type { ColumnProfile, DataProfile } from '../protocol/data-profile';
import { escapeControls } from '../protocol/escape-controls';
import type { Target } from './model-data';

/** A table, a text, or the images of an IDX pair, by its path from the folder of the spec. */
export type FileChoice =
  | { readonly kind: 'table'; readonly path: string }
  | { readonly kind: 'text'; readonly path: string }
  | { readonly kind: 'images'; readonly path: string; readonly labels: string };

/**
 * What the file can predict, the likeliest first; empty if that is nothing.
 * @throws DataError if the file cannot be read
 */
export function* lookAtFile(choice: FileChoice, files: DataFiles): CooperativeTask<readonly Target[]> {
  switch (choice.kind) {
    case 'table':
      return yield* lookAtTable(choice.path, files);
    case 'text':
      return yield* lookAtText(choice.path, files);
    case 'images':
      return yield* lookAtImages(choice, files);
  }
}

const nameOf = (path: string): string =>
  escapeControls(
    path
      .split('/')
      .pop()!
      .replace(/(\.(csv|tsv|txt|idx|gz))+$/i, ''),
  );

/** What the data is to be used for does not matter yet. */
const anyNetwork = {
  layers: [{ type: 'linear', out_features: 1 }],
  loss: 'mse',
  optimizer: { type: 'sgd', lr: 0.1 },
  batch_size: 1,
  epochs: 1,
};

function* profileOf(data: object, files: DataFiles): CooperativeTask<DataProfile> {
  const { spec } = parseSpec(JSON.stringify({ ...anyNetwork, data }));
  if (!spec) throw new Error('The spec of the profile is invalid.');
  return yield* profileTask(yield* openSourceTask(spec, files), { random: new Random(0, 'profile') });
}

/** The largest share of missing values that the mean may stand for. */
const MAX_MISSING = 0.5;
/** Distinct integers that are rather classes than quantities. */
const MAX_INTEGER_CLASSES = 20;
const MAX_TEXT_CLASSES = 100;

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text));

/** Numbers as German and French spreadsheets write them, such as 0,5. */
const hasDecimalCommas = ({ kind, values }: ColumnProfile): boolean =>
  (kind === 'text' || kind === 'mixed') &&
  values.some(({ text }) => text.includes(',')) &&
  values.every(({ text }) => /^[+-]?\d+(,\d+)?$/.test(text.trim()));

function* lookAtTable(path: string, files: DataFiles): CooperativeTask<readonly Target[]> {
  let data: Readonly<Record<string, unknown>> = { type: 'csv', path };
  let profile = yield* profileOf(data, files);
  // A first row of numbers only names nothing.
  if (profile.columns.every(({ name }) => isNumber(name))) data = { ...data, header: false };
  if (profile.columns.some(hasDecimalCommas)) data = { ...data, decimal: ',' };
  if (Object.keys(data).length > 2) profile = yield* profileOf(data, files);
  return targetsOfTable(path, data, profile);
}

/** Counts the rows, so that it tells nothing about them. */
const isRowNumber = ({ kind, distinct, min, max }: ColumnProfile, samples: number): boolean =>
  kind === 'integer' && distinct === samples && samples > MAX_INTEGER_CLASSES && max! - min! === samples - 1;

const isNumeric = ({ kind }: ColumnProfile): boolean => kind === 'number' || kind === 'integer';

function targetsOfTable(
  path: string,
  data: Readonly<Record<string, unknown>>,
  { columns, samples }: DataProfile,
): readonly Target[] {
  const useful = columns.filter(
    (column) => column.distinct > 1 && column.missingShare <= MAX_MISSING && !isRowNumber(column, samples),
  );
  const likely = [...useful.filter(({ name }) => /^(target|label|class|y)$/i.test(name)), ...useful.toReversed()];
  return [...new Set(likely)].flatMap((target) => {
    const inputs = useful.filter((column) => column !== target && isNumeric(column));
    if (inputs.length === 0) return [];
    return goalsOf(target, samples).map((task): Target => {
      const model = tableModel({ path, data, columns, samples }, inputs, target, task);
      return { column: target.name, model };
    });
  });
}

type Task = 'class' | 'number';

/** What a column can be predicted as, the likelier first. */
function goalsOf({ kind, distinct, distinctIsExact, count }: ColumnProfile, samples: number): readonly Task[] {
  const isClass = distinctIsExact && distinct < count / 2;
  if (kind === 'text' || kind === 'mixed') return isClass && distinct <= MAX_TEXT_CLASSES ? ['class'] : [];
  if (kind === 'integer' && isClass && distinct <= MAX_INTEGER_CLASSES)
    return distinct <= 2 || samples <= MAX_INTEGER_CLASSES ? ['class'] : ['class', 'number'];
  return ['number'];
}

interface Table {
  readonly path: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** In the order of the file: the target is the last by default. */
  readonly columns: readonly ColumnProfile[];
  readonly samples: number;
}

function tableModel(
  { path, data, columns, samples }: Table,
  inputs: readonly ColumnProfile[],
  target: ColumnProfile,
  task: Task,
): Target['model'] {
  // By number where a name is not enough.
  const refer = (column: ColumnProfile): string | number =>
    data.header === false || columns.filter(({ name }) => name === column.name).length > 1
      ? columns.indexOf(column) + 1
      : column.name;
  const leftOut = columns.filter((column) => column !== target && !inputs.includes(column));
  const missing = target.missing > 0 ? 'drop' : inputs.some((column) => column.missing > 0) ? 'mean' : undefined;
  const file = nameOf(path);
  const listed = leftOut.slice(0, 3).map(({ name }) => JSON.stringify(name));
  const others = leftOut.length > 3 ? ` and ${leftOut.length - 3} more columns` : '';
  return {
    name: file,
    about:
      `Predicts ${JSON.stringify(target.name)} from the ${inputs.length === 1 ? 'column' : 'columns of numbers'} of ` +
      `${escapeControls(path)}, scaled to mean 0 and standard deviation 1.` +
      (leftOut.length > 0 ? ` Without ${listed.join(', ')}${others}.` : ''),
    data: {
      ...data,
      ...(leftOut.length > 0 && { inputs: inputs.map(refer) }),
      target: refer(target),
      task: task === 'class' ? 'classes' : 'values',
      ...(missing && { missing }),
    },
    transforms: ['standardize'],
    samples,
    inputShape: [inputs.length],
    goal:
      task === 'class'
        ? { kind: 'class', classes: target.distinct }
        : { kind: 'number', mean: target.mean!, std: target.std! },
  };
}

/** Tokens in a sample; a shorter text has shorter ones. */
const LENGTH = 32;
/** Samples that a short text is to give at least. */
const SAMPLES = 200;
/** More words than these are hardly seen twice. */
const MAX_WORDS = 5000;
const MIN_TOKENS = 100;
/** Characters that tell words apart. */
const MAX_WORD = 1000;

/** Where the word begins that a text ends in; its length if it ends in a space. */
function lastWordAt(text: string): number {
  let start = text.length;
  while (start > 0 && !/\s/u.test(text[start - 1]!)) start--;
  return start;
}

function* lookAtText(path: string, files: DataFiles): CooperativeTask<readonly Target[]> {
  const file = files.open(path, ['path']);
  const counts = { characters: 0, words: 0 };
  const seen = { characters: new Set<string>(), words: new Set<string>() };
  let [rest, length] = ['', 0];
  const addWords = (text: string): void => {
    for (const [word] of text.matchAll(/\S+/gu)) {
      counts.words++;
      if (seen.words.size <= MAX_WORDS) seen.words.add(word.slice(0, MAX_WORD));
    }
  };
  for (const piece of file.text()) {
    length += piece.length;
    checkTextLength(length, file);
    for (const character of piece) {
      counts.characters++;
      seen.characters.add(character);
    }
    // A word may go on in the next piece.
    const end = lastWordAt(piece);
    if (end > 0) {
      addWords(rest + piece.slice(0, end));
      rest = '';
    }
    rest = (rest + piece.slice(end)).slice(0, MAX_WORD);
    yield readingProgress(file);
  }
  addWords(rest);
  return (['characters', 'words'] as const).flatMap((unit): readonly Target[] => {
    const [tokens, vocabulary] = [counts[unit], seen[unit].size];
    const repeats = unit === 'characters' || (vocabulary <= MAX_WORDS && vocabulary < tokens / 4);
    if (tokens < MIN_TOKENS || vocabulary < 2 || !repeats) return [];
    // Samples that overlap share text, so that none can be held out.
    const stride = Math.max(1, Math.min(LENGTH, Math.floor(tokens / SAMPLES)));
    const isShort = stride < LENGTH;
    const length = Math.min(LENGTH, Math.floor(tokens / 4));
    const about = `Which ${unit === 'characters' ? 'character' : 'word'} comes next in ${escapeControls(path)}?`;
    return [
      {
        column: '',
        model: {
          name: nameOf(path),
          about: isShort ? `${about} The text is short, so samples overlap, and none is held out.` : about,
          data: {
            type: 'text',
            path,
            ...(unit === 'words' && { unit }),
            length,
            ...(isShort && { stride, split: { validation: 0, test: 0 } }),
          },
          transforms: [],
          samples: Math.floor((tokens - 1 - length) / stride) + 1,
          inputShape: [length],
          goal: { kind: 'next', unit, vocabulary },
        },
      },
    ];
  });
}

function* lookAtImages(
  { path, labels }: Extract<FileChoice, { kind: 'images' }>,
  files: DataFiles,
): CooperativeTask<readonly Target[]> {
  const data = { type: 'idx', images: path, labels };
  const { columns, samples, inputShape } = yield* profileOf(data, files);
  const classes = columns.find(({ role }) => role === 'target')!;
  if (classes.distinct < 2 || inputShape.length !== 3) return [];
  const [, height, width] = inputShape;
  return [
    {
      column: '',
      model: {
        name: nameOf(path),
        about: `Images of ${height} × ${width} pixels: which of ${classes.distinct} classes do they show?`,
        data,
        transforms: [{ type: 'standardize', per: 'all' }],
        samples,
        inputShape,
        goal: { kind: 'class', classes: classes.distinct },
      },
    },
  ];
}
