// `nablascope cost`: the time of one gradient by one forward pass per parameter, and by backpropagation, as networks
// grow.
import type { GradientCost } from '../../protocol/queries';
import { formatInteger, formatNumber, formatExponential } from '../../presentation/plain-numbers';
import { NETWORK_SIZES, measureGradientCost } from '../../session/gradient-cost';
import { defineCommand, type CommonArgs } from '../command';
import { formatDuration, formatTable } from '../format';
import { printJson } from '../json';
import { openSpec } from '../open-spec';
import { renderBar, ProgressBar } from '../progress';
import { EXIT, type ExitCode, type Line, paint, printLines, type Terminal } from '../terminal';

export const costCommand = defineCommand({
  description: [
    'Measures what one gradient of all parameters costs as networks grow wider and deeper: by one forward pass ' +
      'per parameter (naive), and by backpropagation. The networks use the data, the loss and the first ' +
      'activation of the spec.',
    'Multiply-adds of both are counted too. Where the naive method takes more than a second, the passes that ' +
      'fit into one second are timed, and the total is extrapolated and marked with ~.',
  ],
  options: {},
  run: cost,
});

/** Milliseconds for the naive method, per network. */
const NAIVE_BUDGET_MS = 1000;
const MAX_BAR_WIDTH = 40;

async function cost(terminal: Terminal, args: CommonArgs): Promise<ExitCode> {
  const { session, warnings } = await openSpec(terminal, args);
  const { run } = session;
  const progress = new ProgressBar(terminal);
  const costs: GradientCost[] = [];
  for (const size of NETWORK_SIZES) {
    progress.show(costs.length / NETWORK_SIZES.length, () => `${size.depth} × ${size.width} units`);
    await terminal.pause();
    if (terminal.interrupted()) break;
    costs.push(measureGradientCost(run, size, terminal.now, NAIVE_BUDGET_MS));
  }
  progress.clear();
  const backend = session.network.kernels.backend;
  if (args.json)
    printJson(terminal, {
      command: 'cost',
      file: args.file,
      name: run.name,
      problems: warnings,
      backend,
      precision: 'float64',
      batchSize: run.batchSize,
      complete: costs.length === NETWORK_SIZES.length,
      costs: costs.map(({ timedPasses, maxRelativeDifference, ...rest }) => ({
        ...rest,
        timed: timedPasses,
        difference: maxRelativeDifference,
      })),
    });
  else
    printLines(
      terminal,
      terminal.out,
      toLines(
        `${run.name}: one gradient of all parameters, batch size ${formatInteger(run.batchSize)}, float64, ${backend}`,
        costs,
      ),
    );
  return costs.length === NETWORK_SIZES.length ? EXIT.success : EXIT.interrupted;
}

const formatMilliseconds = (value: number): string =>
  value < 1000 ? `${formatNumber(Number(value.toPrecision(3)))} ms` : formatDuration(value);

const formatRatio = (ratio: number): string => `${formatInteger(Number(ratio.toPrecision(3)))}×`;

function toLines(title: string, costs: readonly GradientCost[]): Line[] {
  if (costs.length === 0) return ['Stopped before anything was measured.'];
  const rows = costs.map(({ depth, width, parameters, backprop, naive, timedPasses, macs }) => [
    `${depth} × ${width}`,
    formatInteger(parameters),
    formatMilliseconds(backprop),
    `${timedPasses < parameters ? '~ ' : ''}${formatMilliseconds(naive)}`,
    formatRatio(naive / backprop),
    formatInteger(macs.backprop),
    formatInteger(macs.naive),
    formatRatio(macs.naive / macs.backprop),
  ]);
  const [titles, ...lines] = formatTable(
    ['Hidden', 'Parameters', 'Backprop', 'Naive', 'Ratio', 'Multiply-adds: backprop', 'naive', 'ratio'],
    rows,
  );
  const difference = Math.max(...costs.map(({ maxRelativeDifference }) => maxRelativeDifference));
  const extrapolated = costs.filter(({ timedPasses, parameters }) => timedPasses < parameters).length;
  return [
    title,
    '',
    paint('bold', titles),
    ...lines,
    '',
    ...barChart(costs),
    '',
    'Backprop: one forward and one backward pass, the shortest of several. Naive: one forward pass per parameter.',
    ...(extrapolated > 0
      ? [`~ extrapolated: all passes take more than ${formatDuration(NAIVE_BUDGET_MS)}, so only some were timed.`]
      : []),
    `The two gradients differ by at most ${formatExponential(difference)} of the largest entry.`,
  ];
}

/** Two bars per network on a logarithmic scale, from the shortest to the longest time. */
function barChart(costs: readonly GradientCost[]): string[] {
  const all = costs.flatMap(({ backprop, naive }) => [backprop, naive]).filter((time) => time > 0);
  const [low, high] = [Math.log10(Math.min(...all)) - 0.5, Math.log10(Math.max(...all))];
  const length = (time: number): string =>
    renderBar((Math.log10(time) - low) / (high - low), MAX_BAR_WIDTH).replaceAll('░', '');
  const rows = costs.flatMap(({ depth, width, backprop, naive }) => [
    [`${depth} × ${width}`, 'backprop', `${length(backprop)} ${formatMilliseconds(backprop)}`],
    ['', 'naive', `${length(naive)} ${formatMilliseconds(naive)}`],
  ]);
  return formatTable(['', '', 'time, on a logarithmic scale'], rows, 3);
}
