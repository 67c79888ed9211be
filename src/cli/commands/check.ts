// `nablascope check`: every gradient at one step, as a table by parameter and one plain sentence.
import path from 'node:path';
import { LayerFault } from '../../engine/custom/fault';
import { type CheckProgress, type CheckReport, type Comparison, GradientCheck, type ParameterCheck } from '../../gradcheck';
import { casesOf } from '../../gradcheck/cases';
import { conclusion } from '../../gradcheck/conclusion';
import { counted, grouped, indexText, short, tiny } from '../../gradcheck/words';
import type { TrainingSession } from '../../session/session';
import { parseSpec } from '../../spec';
import { type Call, CallError } from '../arguments';
import { divergence, reachStep, requireStep } from '../reach';
import { chosen, shapeText, table } from '../format';
import { jsonText } from '../json';
import { type JUnitCase, junitText } from '../junit';
import { openSpec, SpecError, writeFile } from '../open';
import { Progress } from '../progress';
import { EXIT, type ExitCode, paint, type Style, type Terminal } from '../terminal';

type CheckCall = Extract<Call, { command: 'check' }>;

const SLICE_MS = 40;
// Interrupted with something wrong found, it says why if that takes no longer.
const WHY_MS = 100;

/** Stopped before there was anything to report. */
const STOPPED: JUnitCase['message'] = 'Stopped by Ctrl-C before the gradients were checked.';

export async function check(terminal: Terminal, call: CheckCall): Promise<ExitCode> {
  const began = terminal.now();
  const keep = (cases: readonly JUnitCase[]): void => {
    if (call.junit === null) return;
    writeFile(terminal, call.junit, junitText({ file: call.file, seconds: (terminal.now() - began) / 1000, cases }));
  };
  const error = (message: string, type: string): JUnitCase => ({ className: titleOf(call), name: 'check', outcome: 'error', message, type });
  try {
    const { session, warnings } = await openSpec(terminal, call);
    requireStep(session, call.step);
    const reached = await reachStep(terminal, session, call.step);
    if (reached.kind === 'interrupted') {
      keep([error(STOPPED, 'interrupted')]);
      return EXIT.interrupted;
    }
    if (reached.kind === 'diverged') {
      const text = divergence(reached.nonFinite);
      keep([error(text, 'diverged')]);
      if (call.json) terminal.out.write(jsonText({ command: 'check', file: call.file, problems: warnings, diverged: reached.nonFinite }));
      else terminal.err.write(`${text}\n`);
      return EXIT.failed;
    }
    const report = await checkGradients(terminal, session);
    const cases = toCases(call, session, report);
    // Not one gradient could be told: no case failed, and yet it is no pass.
    const untold = report.complete && !report.passed && report.counts.wrong === 0;
    keep(untold ? [...cases, error(conclusion(report), 'untold')] : cases);
    if (call.json) terminal.out.write(jsonText(toJson(call, session, report, warnings)));
    else terminal.out.write(toText(terminal, session, report));
    if (!report.complete) return EXIT.interrupted;
    return report.passed ? EXIT.good : EXIT.failed;
  } catch (thrown) {
    if (thrown instanceof SpecError) keep([error(thrown.message, 'spec')]);
    else if (thrown instanceof LayerFault) keep([error(`${thrown.message}${thrown.fault.stack ? `\n${thrown.fault.stack}` : ''}`, 'layer')]);
    else if (thrown instanceof CallError) keep([error(`${thrown.message} ${thrown.remedy}`, 'call')]);
    throw thrown;
  }
}

/** `circles` of `models/circles.nabla.json`. */
const titleOf = ({ file }: CheckCall): string => path.basename(file).replace(/(\.nabla)?\.json$/, '');

/** Every gradient as a case, at its layer's line. */
function toCases(call: CheckCall, session: TrainingSession, report: CheckReport): JUnitCase[] {
  const { layers } = session.model;
  const { spec } = parseSpec(session.text);
  return casesOf(report, layers).map(({ layer, tensor, outcome, message }) => {
    const range = layer === null ? spec?.loss.range : spec?.layers[layer].range;
    const line = range && session.text.slice(0, range.start).split(/\r\n|\r|\n/).length;
    const where = layer === null ? 'loss' : layers[layer].name;
    return { className: `${titleOf(call)}.${where}`, name: tensor, line, outcome, message, type: 'wrong-gradient' };
  });
}

/** Checks at the session's position; incomplete when interrupted. */
export async function checkGradients(terminal: Terminal, session: TrainingSession): Promise<CheckReport> {
  const progress = new Progress(terminal);
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
    do more = gradientCheck.advance(gradientCheck.atOnce);
    while (more && terminal.now() < end);
    progress.show(gradientCheck.checked / entries, () => progressText(gradientCheck.progress()));
    await terminal.pause();
  }
  if (more && gradientCheck.progress().counts.wrong > 0) for (const end = terminal.now() + WHY_MS; terminal.now() < end && gradientCheck.explain(););
  progress.clear();
  return gradientCheck.report();
}

