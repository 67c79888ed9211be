// `nablascope cost`: a gradient by one forward pass a parameter, and by backprop, measured as the network grows.
import { grouped, short, tiny } from '../../gradcheck/words';
import { type Cost, GROWING, measureCost } from '../../session/cost';
import type { Call } from '../arguments';
import { duration, table } from '../format';
import { jsonText } from '../json';
import { openSpec } from '../open';
import { bar, Progress } from '../progress';
import { EXIT, type ExitCode, paint, type Terminal } from '../terminal';

type CostCall = Extract<Call, { command: 'cost' }>;

/** Milliseconds for the naive way, a network. */
const MOST_MS = 1000;
const WIDEST_BAR = 40;

export async function cost(terminal: Terminal, call: CostCall): Promise<ExitCode> {
  const { session, warnings } = await openSpec(terminal, call);
  const { run } = session;
  const progress = new Progress(terminal);
  const costs: Cost[] = [];
  for (const size of GROWING) {
    progress.show(costs.length / GROWING.length, () => `${size.depth} × ${size.width} units`);
    await terminal.pause();
    if (terminal.interrupted()) break;
    costs.push(measureCost(run, size, terminal.now, MOST_MS));
  }
  progress.clear();
  const backend = session.network.kernels.backend;
  if (call.json) terminal.out.write(jsonText({ command: 'cost', file: call.file, name: run.name, problems: warnings, backend, precision: 'float64', batchSize: run.batchSize, complete: costs.length === GROWING.length, costs }));
  else terminal.out.write(toText(terminal, `${run.name}: one gradient of all parameters, batches of ${grouped(run.batchSize)}, float64, ${backend}`, costs));
  return costs.length === GROWING.length ? EXIT.good : EXIT.interrupted;
}

const milliseconds = (value: number): string => (value < 1000 ? `${short(Number(value.toPrecision(3)))} ms` : duration(value));

const times = (ratio: number): string => `${grouped(Number(ratio.toPrecision(3)))}×`;

function toText(terminal: Terminal, title: string, costs: readonly Cost[]): string {
  if (costs.length === 0) return '';
  const rows = costs.map(({ depth, width, parameters, backprop, naive, timed, macs }) => [
    `${depth} × ${width}`, grouped(parameters), milliseconds(backprop), `${timed < parameters ? '~ ' : ''}${milliseconds(naive)}`, times(naive / backprop),
    grouped(macs.backprop), grouped(macs.naive), times(macs.naive / macs.backprop),
  ]);
  const [titles, ...lines] = table(['Hidden', 'Parameters', 'Backprop', 'Naive', 'Ratio', 'Multiply-adds: backprop', 'naive', 'ratio'], rows);
  const proportional = costs.filter(({ timed, parameters }) => timed < parameters).length;
  return [
    title, '',
    paint(terminal, 'bold', titles), ...lines, '',
    ...plot(costs), '',
    `Measured: a forward and a backward pass, the shortest of several; and a forward pass for each parameter.`,
    ...(proportional > 0 ? [`~ more than ${duration(MOST_MS)}: only so many passes were timed, the others are told by proportion.`] : []),
    `Counted: multiply-adds of the same. Both gradients agree to ${tiny(Math.max(...costs.map(({ difference }) => difference)))} of the largest entry.`,
    '',
  ].join('\n');
}

/** Two bars a network, on a logarithmic scale: the whole width is from the shortest to the longest time. */
function plot(costs: readonly Cost[]): string[] {
  const all = costs.flatMap(({ backprop, naive }) => [backprop, naive]).filter((time) => time > 0);
  const [low, high] = [Math.log10(Math.min(...all)) - 0.5, Math.log10(Math.max(...all))];
  const length = (time: number): string => bar((Math.log10(time) - low) / (high - low), WIDEST_BAR).replaceAll('░', '');
  const rows = costs.flatMap(({ depth, width, backprop, naive }) => [
    [`${depth} × ${width}`, 'backprop', `${length(backprop)} ${milliseconds(backprop)}`],
    ['', 'naive', `${length(naive)} ${milliseconds(naive)}`],
  ]);
  return table(['', '', 'time, on a logarithmic scale'], rows, 3);
}
