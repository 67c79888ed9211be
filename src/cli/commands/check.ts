// `nablascope check`: every gradient at one step, as a table of parameters and one conclusion.
import {
  type CheckProgress,
  type CheckReport,
  type Comparison,
  PENALTY_NAME,
  type ParameterCheck,
} from '../../protocol/check-report';
import path from 'node:path';
import { CustomLayerError } from '../../engine/custom/custom-layer-error';
import { GradientCheck } from '../../gradcheck';
import { buildCheckCases, PENALTY_CASE } from '../../presentation/check-cases';
import { formatConclusion } from '../../presentation/check-summary';
import { verdictLabel } from '../../presentation/verdicts';
import {
  pluralize,
  formatInteger,
  formatIndex,
  formatNumber,
  formatExponential,
} from '../../presentation/plain-numbers';
import type { TrainingSession } from '../../session/session';
import { type CommandArgs, defineCommand, stepOption } from '../command';
import { formatShortest, shapeText, formatTable } from '../format';
import { printJson } from '../json';
import { type JUnitCase, toJUnitXml } from '../junit';
import { openSpec, writeFile } from '../open-spec';
import { SpecError } from '../spec-error';
import { text } from '../options';
import { ProgressBar } from '../progress';
import { EXIT, type ExitCode, type Line, paint, printLines, type Style, type Terminal } from '../terminal';
import { describeDivergence, reachStep, requireStep, stoppedEarly } from '../train-to';
import { UsageError } from '../usage-error';

const options = {
  step: stepOption(
    0,
    'Train K steps first and check the next batch (default 0: the initial network on the first batch)',
  ),
  junit: text({
    placeholder: 'FILE',
    help: 'Also write the result as JUnit XML, one case per gradient',
    example: 'check.xml',
  }),
};

type CheckArgs = CommandArgs<typeof options>;

export const checkCommand = defineCommand({
  description: [
    'Compares the gradient of every parameter entry from backpropagation with a central difference of the loss, ' +
      'in float64, on one batch. An entry passes, is wrong, lies on a kink, or is below the noise of round-off.',
    'The "gradient_check" section of the spec sets the difference step and the tolerances.',
  ],
  options,
  run: check,
});

const SLICE_MS = 40;
/** Time for the diagnosis of a wrong gradient after Ctrl-C. */
const DIAGNOSIS_MS = 40;

const INTERRUPTED_MESSAGE: JUnitCase['message'] = 'Stopped by Ctrl-C before the gradients were checked.';

async function check(terminal: Terminal, args: CheckArgs): Promise<ExitCode> {
  const start = terminal.now();
  const writeJUnit = async (cases: readonly JUnitCase[]): Promise<void> => {
    if (args.junit === null) return;
    await writeFile(
      terminal,
      args.junit,
      toJUnitXml({ file: args.file, seconds: (terminal.now() - start) / 1000, cases }),
    );
  };
  const error = (message: string, type: string): JUnitCase => ({
    className: specTitle(args),
    name: 'check',
    outcome: 'error',
    message,
    type,
  });
  try {
    const { session, warnings } = await openSpec(terminal, args);
    const step = args.step ?? 0;
    requireStep(session, step);
    const reached = await reachStep(terminal, session, step);
    if (reached.kind === 'interrupted') {
      await writeJUnit([error(INTERRUPTED_MESSAGE, 'interrupted')]);
      return stoppedEarly(terminal, args, 'check', session, step, warnings);
    }
    if (reached.kind === 'diverged') {
      const message = describeDivergence(reached.nonFinite);
      await writeJUnit([error(message, 'diverged')]);
      if (args.json)
        printJson(terminal, {
          command: 'check',
          file: args.file,
          name: session.run.name,
          problems: warnings,
          diverged: reached.nonFinite,
        });
      else printLines(terminal, terminal.err, [message]);
      return EXIT.failed;
    }
    const report = await checkGradients(terminal, session);
    const cases = toJUnitCases(args, session, report);
    // Without one conclusive gradient no case failed, but the check did not pass either.
    const inconclusive = report.complete && !report.passed && cases.every(({ outcome }) => outcome !== 'failed');
    await writeJUnit(inconclusive ? [...cases, error(formatConclusion(report), 'inconclusive')] : cases);
    if (args.json) printJson(terminal, toJson(args, session, report, warnings));
    else printLines(terminal, terminal.out, toLines(session, report));
    if (!report.complete) return EXIT.interrupted;
    return report.passed ? EXIT.success : EXIT.failed;
  } catch (thrown) {
    if (thrown instanceof SpecError) await writeJUnit([error(thrown.message, 'spec')]);
    else if (thrown instanceof CustomLayerError)
      await writeJUnit([error(`${thrown.message}${thrown.details.stack ? `\n${thrown.details.stack}` : ''}`, 'layer')]);
    else if (thrown instanceof UsageError) await writeJUnit([error(`${thrown.message} ${thrown.remedy}`, 'call')]);
    throw thrown;
  }
}

