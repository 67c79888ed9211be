// `nablascope train`: trains, and prints loss and accuracy of every split.
import { SPLIT_NAMES } from '../../protocol/position';
import type { CheckReport } from '../../protocol/check-report';
import type { Evaluation, NonFinite } from '../../protocol/frame';
import { formatConclusion } from '../../presentation/check-summary';
import { formatObjective, lossShares } from '../../presentation/loss-shares';
import { pluralize, formatInteger, formatNumber } from '../../presentation/plain-numbers';
import { History, seriesName } from '../../history/history';
import { evaluationInterval } from '../../session/evaluation';
import { nextObservedStep } from '../../diagnostics';
import { observeStep } from '../../session/observe-step';
import type { TrainingSession } from '../../session/session';
import { hasFiniteWeights, writeWeights } from '../../session/write-weights';
import type { CompiledRun } from '../../model-spec';
import { type CommandArgs, defineCommand } from '../command';
import { formatDuration, formatPercent, formatTable } from '../format';
import { findingLines, findingsJson } from '../findings';
import { printJson } from '../json';
import { openSpec, requireWritable, writeFile } from '../open-spec';
import { integer, positiveNumber, text } from '../options';
import type { LocatedProblem } from '../problems';
import { ProgressBar, sparkline } from '../progress';
import { EXIT, type ExitCode, type Line, paint, printLines, type Terminal } from '../terminal';
import { describeDivergence, type TrainOutcome, trainTo } from '../train-to';
import { type Fork, createFork, forkLines, readForkArgs, requireForkBeforeEnd } from './fork';

const options = {
  epochs: integer({
    placeholder: 'N',
    min: 1,
    help: 'Train N epochs instead of the "epochs" of the spec',
    example: '10',
  }),
  steps: integer({ placeholder: 'N', min: 0, help: 'Train N steps; 0 prints the initial losses', example: '10' }),
  forkAt: integer({
    placeholder: 'K',
    min: 0,
    help: 'Also repeat the run from step K on, with --lr, --seed or both changed, and compare the two',
    example: '100',
  }),
  lr: positiveNumber({ placeholder: 'X', help: 'Learning rate of the fork', example: '0.01' }),
  seed: integer({ placeholder: 'S', min: 0, help: 'Seed of the fork', example: '2' }),
  saveWeights: text({
    placeholder: 'FILE',
    help: 'Write the weights at the end as a .safetensors file, for "initial_weights" of another spec',
    example: 'weights.safetensors',
  }),
};

type TrainArgs = CommandArgs<typeof options>;

export const trainCommand = defineCommand({
  description: [
    'Trains, and prints the loss and accuracy of the train, validation and test splits. A terminal shows ' +
      'progress and the course of the loss meanwhile.',
    'Lists the findings of the run, causes before effects, with the steps at which they hold.',
    'Where the spec has "gradient_check": { "every": n }, gradients are checked every n steps.',
  ],
  options,
  exclusive: [['epochs', 'steps']],
  run: train,
});

const MAX_SPARKLINE_WIDTH = 60;

interface TrainResult {
  readonly session: TrainingSession;
  readonly history: History;
  readonly outcome: TrainOutcome;
  /** The first check during training that did not pass. */
  readonly failedCheck: CheckReport | null;
  readonly evaluation: Evaluation;
  readonly milliseconds: number;
}

async function train(terminal: Terminal, args: TrainArgs): Promise<ExitCode> {
  const forkArgs = readForkArgs(args.forkAt, args.lr, args.seed);
  const { session, warnings } = await openSpec(terminal, args, (run) => withEpochs(run, args));
  const target = args.steps ?? session.totalSteps;
  if (forkArgs) requireForkBeforeEnd(forkArgs, target);
  if (args.saveWeights !== null) await requireWritable(terminal, args.saveWeights);
  const print = (lines: readonly Line[]): void => {
    if (!args.json) printLines(terminal, terminal.out, lines);
  };
  print(describe(session, target));
  const result = await trainAndEvaluate(terminal, session, target);
  print(toLines(terminal, result, target));
  const weights = args.saveWeights === null ? null : await saveWeights(terminal, session, args.saveWeights);
  if (weights) print(['', describeWeights(weights)]);
  const fork = forkArgs && result.outcome.kind !== 'interrupted' ? await createFork(terminal, session, forkArgs) : null;
  const forked = fork && (await trainAndEvaluate(terminal, fork.session, target, false));
  if (args.json)
    printJson(terminal, { ...toJson(args, result, warnings), weights, fork: fork && forked && forkJson(fork, forked) });
  else if (fork && forked) print(['', ...forkLines(fork, result, forked)]);
  else if (forkArgs) {
    const why =
      session.furthestStep < forkArgs.at
        ? `the run ended before step ${forkArgs.at}`
        : 'Ctrl-C stopped it before its first step';
    print(['', `There is no fork: ${why}.`]);
  }
  const kinds = [result, forked].map((each) => each?.outcome.kind);
  if (kinds.includes('interrupted') || terminal.interrupted()) return EXIT.interrupted;
  return kinds.includes('diverged') || result.failedCheck || weights?.error ? EXIT.failed : EXIT.success;
}

