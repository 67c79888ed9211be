// `nablascope check`: every gradient at one step, as a table by parameter and one plain sentence.
import fs from 'node:fs';
import path from 'node:path';
import { type CheckReport, type Comparison, GradientCheck, type ParameterCheck } from '../../gradcheck';
import type { TrainingSession } from '../../session/session';
import { type Call, CallError } from '../arguments';
import { divergence, reachStep, requireStep } from '../reach';
import { chosen, counted, grouped, indexText, shapeText, short, table, tiny } from '../format';
import { jsonText } from '../json';
import { junitOf, junitOfProblems } from '../junit';
import { openSpec, SpecError } from '../open';
import { Progress } from '../progress';
import { EXIT, type ExitCode, paint, type Style, type Terminal } from '../terminal';

type CheckCall = Extract<Call, { command: 'check' }>;

const SLICE_MS = 40;
const CHUNK = 16;

export async function check(terminal: Terminal, call: CheckCall): Promise<ExitCode> {
  const write = (xml: string): void => writeJunit(terminal, call.junit, xml);
  try {
    return await checked(terminal, call, write);
  } catch (error) {
    if (error instanceof SpecError) write(junitOfProblems(call.file, error.problems));
    throw error;
  }
}

async function checked(terminal: Terminal, call: CheckCall, write: (xml: string) => void): Promise<ExitCode> {
  const start = terminal.now();
  const { session, warnings } = await openSpec(terminal, call);
  requireStep(session, call.step);
  const reached = await reachStep(terminal, session, call.step);
  if (reached.kind === 'interrupted') return EXIT.interrupted;
  if (reached.kind === 'diverged') {
    const text = divergence(reached.nonFinite);
    write(junitOfProblems(call.file, text));
    if (call.json) terminal.out.write(jsonText({ command: 'check', file: call.file, problems: warnings, diverged: reached.nonFinite }));
    else terminal.err.write(`${text}\n`);
    return EXIT.failed;
  }
  const report = await checkGradients(terminal, session);
  if (call.json) terminal.out.write(jsonText(toJson(call, session, report, warnings)));
  else terminal.out.write(toText(terminal, session, report));
  if (!report.complete) return EXIT.interrupted;
  write(junitOf(call.file, report, (terminal.now() - start) / 1000));
  return report.passed ? EXIT.good : EXIT.failed;
}

function writeJunit({ cwd }: Terminal, file: string | null, xml: string): void {
  if (file === null) return;
  try {
    fs.writeFileSync(path.resolve(cwd, file), xml);
  } catch (error) {
    throw new CallError(`The JUnit file cannot be written: ${error instanceof Error ? error.message : String(error)}.`, 'Check the folder that --junit names.');
  }
}

/** Checks at the session's position; incomplete when interrupted. */
export async function checkGradients(terminal: Terminal, session: TrainingSession): Promise<CheckReport> {
  const progress = new Progress(terminal);
  const gradientCheck = new GradientCheck({
    network: session.network,
    pass: session.passToCheck(),
    step: session.position.step,
    options: session.run.gradientCheck,
  });
  const { entries } = gradientCheck;
  let more = true;
  while (more && !terminal.interrupted()) {
    const end = terminal.now() + SLICE_MS;
    do more = gradientCheck.advance(CHUNK);
    while (more && terminal.now() < end);
    progress.show(gradientCheck.checked / entries, () => `${grouped(gradientCheck.checked)} of ${counted(entries, 'gradient')} checked`);
    await terminal.pause();
  }
  progress.clear();
  return gradientCheck.report();
}

function toText(terminal: Terminal, session: TrainingSession, report: CheckReport): string {
  const { run } = session;
  const { step, rtol, atol } = report.options;
  const rows = report.parameters.map((parameter) => [
    parameter.name, shapeText(parameter.shape), grouped(parameter.entries), grouped(parameter.checked),
    ...(['pass', 'wrong', 'kink', 'below_noise'] as const).map((verdict) => (parameter.counts[verdict] === 0 ? '·' : grouped(parameter.counts[verdict]))),
    worstText(parameter), parameter.checked === 0 ? 'not checked' : verdictText(parameter),
  ]);
  const head = ['Parameter', 'Shape', 'Entries', 'Checked', 'Pass', 'Wrong', 'Kink', 'Below noise', 'Worst relative error', 'Verdict'];
  const [titles, ...lines] = table(head, rows, 2);
  return [
    `${run.name}: step ${report.step}, ${counted(report.samples, 'sample')}, loss ${short(report.loss)}`,
    `central differences in float64, step ${chosen(step)} · max(1, |w|), rtol ${chosen(rtol)}, atol ${chosen(atol)}`,
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

/** What came of it, in one sentence. */
export function conclusion({ checked, complete, counts, entries, loss, parameters, passed }: CheckReport): string {
  const stopped = complete ? '' : `Stopped after ${grouped(checked)} of ${counted(entries, 'entry', 'entries')}. `;
  if (counts.wrong > 0) {
    const wrong = parameters.filter(({ verdict }) => verdict === 'wrong');
    const { name, worst } = wrong.reduce((a, b) => ((b.worst?.relativeError ?? 0) > (a.worst?.relativeError ?? 0) ? b : a));
    const where = `worst at ${name} ${indexText(worst?.index ?? [])}: backprop says ${short(worst?.analytic ?? NaN)}, the numeric derivative is ${short(worst?.numeric ?? NaN)}`;
    return `${stopped}Backprop is wrong at ${grouped(counts.wrong)} of ${counted(checked, 'entry', 'entries')}, ${where}.`;
  }
  if (!Number.isFinite(loss)) return `${stopped}The loss is ${loss}, so there is no derivative to compare with.`;
  if (!passed) {
    return checked === 0
      ? `${stopped}Nothing was checked.`
      : `${stopped}No entry could be told: ${untold(counts)}. That is not a pass.`;
  }
  const rest = untold(counts);
  const all = rest === '' ? 'all ' : '';
  const of = rest === '' ? counted(checked, 'entry', 'entries') : `${grouped(counts.pass)} of ${counted(checked, 'entry', 'entries')}`;
  return `${stopped}Backprop agrees with numeric derivatives at ${all}${of}${rest === '' ? '' : `; ${rest}`}.`;
}

function comparison({ entries, largestDifference, agreed }: Comparison): string {
  const both = `${counted(entries, 'entry', 'entries')} evaluated with shortcuts and without`;
  return agreed
    ? `${both}: at most ${tiny(largestDifference)} apart.`
    : `${both}: ${tiny(largestDifference)} apart. A layer reaches further than it declares, so no shortcut was taken.`;
}

function untold({ kink, below_noise }: CheckReport['counts']): string {
  return [
    ...(below_noise > 0 ? [`${grouped(below_noise)} ${below_noise === 1 ? 'is' : 'are'} smaller than round-off can resolve`] : []),
    ...(kink > 0 ? [`${grouped(kink)} ${kink === 1 ? 'lies' : 'lie'} on a kink`] : []),
  ].join(', ');
}

function toJson({ file }: CheckCall, { run }: TrainingSession, report: CheckReport, problems: readonly unknown[]) {
  const { points: _points, options, ...rest } = report;
  return { command: 'check', file, name: run.name, problems, ...rest, options };
}