function progressText({ checked, entries, counts, explaining }: CheckProgress): string {
  const wrong = counts.wrong > 0 ? `, ${grouped(counts.wrong)} wrong` : '';
  return `${grouped(checked)} of ${counted(entries, 'gradient')} checked${wrong}${explaining ? '; trying each layer alone' : ''}`;
}

function toText(terminal: Terminal, session: TrainingSession, report: CheckReport): string {
  const { run, model } = session;
  const { step, rtol, atol } = report.options;
  const rows = report.parameters.map((parameter) => [
    parameter.name, shapeText(parameter.shape), grouped(parameter.entries), grouped(parameter.checked),
    ...(['pass', 'wrong', 'kink', 'below_noise'] as const).map((verdict) => (parameter.counts[verdict] === 0 ? '·' : grouped(parameter.counts[verdict]))),
    worstText(parameter), parameter.checked === 0 ? 'not checked' : verdictText(parameter),
  ]);
  const head = ['Parameter', 'Shape', 'Entries', 'Checked', 'Pass', 'Wrong', 'Kink', 'Below noise', 'Worst relative error', 'Verdict'];
  const [titles, ...lines] = table(head, rows, 2);
  return [
    `${run.name}: step ${report.step}, ${counted(report.samples, 'sample')}, ${report.mode ? `layers in ${report.mode} mode, ` : ''}loss ${short(report.loss)}`,
    `central differences in float64, ${model.backend}, step ${chosen(step)} · max(1, |w|), rtol ${chosen(rtol)}, atol ${chosen(atol)}`,
    '',
    paint(terminal, 'bold', titles),
    ...lines.map((line, i) => paintLast(terminal, line, report.parameters[i])),
    '',
    paint(terminal, report.passed ? 'green' : 'red', conclusion(report)),
    ...penaltyLines(report),
    ...layerLines(report),
    ...(report.diagnosis ? [`Why: ${report.diagnosis.sentence}`] : []),
    ...(report.autograd ?? []).flatMap(({ sentence }) => sentence ?? []),
    ...(report.compared.entries > 0 ? [paint(terminal, 'dim', comparison(report.compared))] : []),
    '',
  ].join('\n');
}

function penaltyLines({ withoutPenalty }: CheckReport): string[] {
  if (!withoutPenalty) return [];
  const { counts, complete } = withoutPenalty;
  if (!complete) return ['Without the penalty: not all checked.'];
  return [counts.wrong > 0 ? `Without the penalty, ${counted(counts.wrong, 'entry is', 'entries are')} wrong.` : 'Without the penalty none is wrong.'];
}

/** What layers do by themselves; nothing where all of them are right. */
function layerLines({ layers }: CheckReport): string[] {
  return layers.flatMap(({ name, tensors }) => {
    const wrong = tensors.filter(({ verdict }) => verdict === 'wrong').map((tensor) => tensor.name);
    return wrong.length > 0 ? [`Alone, ${name ?? 'the loss'} gives a wrong gradient of ${wrong.join(', ')}.`] : [];
  });
}

const verdictText = ({ verdict }: ParameterCheck): string => verdict.replace('_', ' ');

const worstText = ({ worst }: ParameterCheck): string =>
  worst ? `${tiny(worst.relativeError)} at ${indexText(worst.index)}` : '·';

function paintLast(terminal: Terminal, line: string, { verdict, checked }: ParameterCheck): string {
  const styles: Readonly<Record<ParameterCheck['verdict'], Style>> = { pass: 'green', wrong: 'red', kink: 'yellow', below_noise: 'dim' };
  const text = checked === 0 ? 'not checked' : verdict.replace('_', ' ');
  return line.endsWith(text) ? line.slice(0, -text.length) + paint(terminal, styles[verdict], text) : line;
}

function comparison({ entries, largestDifference, agreed }: Comparison): string {
  const both = `${counted(entries, 'entry', 'entries')} evaluated with shortcuts and without`;
  return agreed
    ? `${both}: at most ${tiny(largestDifference)} apart.`
    : `${both}: ${tiny(largestDifference)} apart. A layer reaches further than it declares, so no shortcut was taken.`;
}

function toJson({ file }: CheckCall, { run, model }: TrainingSession, report: CheckReport, problems: readonly unknown[]) {
  const { points: _points, options, ...rest } = report;
  return { command: 'check', file, name: run.name, problems, backend: model.backend, ...rest, options };
}
