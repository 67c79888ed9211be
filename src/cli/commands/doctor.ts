// `nablascope doctor`: what keeps a network from learning, with the evidence and with fixes that were tried.
import { diagnose, type DoctorContext, DoctorCancelledError, hasFailed, repair } from '../../doctor';
import { describeChecks, doctorAdvice } from '../../presentation/doctor-report';
import { formatNumber, formatPercent } from '../../presentation/numbers';
import type { DoctorFinding, DoctorReport } from '../../protocol/doctor-report';
import { parseSpec } from '../../model-spec';
import { type CommandArgs, defineCommand } from '../command';
import { formatTable } from '../format';
import { printJson } from '../json';
import { loadParsed, readSpec, writeFile } from '../open-spec';
import { SpecError } from '../spec-error';
import { text as textOption } from '../options';
import { locateProblems } from '../problems';
import { ProgressBar, sparkline } from '../progress';
import { EXIT, type ExitCode, type Line, paint, printLines, type Terminal } from '../terminal';

const options = {
  fixed: textOption({
    placeholder: 'FILE',
    help: 'Also write the spec with the fixes that help, one after the other',
    example: 'fixed.nabla.json',
  }),
};

type DoctorArgs = CommandArgs<typeof options>;

export const doctorCommand = defineCommand({
  description: [
    'Looks at the data, compares the first loss with that of a constant prediction, overfits a small batch, checks ' +
      'the gradients, tests learning rates and trains for a while. Lists the findings, what matters most first.',
    'Every fix is tried in a short training of its own. A fix that does not help is not suggested.',
  ],
  options,
  run: doctor,
});

async function doctor(terminal: Terminal, args: DoctorArgs): Promise<ExitCode> {
  const { text, parsed, folders } = readSpec(terminal, args);
  const load = (variant: string) => loadParsed(terminal, args, parseSpec(variant), folders);
  const { run, spec, problems } = await loadParsed(terminal, args, parsed, folders);
  const located = locateProblems(args.file, text, problems);
  if (!run || !spec) throw new SpecError(located);
  const progress = new ProgressBar(terminal);
  const context: DoctorContext = {
    isCancelled: terminal.interrupted,
    yieldToEventLoop: terminal.pause,
    now: terminal.now,
    onProgress: (stage, share) => progress.show(share, () => stage),
  };
  const print = (results: Partial<DoctorReport>, more: object): void => {
    progress.clear();
    const { file, json } = args;
    if (json) printJson(terminal, { command: 'doctor', file, name: run.name, problems: located, ...results, ...more });
    else printLines(terminal, terminal.out, toLines(run.name, results, args, text));
  };
  try {
    const runnable = { run, spec, problems };
    const { report, fixes, fixedText } =
      args.fixed === null
        ? { report: await diagnose(text, runnable, load, context), fixes: [], fixedText: text }
        : await repair(text, runnable, load, context);
    if (args.fixed !== null && fixes.length > 0) await writeFile(terminal, args.fixed, fixedText);
    print(report, args.fixed === null ? {} : { fixes });
    if (!args.json && fixes.length > 0)
      printLines(terminal, terminal.out, [
        '',
        `Wrote ${args.fixed ?? ''}: ${fixes.map(({ title }) => title).join('; ')}.`,
      ]);
    return hasFailed(report) ? EXIT.failed : EXIT.success;
  } catch (error) {
    if (!(error instanceof DoctorCancelledError)) throw error;
    print(error.results, { complete: false });
    if (!args.json) printLines(terminal, terminal.err, ['Stopped before the diagnosis was complete.']);
    return EXIT.interrupted;
  }
}

/** @param report without the results of checks that Ctrl-C prevented */
function toLines(name: string, report: Partial<DoctorReport>, { file }: DoctorArgs, text: string): Line[] {
  const { depth = [], rangeTest, findings } = report;
  const rows = describeChecks(report).map(({ id, title, result }): [string, string] => [
    title,
    id === 'rangeTest' && rangeTest ? `${sparkline(rangeTest.losses, 40)} from ${result}` : result,
  ]);
  const number = (value: number | null): string => (value === null ? '·' : formatNumber(value));
  const [head, ...body] = formatTable(
    ['Layer', 'Output std', 'Gradient norm', 'Idle', 'Update ratio'],
    depth.map(({ layer, outputStd, outputGradientNorm, idle, updateRatio }) => [
      layer,
      number(outputStd),
      number(outputGradientNorm),
      idle === null ? '·' : formatPercent(idle),
      number(updateRatio),
    ]),
  );
  const width = Math.max(...rows.map(([label]) => label.length));
  return [
    paint('bold', name),
    ...rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`),
    ...(depth.length > 0 ? ['', paint('bold', head), ...body] : []),
    ...(findings ? ['', paint('bold', findings.length > 0 ? 'Findings' : 'No findings')] : []),
    ...(findings ?? []).map((finding, i) => `${i + 1}. ${describeFinding(finding, file, text)}`),
  ];
}

function describeFinding(finding: DoctorFinding, file: string, text: string): string {
  const { code, message, range, since, fix, effect } = finding;
  const [place] = range
    ? locateProblems(file, text, [{ ...range, code, message, severity: 'warning', remedy: '' }])
    : [];
  const where = place ? `line ${place.line}: ` : since === null ? '' : `since step ${since}: `;
  return `${where}${message} ${doctorAdvice(finding)}${fix && effect ? ` Tried "${fix.title}": ${effect}` : ''} [${code}]`;
}
