// `nablascope sweep`: every combination of a spec's options, side by side; mean and spread over the seeds.
import path from 'node:path';
import { counted, grouped, short } from '../../gradcheck/words';
import { openSweep, type OpenedSweep, type Sweep } from '../../process/sweep/sweep';
import { PARTS } from '../../session/evaluation';
import type { Part } from '../../session/frame';
import { parseSpec, type SweepOption } from '../../spec';
import { labelOf } from '../../sweep/label';
import type { Group, Measures, Spread, SweepReport } from '../../sweep/report';
import { isDone, type SweepState } from '../../sweep/state';
import { type Call, CallError } from '../arguments';
import { duration, table } from '../format';
import { jsonText } from '../json';
import { place, readSpec, SpecError } from '../open';
import { placeProblems, type PlacedProblem } from '../problems';
import { Progress } from '../progress';
import { EXIT, type ExitCode, paint, type Terminal } from '../terminal';

type SweepCall = Extract<Call, { command: 'sweep' }>;

export async function sweep(terminal: Terminal, call: SweepCall): Promise<ExitCode> {
  const start = terminal.now();
  const { opened, warnings } = open(terminal, call);
  const quiet = call.json || call.csv;
  const { state } = opened;
  if (!quiet) terminal.out.write(`${describe(call, state)}\n`);
  const finished = await run(terminal, opened);
  const ended = opened.state;
  if (call.json) terminal.out.write(jsonText(toJson(call, opened, finished, warnings)));
  else if (call.csv) terminal.out.write(toCsv(opened));
  else terminal.out.write(toText(terminal, ended, finished, terminal.now() - start));
  if (!finished) return EXIT.interrupted;
  return ended.runs.every((each) => each.state === 'finished') ? EXIT.good : EXIT.failed;
}

/** The spec's own seeds, counted on from its seed. */
function seedsOf(text: string, seeds: number | null): SweepOption[] {
  const { spec } = parseSpec(text);
  if (seeds === null || !spec) return [];
  return [{ path: 'seed', values: Array.from({ length: seeds }, (_, i) => spec.seed + i) }];
}

function open(terminal: Terminal, call: SweepCall): { opened: Sweep; warnings: readonly PlacedProblem[] } {
  const { text, target, folders: { root, allowed } } = readSpec(terminal, call);
  const result: OpenedSweep = openSweep({
    text, spec: target, root, allowed, more: [...call.set, ...seedsOf(text, call.seeds)], fresh: call.fresh,
    ...(call.results !== null && { results: path.resolve(terminal.cwd, call.results) }),
    ...(call.workers !== null && { workers: call.workers }),
  });
  switch (result.kind) {
    case 'sweep': {
      const { sweep: opened, warnings } = result;
      return { opened, warnings: place(terminal, { ...call, json: call.json || call.csv }, text, warnings, true) };
    }
    case 'problems':
      throw new SpecError(placeProblems(call.file, text, result.problems));
    case 'faults': {
      const [{ option, message, remedy }] = result.faults;
      throw new CallError(`--set ${option}: ${message}`, remedy);
    }
    case 'nothing':
      throw new CallError('This spec says nothing about what to try.', 'Add "sweep": { "optimizer.lr": [0.01, 0.1], "seed": [1, 2, 3] } to it, or give --set and --seeds.');
    case 'strange':
      throw new CallError(`${path.relative(terminal.cwd, result.file)} holds no results that this version can read.`, 'Move it away, name another file with --results, or write over it with --fresh.');
  }
}

async function run(terminal: Terminal, opened: Sweep): Promise<boolean> {
  const progress = new Progress(terminal);
  try {
    return await opened.run(path.join(terminal.bundles, 'sweep-worker.js'), (state) => {
      if (terminal.interrupted()) void opened.cancel();
      const done = state.runs.filter(isDone).length;
      const share = state.runs.reduce((sum, each) => sum + (isDone(each) ? 1 : each.step / Math.max(1, each.total)), 0) / state.runs.length;
      progress.show(share, () => `${grouped(done)} of ${counted(state.runs.length, 'run')} done, ${grouped(state.runs.filter((each) => each.state === 'running').length)} running`);
    });
  } catch (error) {
    throw new CallError(`The results cannot be written: ${error instanceof Error ? error.message : String(error)}.`, 'Check the folder, or name another file with --results.');
  } finally {
    progress.clear();
  }
}

function describe({ file }: SweepCall, { runs, report, notes }: SweepState): string {
  const { options, groups, seeds } = report;
  const what = options.length === 0 ? 'no option' : options.join(' × ');
  return [`${file}: ${what}, ${counted(groups.length, 'setting')} × ${counted(seeds, 'seed')} = ${counted(runs.length, 'run')}`, ...notes].join('\n');
}

