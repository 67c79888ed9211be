// `nablascope train`: trains to the end, and tells losses and accuracies of every part of the data.
import type { CheckReport } from '../../gradcheck';
import { conclusion } from '../../gradcheck/conclusion';
import { counted, grouped, short } from '../../gradcheck/words';
import { History, seriesName } from '../../history/history';
import { type Evaluation, evaluationInterval, PARTS } from '../../session/evaluation';
import type { NonFinite } from '../../session/frame';
import type { TrainingSession } from '../../session/session';
import type { CompiledRun } from '../../spec';
import type { Call } from '../arguments';
import { type Outcome, trainTo } from '../drive';
import { duration, percent, table } from '../format';
import { jsonText } from '../json';
import { openSpec } from '../open';
import type { PlacedProblem } from '../problems';
import { Progress } from '../progress';
import { divergence } from '../reach';
import { sparkline } from '../sparkline';
import { EXIT, type ExitCode, paint, type Terminal } from '../terminal';
import { checkGradients } from './check';
import { type Fork, forkOf, forkText, refuseLate } from './fork';

type TrainCall = Extract<Call, { command: 'train' }>;

const WIDEST_SPARKLINE = 60;

interface Result {
  readonly session: TrainingSession;
  readonly history: History;
  readonly outcome: Outcome;
  /** The first check on the way that did not pass. */
  readonly failed: CheckReport | null;
  readonly evaluation: Evaluation;
  readonly milliseconds: number;
}

export async function train(terminal: Terminal, call: TrainCall): Promise<ExitCode> {
  const { session, warnings } = await openSpec(terminal, call, (run) => lasting(run, call));
  const target = call.steps ?? session.totalSteps;
  if (call.fork) refuseLate(call.fork, target);
  if (!call.json) terminal.out.write(`${describe(session, target)}\n`);
  const result = await run(terminal, session, target);
  if (!call.json) terminal.out.write(toText(terminal, result));
  const fork = call.fork && result.outcome.kind !== 'interrupted' ? await forkOf(terminal, session, call.fork) : null;
  const forked = fork && (await run(terminal, fork.session, target, false));
  if (call.json) terminal.out.write(jsonText({ ...toJson(call, result, warnings), fork: fork && forked && forkJson(fork, forked) }));
  else if (fork && forked) terminal.out.write(`\n${forkText(terminal, fork, result, forked).join('\n')}\n`);
  else if (call.fork) terminal.out.write(`\nThere is no fork: ${session.frontier < call.fork.at ? `the run ended before step ${call.fork.at}` : 'it was stopped before its first step'}.\n`);
  const kinds = [result, forked].map((each) => each?.outcome.kind);
  if (kinds.includes('interrupted') || terminal.interrupted()) return EXIT.interrupted;
  return kinds.includes('diverged') || result.failed ? EXIT.failed : EXIT.good;
}

/** The run with the number of epochs that the call asks for. */
function lasting(run: CompiledRun, { epochs, steps }: TrainCall): CompiledRun {
  if (epochs !== null) return { ...run, epochs };
  if (steps === null) return run;
  return { ...run, epochs: Math.ceil(steps / Math.ceil(run.split.train.length / run.batchSize)) };
}

/** @param checked whether gradients are checked on the way where the spec says so */
async function run(terminal: Terminal, session: TrainingSession, target: number, checked = true): Promise<Result> {
  const { model } = session;
  const start = terminal.now();
  const history = new History();
  const progress = new Progress(terminal);
  const interval = model.batchesPerEpoch * evaluationInterval(session.run);
  let failed: CheckReport | null = null;
  evaluate(session, history);
  const outcome = await trainTo(
    terminal, session, target,
    () => {
      const { step } = session.position;
      if (session.loss !== null) history.add(seriesName.batchLoss, step, session.loss);
      if (step % interval === 0 || step === target) evaluate(session, history);
      if (!checked || model.checkEvery === 0 || step % model.checkEvery !== 0 || failed) return undefined;
      return checkGradients(terminal, session).then((report) => {
        if (report.complete && !report.passed) failed = report;
      });
    },
    () => progress.show(session.position.step / target, (room) => status(session, history, room)),
  );
  progress.clear();
  // The first value that is not finite is told where the run stopped for it, and nothing is evaluated there.
  const evaluation = outcome.kind === 'diverged' ? {} : evaluate(session, history);
  return { session, history, outcome, failed, evaluation, milliseconds: terminal.now() - start };
}

function evaluate(session: TrainingSession, history: History): Evaluation {
  const evaluation = session.evaluate();
  for (const part of PARTS) {
    const values = evaluation[part];
    if (!values) continue;
    history.add(seriesName.loss(part), session.position.step, values.loss);
    if (values.accuracy !== null) history.add(seriesName.accuracy(part), session.position.step, values.accuracy);
  }
  return evaluation;
}