interface SavedWeights {
  readonly file: string;
  readonly step: number;
  /** Why there is no such file. */
  readonly error: string | null;
}

/** Does not reject: the result of the run would be lost. */
async function saveWeights(terminal: Terminal, session: TrainingSession, file: string): Promise<SavedWeights> {
  const { step } = session.position;
  if (!hasFiniteWeights(session)) return { file, step, error: 'Some are NaN or infinite.' };
  try {
    await writeFile(terminal, file, writeWeights(session));
    return { file, step, error: null };
  } catch (error) {
    return { file, step, error: error instanceof Error ? error.message : String(error) };
  }
}

const describeWeights = ({ file, step, error }: SavedWeights): Line =>
  error === null
    ? `Weights of step ${formatInteger(step)}: ${file}`
    : paint('red', `The weights of step ${formatInteger(step)} are not saved. ${error}`);

/** The run, with as many epochs as the call needs. */
function withEpochs(run: CompiledRun, { epochs, steps }: TrainArgs): CompiledRun {
  if (epochs !== null) return { ...run, epochs };
  if (steps === null) return run;
  return { ...run, epochs: Math.max(1, Math.ceil(steps / Math.ceil(run.split.train.length / run.batchSize))) };
}

/** @param runsChecks whether to check gradients during training if the spec says so */
async function trainAndEvaluate(
  terminal: Terminal,
  session: TrainingSession,
  target: number,
  runsChecks = true,
): Promise<TrainResult> {
  const { model } = session;
  const start = terminal.now();
  const history = new History();
  const progress = new ProgressBar(terminal);
  const interval = model.batchesPerEpoch * evaluationInterval(session.run);
  let nextObserved = nextObservedStep(session.position.step);
  const isObserved = (step: number): boolean => step === nextObserved || step === target;
  let failedCheck: CheckReport | null = null;
  evaluate(session, history);
  const outcome = await trainTo(
    terminal,
    session,
    target,
    () => {
      const { step } = session.position;
      if (session.loss !== null) history.add(seriesName.batchLoss, step, session.loss);
      if (step % interval === 0 || step === target) evaluate(session, history);
      if (isObserved(step)) {
        observeStep(session);
        nextObserved = nextObservedStep(step);
      }
      if (!runsChecks || model.checkEvery === 0 || step % model.checkEvery !== 0 || failedCheck) return undefined;
      return check(terminal, session).then((report) => {
        if (report.complete && !report.passed) failedCheck = report;
      });
    },
    () => progress.show(session.position.step / target, (room) => progressText(session, history, room)),
    isObserved,
  );
  progress.clear();
  // A diverged run is not evaluated: the result is its first non-finite value.
  const evaluation = outcome.kind === 'diverged' ? {} : evaluate(session, history);
  return { session, history, outcome, failedCheck, evaluation, milliseconds: terminal.now() - start };
}

/** Most runs check no gradients, so that code is imported late. */
const check = async (terminal: Terminal, session: TrainingSession): Promise<CheckReport> =>
  (await import('./check')).checkGradients(terminal, session);

function evaluate(session: TrainingSession, history: History): Evaluation {
  const evaluation = session.evaluate();
  for (const part of SPLIT_NAMES) {
    const values = evaluation[part];
    if (!values) continue;
    history.add(seriesName.loss(part), session.position.step, values.loss);
    if (values.accuracy !== null) history.add(seriesName.accuracy(part), session.position.step, values.accuracy);
    if (values.perplexity !== undefined)
      history.add(seriesName.perplexity(part), session.position.step, values.perplexity);
  }
  return evaluation;
}

function progressText(session: TrainingSession, history: History, room: number): string {
  const text = `epoch ${formatInteger(session.batchPosition.epoch)}  loss ${formatNumber(session.loss ?? NaN)}  `;
  return text + sparkline(batchLosses(history), Math.min(MAX_SPARKLINE_WIDTH, room - text.length));
}

/** The mean of each bucket. */
function batchLosses(history: History): number[] {
  const data = history.get(seriesName.batchLoss)?.data();
  return data ? Array.from(data.low, (low, i) => (low + data.high[i]!) / 2) : [];
}

function describe({ run, model, totalSteps }: TrainingSession, target: number): Line[] {
  const layers = [
    model.inputShape.join('×'),
    ...model.layers.map(({ kind, outputShape }) => (kind === 'linear' ? outputShape.join('×') : kind)),
  ];
  const samples = SPLIT_NAMES.filter((part) => model.samples[part] > 0).map(
    (part) => `${formatInteger(model.samples[part])} ${part}`,
  );
  return [
    `${run.name}: ${layers.join(' → ')}, ${formatObjective(model)}, ` +
      `${model.optimizer.kind} with lr ${run.optimizer.options.lr}, ${model.precision}, ${model.backend}`,
    `${pluralize(model.parameterCount, 'parameter')}; samples: ${samples.join(', ')}; ` +
      (target === totalSteps
        ? `${pluralize(model.epochs, 'epoch')} of ${pluralize(model.batchesPerEpoch, 'step')}`
        : pluralize(target, 'step')),
  ];
}

