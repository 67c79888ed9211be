// `nablascope output-map`: what the network gives at each position of an image that is larger than its input.
import { formatInteger, pluralize } from '../../presentation/plain-numbers';
import type { OutputMap } from '../../protocol/queries';
import { runQuery } from '../../session/queries';
import type { TrainingSession } from '../../session/session';
import { type CommandArgs, defineCommand, stepOption } from '../command';
import { formatTable } from '../format';
import { printJson, toNestedList } from '../json';
import { openSpec } from '../open-spec';
import { type CliOption, integer, invalidValue } from '../options';
import { EXIT, type ExitCode, type Line, paint, printLines, type Terminal } from '../terminal';
import { describeDivergence, reachStep, requireStep, stoppedEarly } from '../train-to';
import { UsageError } from '../usage-error';

const DEFAULT_TILES = 3;

interface Place {
  readonly row: number;
  readonly column: number;
}

const place: CliOption<Place | null> = {
  placeholder: 'ROW,COLUMN',
  help: 'Show one sample alone, with its top left corner at this pixel, instead of several side by side',
  example: '3,5',
  read(raw, name) {
    if (typeof raw !== 'string') return null;
    const [, row, column] = /^(\d+),(\d+)$/.exec(raw) ?? [];
    if (row !== undefined && column !== undefined) return { row: Number(row), column: Number(column) };
    throw invalidValue(name, 'a row and a column', raw, '3,5');
  },
};

const options = {
  step: stepOption(0, 'Train K steps first (default: the whole run)'),
  tiles: integer({
    placeholder: 'N',
    min: 1,
    help: `Height and width of the image, in images of the data (default ${DEFAULT_TILES})`,
    example: '4',
  }),
  sample: integer({ placeholder: 'I', min: 0, help: 'The first sample in the image, by its index', example: '7' }),
  at: place,
};

type OutputMapArgs = CommandArgs<typeof options>;

export const outputMapCommand = defineCommand({
  description: [
    'Trains a network for images, and runs it on a larger image: samples side by side, or one sample at any place. ' +
      'Prints the predicted class at each position of its window, with its probability.',
    'Convolutions and pooling move their windows over an image of any size. The layers after them run at each position.',
  ],
  options,
  run: outputMap,
});

async function outputMap(terminal: Terminal, args: OutputMapArgs): Promise<ExitCode> {
  const { session, warnings } = await openSpec(terminal, args);
  const { name, dataset } = session.run;
  const steps = args.step ?? session.totalSteps;
  requireStep(session, steps);
  if (!session.model.outputMap)
    throw new UsageError(
      'no-output-map',
      'The first layers of this network do not move over an image, so it takes images of one size only.',
      'Start the network with convolutions or pooling.',
    );
  if (args.sample !== null && args.sample >= dataset.samples)
    throw new UsageError(
      'no-such-sample',
      `The data has ${pluralize(dataset.samples, 'sample')}, so there is no sample ${args.sample}.`,
      `Choose an index from 0 to ${dataset.samples - 1}.`,
    );
  const reached = await reachStep(terminal, session, steps);
  if (reached.kind === 'interrupted') return stoppedEarly(terminal, args, 'output-map', session, steps, warnings);
  if (reached.kind === 'diverged') {
    if (args.json) printJson(terminal, { command: 'output-map', file: args.file, diverged: reached.nonFinite });
    else printLines(terminal, terminal.err, [describeDivergence(reached.nonFinite)]);
    return EXIT.failed;
  }
  const { value: map } = runQuery(session, {
    type: 'output_map',
    sample: args.sample,
    tiles: args.tiles ?? DEFAULT_TILES,
    place: args.at,
  });
  if (!map)
    throw new UsageError(
      'no-output-map',
      'The image is too large for this network, or the network has more than 64 outputs.',
      'Choose a smaller --tiles, or use data with smaller images.',
    );
  if (args.json)
    printJson(terminal, {
      command: 'output-map',
      file: args.file,
      name,
      problems: warnings,
      step: session.position.step,
      tiles: map.tiles,
      imageShape: map.imageShape,
      placed: map.placed,
      window: map.window,
      stride: map.stride,
      areProbabilities: map.areProbabilities,
      classes: session.run.labels,
      predicted: map.classes && toNestedList([map.rows, map.columns], Float64Array.from(map.classes)),
      values: toNestedList([map.outputs, map.rows, map.columns], map.values),
    });
  else printLines(terminal, terminal.out, toLines(session, map, args.tiles ?? DEFAULT_TILES));
  return EXIT.success;
}

function toLines(session: TrainingSession, map: OutputMap, wanted: number): Line[] {
  const { labels } = session.run;
  const [, height = 0, width = 0] = map.imageShape;
  const nameOf = (label: number): string => labels?.[label] ?? String(label);
  return [
    `${session.run.name}: step ${formatInteger(session.position.step)}, an image of ${height} × ${width} pixels, ` +
      `${map.rows} × ${map.columns} positions of a window of ${map.window.height} × ${map.window.width}`,
    ...(map.tiles < wanted ? [`Only ${map.tiles} × ${map.tiles} images: a larger image takes too long.`] : []),
    '',
    paint('bold', 'In the image'),
    ...placedLines(map, nameOf),
    '',
    ...(map.classes
      ? [
          paint('bold', map.areProbabilities ? 'Predicted, and its probability' : 'Predicted'),
          ...grid(map, (cell) => predicted(map, cell, nameOf)),
        ]
      : Array.from({ length: map.outputs }, (_, output): Line[] => [
          paint('bold', `Output ${output}`),
          ...grid(map, (cell) => map.values[output * map.rows * map.columns + cell]!.toPrecision(4)),
        ]).flat()),
  ];
}

const placedLines = ({ placed }: OutputMap, nameOf: (label: number) => string): string[] =>
  formatTable(
    ['row', 'column', 'sample', 'class'],
    placed.map(({ row, column, sample, label }) => [
      String(row),
      String(column),
      String(sample),
      label === null ? '' : nameOf(label),
    ]),
    0,
  );

function predicted(map: OutputMap, cell: number, nameOf: (label: number) => string): string {
  const label = map.classes![cell]!;
  if (!map.areProbabilities) return nameOf(label);
  const cells = map.rows * map.columns;
  // A single output is the probability of the second class.
  const single = map.values[cell]!;
  const share = map.outputs > 1 ? map.values[label * cells + cell]! : label === 1 ? single : 1 - single;
  return `${nameOf(label)} ${share.toFixed(2)}`;
}

/** Rows and columns are named by the first pixel of their window. */
function grid({ rows, columns, stride }: OutputMap, cellText: (cell: number) => string): string[] {
  return formatTable(
    ['', ...Array.from({ length: columns }, (_, column) => String(column * stride.right))],
    Array.from({ length: rows }, (_, row) => [
      String(row * stride.down),
      ...Array.from({ length: columns }, (_each, column) => cellText(row * columns + column)),
    ]),
    0,
  );
}