function status(session: TrainingSession, history: History, room: number): string {
  const text = `epoch ${grouped(session.place.epoch)}  loss ${short(session.loss ?? NaN)}  `;
  return text + sparkline(batchLosses(history), Math.min(WIDEST_SPARKLINE, room - text.length));
}

/** The mean of each bucket. */
function batchLosses(history: History): number[] {
  const data = history.get(seriesName.batchLoss)?.data();
  return data ? Array.from(data.low, (low, i) => (low + data.high[i]) / 2) : [];
}

function describe({ run, model, totalSteps }: TrainingSession, target: number): string {
  const layers = [String(model.inputShape.join('×')), ...model.layers.map(({ kind, outputShape }) => (kind === 'linear' ? outputShape.join('×') : kind))];
  const samples = PARTS.filter((part) => model.samples[part] > 0).map((part) => `${grouped(model.samples[part])} ${part}`);
  return [
    `${run.name}: ${layers.join(' → ')}, ${model.loss.kind}, ${model.optimizer.kind} with lr ${run.optimizer.options.lr}, ${model.precision}, ${model.backend}`,
    `${counted(model.parameterCount, 'parameter')}; samples: ${samples.join(', ')}; ` +
      (target === totalSteps
        ? `${counted(model.epochs, 'epoch')} of ${counted(model.batchesPerEpoch, 'step')}`
        : counted(target, 'step')),
  ].join('\n');
}

function toText(terminal: Terminal, { session, history, outcome, failed, evaluation, milliseconds }: Result): string {
  const { step } = session.position;
  const rate = milliseconds > 0 ? `, ${counted(Math.round((step * 1000) / milliseconds), 'step')} a second` : '';
  const lines: string[] = [''];
  if (terminal.out.isTTY && outcome.kind !== 'diverged') {
    lines.push(`loss ${sparkline(batchLosses(history), Math.min(WIDEST_SPARKLINE, terminal.out.columns - 6))}`, '');
  }
  const rows = PARTS.flatMap((part) => {
    const values = evaluation[part];
    return values ? [[part, short(values.loss), values.accuracy === null ? '·' : percent(values.accuracy)]] : [];
  });
  if (rows.length > 0) {
    const [head, ...body] = table(['Part', 'Loss', 'Accuracy'], rows);
    lines.push(paint(terminal, 'bold', head), ...body, '');
    if (session.model.penalty) lines.push('Losses of the parts are without the penalty, which is part of the loss that is trained on.', '');
  }
  if (failed) lines.push(paint(terminal, 'red', `Gradient check after step ${failed.step}: ${conclusion(failed)}`));
  if (outcome.kind === 'diverged') lines.push(paint(terminal, 'red', divergence(outcome.nonFinite)));
  else lines.push(`${outcome.kind === 'interrupted' ? 'Stopped after' : 'Trained'} ${counted(step, 'step')} in ${duration(milliseconds)}${rate}.`);
  return `${lines.join('\n')}\n`;
}

interface SeriesJson {
  readonly stride: number;
  readonly steps: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** Its series begin at the step of the fork; up to there it is the run. */
function forkJson({ words, own, session }: Fork, { history, outcome, evaluation, milliseconds }: Result) {
  const series: Readonly<Record<string, SeriesJson>> = history.data();
  return {
    ...words, own,
    outcome: outcome.kind === 'arrived' ? 'finished' : outcome.kind,
    diverged: outcome.kind === 'diverged' ? outcome.nonFinite : null,
    steps: session.position.step, milliseconds, hash: session.hash(), evaluation, series,
  };
}

function toJson({ file }: TrainCall, { session, history, outcome, failed, evaluation, milliseconds }: Result, problems: readonly PlacedProblem[]) {
  const { run, model, position } = session;
  const series: Readonly<Record<string, SeriesJson>> = history.data();
  const nonFinite: NonFinite | null = outcome.kind === 'diverged' ? outcome.nonFinite : null;
  return {
    command: 'train', file, name: run.name, problems,
    outcome: outcome.kind === 'arrived' ? 'finished' : outcome.kind,
    diverged: nonFinite,
    steps: position.step,
    epochs: position.step / model.batchesPerEpoch,
    milliseconds,
    parameters: model.parameterCount,
    samples: model.samples,
    backend: model.backend,
    hash: session.hash(),
    evaluation,
    failedCheck: failed && { step: failed.step, counts: failed.counts, conclusion: conclusion(failed) },
    series,
  };
}