/** `0.3812 ± 0.0121`; the mean alone of a single run. */
function spreadText(spread: Spread | null | undefined): string {
  if (!spread) return '·';
  return spread.deviation === null ? short4(spread.mean) : `${short4(spread.mean)} ± ${short4(spread.deviation)}`;
}

const short4 = (value: number): string => short(Number.isFinite(value) ? Number(value.toPrecision(4)) : value);

const percentText = (spread: Spread | null | undefined): string => {
  if (!spread) return '·';
  const text = (share: number): string => (100 * share).toFixed(2);
  return spread.deviation === null ? `${text(spread.mean)} %` : `${text(spread.mean)} ± ${text(spread.deviation)} %`;
};

function toText(terminal: Terminal, { runs, report, file }: SweepState, finished: boolean, milliseconds: number): string {
  const { groups, options, best } = report;
  const parts = PARTS.filter((part) => groups.some(({ final }) => final[part]));
  const classes = groups.some(({ final }) => Object.values(final).some(({ accuracy }) => accuracy !== null));
  const kinds = classes ? (['loss', 'accuracy'] as const) : (['loss'] as const);
  const head = [...options, 'Runs', ...parts.flatMap((part) => kinds.map((kind) => `${part} ${kind}`)), ''];
  const rows = groups.map((group, i) => [
    ...group.labels, runsText(group),
    ...parts.flatMap((part) => kinds.map((kind) => cell(group, part, kind))),
    best?.group === i ? 'best' : '',
  ]);
  const [titles, ...lines] = table(head, rows, options.length);
  const done = runs.filter(isDone).length;
  const broken = runs.filter(({ message }) => message !== null);
  return [
    '',
    paint(terminal, 'bold', titles),
    ...lines.map((line, i) => (best?.group === i ? paint(terminal, 'green', line) : line)),
    '',
    `Mean ± standard deviation (n − 1) over the runs that finished, after the last step.${best ? ` Best: the lowest ${best.part} loss.` : ''}`,
    ...broken.map(({ settings, message }) => paint(terminal, 'red', `${settingsText(settings)}: ${message}`)),
    `${finished ? 'Done' : `Stopped after ${grouped(done)} of ${counted(runs.length, 'run')}`} in ${duration(milliseconds)}; results are in ${file}.`,
    '',
  ].join('\n');
}

const cell = ({ final }: Group, part: Part, kind: keyof Measures<Spread>): string =>
  kind === 'loss' ? spreadText(final[part]?.loss) : percentText(final[part]?.accuracy);

const runsText = ({ planned, finished, diverged, failed }: Group): string =>
  [finished === planned ? grouped(planned) : `${grouped(finished)} of ${grouped(planned)}`, ...(diverged > 0 ? [`${grouped(diverged)} diverged`] : []), ...(failed > 0 ? [`${grouped(failed)} failed`] : [])].join(', ');

const settingsText = (settings: SweepState['runs'][number]['settings']): string =>
  Object.entries(settings).map(([option, value]) => `${option} ${labelOf(value)}`).join(', ');

function toJson(call: SweepCall, opened: Sweep, finished: boolean, problems: readonly PlacedProblem[]) {
  const { report, file, notes } = opened.state;
  const { groups, best, options, seeds }: SweepReport = report;
  return {
    command: 'sweep', file: call.file, problems, outcome: finished ? 'finished' : 'interrupted', results: file, notes, options, seeds, best,
    groups: groups.map(({ labels: _, ...group }) => group),
    runs: opened.results.map((result, i) => result ?? { settings: opened.state.runs[i].settings, outcome: 'waiting' }),
  };
}

const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** RFC 4180, but with \n: a row for each run that is done. */
function toCsv(opened: Sweep): string {
  const { runs } = opened.state;
  const options = Object.keys(runs[0]?.settings ?? {});
  const parts = PARTS.filter((part) => opened.results.some((result) => result && 'parts' in result && result.parts[part]));
  const head = [...options, 'outcome', 'steps', ...parts.flatMap((part) => [`${part} loss`, `${part} accuracy`])];
  const rows = opened.results.flatMap((result, i) => {
    if (!result) return [];
    const last = (values: readonly number[] | null | undefined): string => (values && values.length > 0 ? String(values[values.length - 1]) : '');
    const ends = 'parts' in result ? parts.flatMap((part) => [last(result.parts[part]?.loss), last(result.parts[part]?.accuracy)]) : parts.flatMap(() => ['', '']);
    const value = (option: string): string => {
      const chosen = runs[i].settings[option];
      return typeof chosen === 'object' ? JSON.stringify(chosen) : String(chosen);
    };
    return [[...options.map(value), result.outcome, 'steps' in result ? String(result.steps) : '', ...ends]];
  });
  return [head, ...rows].map((cells) => `${cells.map(quoted).join(',')}\n`).join('');
}
