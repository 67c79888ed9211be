// `nablascope sweep`: trains every combination of a spec's options in parallel; mean and standard deviation over the
// seeds.

import { SPLIT_NAMES, type SplitName } from '../../protocol/position';
import type { Group, Measures, Spread, SweepReport, SweepState } from '../../protocol/sweep';
import path from 'node:path';
import { pluralize, formatInteger, formatNumber } from '../../presentation/plain-numbers';
import { openSweep, type OpenSweepResult, type Sweep } from '../../process/sweep/sweep';
import type { ParseResult, SweepOption } from '../../model-spec';
import { valueLabel } from '../../sweep/value-label';
import { isDone } from '../../sweep/report';
import { type CommandArgs, defineCommand } from '../command';
import { escapeCsv, formatDuration, formatTable } from '../format';
import { printJson } from '../json';
import { locateAndPrintWarnings, readSpec } from '../open-spec';
import { SpecError } from '../spec-error';
import { flag, integer, list, text } from '../options';
import { locateProblems, type LocatedProblem } from '../problems';
import { ProgressBar } from '../progress';
import { EXIT, type ExitCode, type Line, paint, printLines, type Terminal } from '../terminal';
import { UsageError } from '../usage-error';

const options = {
  set: list(
    {
      placeholder: 'PATH=VALUES',
      help:
        'Values of one option, replacing those of the spec: --set optimizer.lr=0.01,0.1. ' +
        `As a JSON list where a value is neither number nor word: --set 'layers.1=["tanh","relu"]'. Can be repeated`,
      example: 'optimizer.lr=0.01,0.1',
    },
    parseSweepOption,
  ),
  seeds: integer({ placeholder: 'N', min: 1, help: "Train with N seeds, starting at the spec's seed", example: '5' }),
  workers: integer({
    placeholder: 'N',
    min: 1,
    help: 'Train N runs in parallel (default: one per core, as far as half of the memory allows)',
    example: '2',
  }),
  fresh: flag({ help: 'Ignore earlier results and train every run again' }),
  results: text({
    placeholder: 'FILE',
    help: 'Keep the results in this file (default: NAME.sweep.json next to NAME.nabla.json)',
    example: 'results.sweep.json',
  }),
  csv: flag({ help: 'Print one CSV row per run instead of the table' }),
};

type SweepArgs = CommandArgs<typeof options>;

export const sweepCommand = defineCommand({
  description: [
    'Trains every combination of the options that the "sweep" section of the spec lists, in parallel on the ' +
      'cores of the machine. Prints mean and standard deviation of the final losses and accuracies over the ' +
      'seeds.',
    'Finished runs are kept in the results file. The next call trains only what is missing, as long as the spec ' +
      'and its data stay the same. Ctrl-C keeps the finished runs.',
  ],
  options,
  exclusive: [['json', 'csv']],
  run: sweep,
});

async function sweep(terminal: Terminal, args: SweepArgs): Promise<ExitCode> {
  const start = terminal.now();
  const { opened, warnings } = await openCliSweep(terminal, args);
  const quiet = args.json || args.csv;
  const { state } = opened;
  if (!quiet) printLines(terminal, terminal.out, describe(args, state));
  const finished = await runSweep(terminal, opened);
  const ended = opened.state;
  if (args.json) printJson(terminal, toJson(args, opened, finished, warnings));
  else if (args.csv) printCsv(terminal, opened);
  else printLines(terminal, terminal.out, toLines(ended, finished, terminal.now() - start));
  if (!finished) return EXIT.interrupted;
  return ended.runs.every((each) => each.state === 'finished') ? EXIT.success : EXIT.failed;
}

/** `optimizer.lr=0.01,0.1`, or with a JSON list: `layers.1=["tanh","relu"]`. */
function parseSweepOption(option: string): SweepOption {
  const at = option.indexOf('=');
  const [path, values] = at < 0 ? [option, ''] : [option.slice(0, at), option.slice(at + 1)];
  if (path === '' || values === '') {
    throw new UsageError(
      'invalid-value',
      `--set needs a path and values, not "${option}".`,
      'For example: --set optimizer.lr=0.01,0.1.',
    );
  }
  const parsed = tryParseJson(values);
  return {
    path,
    values: Array.isArray(parsed) ? parsed : values.split(',').map((word) => tryParseJson(word.trim()) ?? word.trim()),
  };
}