/** `circles` of `models/circles.nabla.json`. */
const specTitle = ({ file }: CheckArgs): string => path.basename(file).replace(/(\.nabla)?\.json$/, '');

/** One case per gradient, at the line of its layer. */
function toJUnitCases(args: CheckArgs, session: TrainingSession, report: CheckReport): JUnitCase[] {
  const { model } = session.run;
  const { custom } = model.penalty ?? {};
  const isPenalty = (tensor: string): boolean => custom !== undefined && tensor === PENALTY_CASE;
  return buildCheckCases(report, session.model.layers, custom !== undefined).map((found) => {
    const { layer, tensor, outcome, message } = found;
    const place = layer !== null ? model.layers[layer] : isPenalty(tensor) ? custom : model.loss;
    const where = layer !== null ? model.layers[layer]!.name : isPenalty(tensor) ? 'penalty' : 'loss';
    const line = place?.line;
    return { className: `${specTitle(args)}.${where}`, name: tensor, line, outcome, message, type: 'wrong-gradient' };
  });
}

/** Checks at the session's position; the report is incomplete after Ctrl-C. */
export async function checkGradients(terminal: Terminal, session: TrainingSession): Promise<CheckReport> {
  const progress = new ProgressBar(terminal);
  const gradientCheck = new GradientCheck({
    network: session.network,
    pass: session.passToCheck(),
    step: session.position.step,
    options: session.run.gradientCheck,
    kernels: session.kernelOptions,
  });
  const { entries } = gradientCheck;
  let more = true;
  while (more && !terminal.interrupted()) {
    const end = terminal.now() + SLICE_MS;
    do more = gradientCheck.advance(gradientCheck.preferredChunk);
    while (more && terminal.now() < end);
    progress.show(gradientCheck.checked / entries, () => progressText(gradientCheck.progress()));
    await terminal.pause();
  }
  if (more && gradientCheck.progress().counts.wrong > 0)
    for (const end = terminal.now() + DIAGNOSIS_MS; terminal.now() < end && gradientCheck.advanceDiagnosis(););
  progress.clear();
  return gradientCheck.report();
}

function progressText({ checked, entries, counts, diagnosing }: CheckProgress): string {
  const wrong = counts.wrong > 0 ? `, ${formatInteger(counts.wrong)} wrong` : '';
  const next = diagnosing ? '; checking each layer in isolation' : '';
  return `${formatInteger(checked)} of ${pluralize(entries, 'gradient')} checked${wrong}${next}`;
}