function toLines(
  terminal: Terminal,
  { session, history, outcome, failedCheck, evaluation, milliseconds }: TrainResult,
  target: number,
): Line[] {
  const { step } = session.position;
  const rate = milliseconds > 0 ? ` (${pluralize(Math.round((step * 1000) / milliseconds), 'step')} per second)` : '';
  const lines: Line[] = [''];
  if (terminal.out.isTTY && outcome.kind !== 'diverged' && step > 0) {
    lines.push(`loss ${sparkline(batchLosses(history), Math.min(MAX_SPARKLINE_WIDTH, terminal.out.columns - 6))}`, '');
  }
  const { largestClass } = session.model;
  const rows = SPLIT_NAMES.flatMap((part) => {
    const values = evaluation[part];
    if (!values) return [];
    const { loss, accuracy, perplexity } = values;
    const classes = largestClass
      ? [accuracy === null ? '·' : formatPercent(accuracy), formatPercent(largestClass[part])]
      : [];
    return [[part, formatNumber(loss), ...classes, ...(perplexity === undefined ? [] : [formatNumber(perplexity)])]];
  });
  if (rows.length > 0) {
    const [head, ...body] = formatTable(
      [
        'Split',
        'Loss',
        ...(largestClass ? ['Accuracy', 'Largest class'] : []),
        ...(rows[0]!.length > (largestClass ? 4 : 2) ? ['Perplexity'] : []),
      ],
      rows,
    );
    lines.push(paint('bold', head), ...body, '');
    const shares = SPLIT_NAMES.flatMap((part) =>
      lossShares(session.model, evaluation[part]?.losses)
        .filter(({ value }) => value !== null)
        .map(({ name, weight, value, share }) => [
          part,
          name,
          formatNumber(weight),
          formatNumber(value!),
          formatNumber(share!),
        ]),
    );
    if (shares.length > 0) {
      const [titles, ...parts] = formatTable(['Split', 'Loss', 'Weight', 'Value', 'Weighted'], shares, 2);
      lines.push(paint('bold', titles), ...parts, '');
    }
    if (session.model.penalty)
      lines.push('These losses exclude the penalty; the loss that is minimized includes it.', '');
  }
  lines.push(...findingLines(session));
  if (failedCheck)
    lines.push(paint('red', `Gradient check after step ${failedCheck.step}: ${formatConclusion(failedCheck)}`));
  if (outcome.kind === 'diverged') lines.push(paint('red', describeDivergence(outcome.nonFinite)));
  else if (target === 0) lines.push('Nothing was trained: these are the losses of the initial parameters.');
  else
    lines.push(
      (outcome.kind === 'interrupted' ? 'Stopped after ' : 'Trained ') +
        `${pluralize(step, 'step')} in ${formatDuration(milliseconds)}${rate}.`,
    );
  return lines;
}

interface SeriesJson {
  readonly stride: number;
  readonly steps: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** Its series begin at the step of the fork; before it, the series of the run apply. */
function forkJson({ args, original, session }: Fork, { history, outcome, evaluation, milliseconds }: TrainResult) {
  const series: Readonly<Record<string, SeriesJson>> = history.data();
  return {
    ...args,
    own: original,
    outcome: outcome.kind === 'completed' ? 'finished' : outcome.kind,
    diverged: outcome.kind === 'diverged' ? outcome.nonFinite : null,
    steps: session.position.step,
    milliseconds,
    hash: session.stateHash(),
    evaluation,
    series,
  };
}

function toJson(
  { file }: TrainArgs,
  { session, history, outcome, failedCheck, evaluation, milliseconds }: TrainResult,
  problems: readonly LocatedProblem[],
) {
  const { run, model, position } = session;
  const series: Readonly<Record<string, SeriesJson>> = history.data();
  const nonFinite: NonFinite | null = outcome.kind === 'diverged' ? outcome.nonFinite : null;
  return {
    command: 'train',
    file,
    name: run.name,
    problems,
    outcome: outcome.kind === 'completed' ? 'finished' : outcome.kind,
    diverged: nonFinite,
    findings: findingsJson(session),
    steps: position.step,
    epochs: position.step / model.batchesPerEpoch,
    milliseconds,
    parameters: model.parameterCount,
    samples: model.samples,
    largestClass: model.largestClass,
    backend: model.backend,
    hash: session.stateHash(),
    evaluation,
    failedCheck: failedCheck && {
      step: failedCheck.step,
      counts: failedCheck.counts,
      conclusion: formatConclusion(failedCheck),
    },
    series,
  };
}
