// Every path through the questions of "New Model" gives a spec without findings that learns more than a guess.
import { describe, expect, it } from 'vitest';
import { runToCompletion } from '../../src/engine/cooperative-task';
import type { DataFiles } from '../../src/engine/datasets/data-file';
import {
  builtInData,
  type FileChoice,
  lookAtFile,
  type ModelData,
  networksFor,
  type NetworkKind,
  writeSpec,
} from '../../src/new-model';
import { openSpec } from '../../src/session/open-spec';
import { TrainingSession } from '../../src/session/session';
import { filesOnDisk, inMemoryFiles, noFiles, readFolder } from '../support/data-files';
import { folder } from '../support/examples';

/** Rows of y = f(x) with an id, a text, a constant, missing values, and a price in the hundred thousands. */
function pricesCsv(rows = 240, decimal = '.'): string {
  const lines = ['id;area;age;note;year;rooms;price'];
  for (let i = 0; i < rows; i++) {
    const [area, age] = [50 + ((i * 37) % 101), (i * 53) % 47];
    const price = 2000 * area - 900 * age + 50_000 + ((i * 71) % 13) * 500;
    const cells = [
      i + 1,
      (area + 0.5).toString(),
      i % 40 === 7 ? '' : age,
      `house ${i}`,
      2024,
      1 + Math.floor(area / 51),
      price,
    ];
    lines.push(cells.join(';').replaceAll('.', decimal));
  }
  return lines.join('\n');
}

/** Points of a square and the side of its diagonal, without names of columns. */
const sidesCsv = (): string =>
  Array.from({ length: 200 }, (_, i) => {
    const [x, y] = [((i * 67) % 200) / 100 - 1, ((i * 123) % 199) / 100 - 1];
    return [x, y, x + y > 0 ? 1 : 0].join(',');
  }).join('\n');

const custom = filesOnDisk({
  'prices.csv': pricesCsv(),
  'preise.csv': pricesCsv(240, ','),
  'sides.csv': sidesCsv(),
  'words.txt': 'the cat saw the dog and the dog saw the cat and then they ran \n'.repeat(12),
});
const examples = readFolder(folder);

const choices: readonly (readonly [FileChoice, DataFiles])[] = [
  [{ kind: 'table', path: 'data/weather.csv' }, examples],
  [{ kind: 'table', path: 'data/marbles.csv' }, examples],
  [{ kind: 'table', path: 'prices.csv' }, custom],
  [{ kind: 'table', path: 'preise.csv' }, custom],
  [{ kind: 'table', path: 'sides.csv' }, custom],
  [{ kind: 'text', path: 'data/loom.txt' }, examples],
  [{ kind: 'text', path: 'words.txt' }, custom],
  [{ kind: 'images', path: 'data/digits-images.idx.gz', labels: 'data/digits-labels.idx.gz' }, examples],
];

interface Path {
  readonly title: string;
  readonly model: ModelData;
  readonly network: NetworkKind;
  readonly files: DataFiles;
}

const pathsOf = (title: string, model: ModelData, files: DataFiles): readonly Path[] =>
  networksFor(model).map((network) => ({ title: `${title}, ${network}`, model, network, files }));

const paths: readonly Path[] = [
  ...Object.entries<ModelData>(builtInData).flatMap(([name, model]) => pathsOf(name, model, noFiles)),
  ...choices.flatMap(([choice, files]) =>
    runToCompletion(lookAtFile(choice, files)).flatMap(({ column, model }) =>
      pathsOf(`${choice.path} ${column} ${model.goal.kind}`, model, files),
    ),
  ),
];

/** The loss of a network that knows how often each target occurs, and nothing of the input. */
function guessLoss({ run }: TrainingSession): number {
  const { dataset, labels, split } = run;
  const { targets, targetSize } = dataset;
  const values = [...split.train].flatMap((sample) => [
    ...targets.subarray(sample * targetSize, (sample + 1) * targetSize),
  ]);
  if (!labels) {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  }
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].reduce(
    (sum, count) => sum - (count / values.length) * Math.log(count / values.length),
    0,
  );
}

/** What the data itself does not tell: a finding says so. */
const unrelated: Readonly<Record<string, string>> = { 'data/weather.csv temperature_c number': 'unrelated-targets' };

/** Enough to see that it learns; a run has more. Larger networks take longer for a step, and fewer of them. */
const stepsOf = (network: NetworkKind): number => (/deep|attention|convolution/.test(network) ? 80 : 300);

describe('a new model', () => {
  it.each(paths.map((path) => [path.title, path] as const))('%s learns', (title, { model, network, files }) => {
    const text = writeSpec(model, network);
    const { run, problems } = openSpec(text, files);
    const finding = unrelated[title.replace(/, .*/, '')];
    const findings = problems.filter(({ severity }) => severity !== 'information').map(({ code }) => code);
    expect(findings, text).toEqual(finding ? [finding] : []);
    if (finding) return;
    const session = new TrainingSession(run!, text);
    const steps = stepsOf(network);
    expect(session.totalSteps).toBeGreaterThanOrEqual(300);
    for (let i = 0; i < steps; i++) session.step();
    const { train, validation } = session.evaluate();
    expect(train!.loss / guessLoss(session), text).toBeLessThan(0.8);
    if (validation) expect(validation.loss / guessLoss(session), text).toBeLessThan(0.9);
  });

  const lookAtText = (content: string, chunkSize?: number) =>
    runToCompletion(lookAtFile({ kind: 'text', path: 'a.txt' }, inMemoryFiles({ 'a.txt': content }, chunkSize)));

  it('counts words across pieces, also where a line without spaces is long', () => {
    const text = `${'ab'.repeat(2 ** 15)} ${'cd ef '.repeat(100)}`;
    for (const chunkSize of [7, 2 ** 14, Infinity]) {
      const goals = lookAtText(text, chunkSize).map(({ model }) => model.goal);
      expect(goals).toContainEqual({ kind: 'next', unit: 'words', vocabulary: 3 });
    }
  });

  it('is not of a text that is too long to load', () => {
    const piece = 'a'.repeat(2 ** 26 + 1);
    const { open, ...others } = inMemoryFiles({ 'a.txt': '' });
    const files: DataFiles = { ...others, open: (...at) => ({ ...open(...at), text: () => [piece] }) };
    expect(() => runToCompletion(lookAtFile({ kind: 'text', path: 'a.txt' }, files))).toThrow(
      'a.txt has more than 67,108,864 characters.',
    );
  });
});