function toLines(session: TrainingSession, report: CheckReport): Line[] {
  const { run, model } = session;
  const { step, rtol, atol } = report.options;
  const mode = report.mode ? `layers in ${report.mode} mode, ` : '';
  const rows = report.parameters.map((parameter) => [
    parameter.name,
    shapeText(parameter.shape),
    formatInteger(parameter.entries),
    formatInteger(parameter.checked),
    ...(['pass', 'wrong', 'kink', 'below_noise'] as const).map((verdict) =>
      parameter.counts[verdict] === 0 ? '·' : formatInteger(parameter.counts[verdict]),
    ),
    worstText(parameter),
    verdictLabel(parameter),
  ]);
  const head = [
    'Parameter',
    'Shape',
    'Entries',
    'Checked',
    'Pass',
    'Wrong',
    'Kink',
    'Below noise',
    'Worst relative error',
    'Verdict',
  ];
  const [titles, ...lines] = formatTable(head, rows, 2);
  return [
    `${run.name}: step ${report.step}, ${pluralize(report.samples, 'sample')}, ${mode}loss ${formatNumber(report.loss)}`,
    `central differences in float64, ${model.backend}, ` +
      `step ${formatShortest(step)} · max(1, |w|), rtol ${formatShortest(rtol)}, atol ${formatShortest(atol)}`,
    '',
    paint('bold', titles),
    ...lines.map((line, i) => paintVerdict(line, report.parameters[i]!)),
    '',
    paint(report.passed ? 'green' : 'red', formatConclusion(report)),
    ...penaltyLines(report),
    ...layerLines(report),
    ...(report.diagnosis ? [`Why: ${report.diagnosis.sentence}`] : []),
    ...(report.autograd ?? []).flatMap(({ sentence }) => sentence ?? []),
    ...(report.compared.entries > 0 ? [paint('dim', comparisonText(report.compared))] : []),
  ];
}

function penaltyLines({ withoutPenalty }: CheckReport): string[] {
  if (!withoutPenalty) return [];
  const { counts, complete } = withoutPenalty;
  if (!complete) return ['Without the penalty, not every entry was checked.'];
  return [
    counts.wrong > 0
      ? `Without the penalty, ${pluralize(counts.wrong, 'entry is', 'entries are')} wrong.`
      : 'Without the penalty, no entry is wrong.',
  ];
}

/** What is noteworthy about layers in isolation. */
function layerLines({ layers }: CheckReport): string[] {
  return layers.flatMap(({ name, tensors, probe, precision, surrogate }) => {
    const layer = name ?? 'the loss';
    const numbers = name === null ? 'outputs.data' : name === PENALTY_NAME ? 'the parameters' : 'x.data';
    const wrong = tensors.filter(({ verdict }) => verdict === 'wrong').map((tensor) => tensor.name);
    const inputs = probe === undefined ? '' : ` for inputs ${probe}`;
    return [
      ...(wrong.length > 0
        ? [`In isolation, ${layer} computes a wrong gradient of ${wrong.join(', ')}${inputs}.`]
        : []),
      ...(precision
        ? [
            `The forward pass of ${layer} computes in single precision, so it is checked with a tolerance of 1 %. ` +
              `For an exact check, allocate results with the type of ${numbers} or with ops.tensor, without Float32Array and Math.fround.`,
          ]
        : []),
      ...(surrogate === undefined
        ? []
        : [`${layer} differs from its derivative on purpose (${surrogate}): it is compared with its surrogate.`]),
    ];
  });
}

const worstText = ({ worst }: ParameterCheck): string =>
  worst ? `${formatExponential(worst.relativeError)} at ${formatIndex(worst.index)}` : '·';

function paintVerdict(line: string, parameter: ParameterCheck): Line {
  const styles: Readonly<Record<ParameterCheck['verdict'], Style>> = {
    pass: 'green',
    wrong: 'red',
    kink: 'yellow',
    below_noise: 'dim',
  };
  const label = verdictLabel(parameter);
  return line.endsWith(label) ? [line.slice(0, -label.length), paint(styles[parameter.verdict], label)] : line;
}

function comparisonText({ entries, largestDifference, agreed }: Comparison): string {
  const difference = formatExponential(largestDifference);
  const both = `${pluralize(entries, 'entry', 'entries')} computed both with and without shortcuts`;
  return agreed
    ? `${both}: difference at most ${difference}.`
    : `${both}: difference ${difference}. A layer reaches further than it declares, so no shortcut was used.`;
}

function toJson(
  { file }: CheckArgs,
  { run, model }: TrainingSession,
  report: CheckReport,
  problems: readonly unknown[],
) {
  const { points: _points, options, ...rest } = report;
  return { command: 'check', file, name: run.name, problems, backend: model.backend, ...rest, options };
}