/** Undefined for a bare word. */
function tryParseJson(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

/** The seeds that `--seeds` asks for, starting at the seed of the spec. */
function seedOption({ spec }: ParseResult, seeds: number | null): SweepOption[] {
  if (seeds === null || !spec) return [];
  return [{ path: 'seed', values: Array.from({ length: seeds }, (_, i) => spec.seed + i) }];
}

async function openCliSweep(
  terminal: Terminal,
  args: SweepArgs,
): Promise<{ opened: Sweep; warnings: readonly LocatedProblem[] }> {
  const {
    text: specText,
    parsed,
    path: target,
    folders: { root, allowed },
  } = readSpec(terminal, args);
  const result: OpenSweepResult = await openSweep({
    source: parsed,
    specFile: target,
    root,
    allowed,
    extraOptions: [...args.set, ...seedOption(parsed, args.seeds)],
    fresh: args.fresh,
    allowCode: args.allowCode,
    ...(args.results !== null && { resultsFile: path.resolve(terminal.cwd, args.results) }),
    ...(args.workers !== null && { workers: args.workers }),
  });
  switch (result.kind) {
    case 'sweep': {
      const { sweep: opened, warnings } = result;
      return {
        opened,
        warnings: locateAndPrintWarnings(terminal, { ...args, json: args.json || args.csv }, specText, warnings, true),
      };
    }
    case 'problems':
      throw new SpecError(locateProblems(args.file, specText, result.problems));
    case 'invalidOptions': {
      const { option, message, remedy } = result.optionErrors[0]!;
      throw new UsageError('invalid-sweep-option', `--set ${option}: ${message}`, remedy);
    }
    case 'noSweep':
      throw new UsageError(
        'no-sweep',
        'This spec has no "sweep" section.',
        'Add "sweep": { "optimizer.lr": [0.01, 0.1], "seed": [1, 2, 3] }, or use --set and --seeds.',
      );
    case 'unreadable':
      throw new UsageError(
        'results-not-readable',
        `${path.relative(terminal.cwd, result.file)} is not a results file that this version can read.`,
        'Move it, choose another file with --results, or replace it with --fresh.',
      );
  }
}

async function runSweep(terminal: Terminal, opened: Sweep): Promise<boolean> {
  const progress = new ProgressBar(terminal);
  try {
    return await opened.run(path.join(terminal.bundleFolder, 'sweep-worker.js'), (state) => {
      if (terminal.interrupted()) void opened.cancel();
      const done = state.runs.filter(isDone).length;
      const share =
        state.runs.reduce((sum, each) => sum + (isDone(each) ? 1 : each.step / Math.max(1, each.total)), 0) /
        state.runs.length;
      const running = state.runs.filter((each) => each.state === 'running').length;
      progress.show(
        share,
        () =>
          `${formatInteger(done)} of ${pluralize(state.runs.length, 'run')} done, ${formatInteger(running)} running`,
      );
    });
  } catch (error) {
    throw new UsageError(
      'file-not-writable',
      `The results cannot be written: ${error instanceof Error ? error.message : String(error)}.`,
      'Check the folder, or choose another file with --results.',
    );
  } finally {
    progress.clear();
  }
}

function describe({ file }: SweepArgs, { runs, report, notes }: SweepState): Line[] {
  const { options: paths, groups, seeds } = report;
  const what = paths.length === 0 ? 'no option' : paths.join(' × ');
  return [
    `${file}: ${what}, ${pluralize(groups.length, 'setting')} × ${pluralize(seeds, 'seed')} = ` +
      pluralize(runs.length, 'run'),
    ...notes,
  ];
}

/** `0.3812 ± 0.0121`; only the mean of a single run. */
function formatSpread(spread: Spread | null | undefined): string {
  if (!spread) return '·';
  return spread.deviation === null
    ? formatMean(spread.mean)
    : `${formatMean(spread.mean)} ± ${formatMean(spread.deviation)}`;
}

const formatMean = (value: number): string =>
  formatNumber(Number.isFinite(value) ? Number(value.toPrecision(4)) : value);

const formatPercentSpread = (spread: Spread | null | undefined): string => {
  if (!spread) return '·';
  const text = (share: number): string => (100 * share).toFixed(2);
  return spread.deviation === null ? `${text(spread.mean)} %` : `${text(spread.mean)} ± ${text(spread.deviation)} %`;
};

function toLines({ runs, report, file }: SweepState, finished: boolean, milliseconds: number): Line[] {
  const { groups, options: paths, best } = report;
  const parts = SPLIT_NAMES.filter((part) => groups.some(({ final }) => final[part]));
  const classes = groups.some(({ final }) => Object.values(final).some(({ accuracy }) => accuracy !== null));
  const kinds = classes ? (['loss', 'accuracy'] as const) : (['loss'] as const);
  const head = [...paths, 'Runs', ...parts.flatMap((part) => kinds.map((kind) => `${part} ${kind}`)), ''];
  const rows = groups.map((group, i) => [
    ...group.labels,
    formatRunCounts(group),
    ...parts.flatMap((part) => kinds.map((kind) => formatCell(group, part, kind))),
    best?.group === i ? 'best' : '',
  ]);
  const [titles, ...lines] = formatTable(head, rows, paths.length);
  const done = runs.filter(isDone).length;
  const end = finished ? 'Done' : `Stopped after ${formatInteger(done)} of ${pluralize(runs.length, 'run')}`;
  const failedRuns = runs.filter(({ message }) => message !== null);
  return [
    '',
    paint('bold', titles),
    ...lines.map((line, i) => (best?.group === i ? paint('green', line) : line)),
    '',
    'Mean ± standard deviation (n − 1) over the finished runs, after the last step.' +
      (best ? ` Best: lowest ${best.part} loss.` : ''),
    ...failedRuns.map(({ settings, message }) => paint('red', `${formatSettings(settings)}: ${message}`)),
    `${end} in ${formatDuration(milliseconds)}; results are in ${file}.`,
  ];
}

function formatCell({ final, largestClass }: Group, part: SplitName, kind: keyof Measures<Spread>): string {
  if (kind === 'loss') return formatSpread(final[part]?.loss);
  const share = largestClass[part] ?? null;
  return (
    formatPercentSpread(final[part]?.accuracy) +
    (share === null ? '' : ` (largest class ${Number((100 * share).toPrecision(3))} %)`)
  );
}

const formatRunCounts = ({ planned, finished, diverged, failed }: Group): string =>
  [
    finished === planned ? formatInteger(planned) : `${formatInteger(finished)} of ${formatInteger(planned)}`,
    ...(diverged > 0 ? [`${formatInteger(diverged)} diverged`] : []),
    ...(failed > 0 ? [`${formatInteger(failed)} failed`] : []),
  ].join(', ');

const formatSettings = (settings: SweepState['runs'][number]['settings']): string =>
  Object.entries(settings)
    .map(([option, value]) => `${option} ${valueLabel(value)}`)
    .join(', ');

function toJson(args: SweepArgs, opened: Sweep, finished: boolean, problems: readonly LocatedProblem[]) {
  const { report, file, notes } = opened.state;
  const { groups, best, options: paths, seeds }: SweepReport = report;
  return {
    command: 'sweep',
    file: args.file,
    problems,
    outcome: finished ? 'finished' : 'interrupted',
    results: file,
    notes,
    options: paths,
    seeds,
    best,
    groups: groups.map(({ labels: _, ...group }) => group),
    runs: opened.results.map((result, i) => result ?? { settings: opened.state.runs[i]!.settings, outcome: 'waiting' }),
  };
}

/** RFC 4180, but with \n: one row per finished run. */
function printCsv(terminal: Terminal, opened: Sweep): void {
  const { runs } = opened.state;
  const paths = Object.keys(runs[0]?.settings ?? {});
  const parts = SPLIT_NAMES.filter((part) =>
    opened.results.some((result) => result && 'parts' in result && result.parts[part]),
  );
  const head = [...paths, 'outcome', 'steps', ...parts.flatMap((part) => [`${part} loss`, `${part} accuracy`])];
  const rows = opened.results.flatMap((result, i) => {
    if (!result) return [];
    const last = (values: readonly number[] | null | undefined): string =>
      values && values.length > 0 ? String(values[values.length - 1]) : '';
    const ends =
      'parts' in result
        ? parts.flatMap((part) => [last(result.parts[part]?.loss), last(result.parts[part]?.accuracy)])
        : parts.flatMap(() => ['', '']);
    const value = (option: string): string => {
      const chosen = runs[i]!.settings[option];
      return typeof chosen === 'string' ? chosen : JSON.stringify(chosen);
    };
    return [[...paths.map(value), result.outcome, 'steps' in result ? String(result.steps) : '', ...ends]];
  });
  const lines = [head, ...rows].map((cells) => cells.map(escapeCsv).join(','));
  if (terminal.out.isTTY) printLines(terminal, terminal.out, lines);
  // Programs that read the rows get the cells unchanged.
  else terminal.out.write(`${lines.join('\n')}\n`);
}
