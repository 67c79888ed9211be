// `nablascope report`: trains, and writes one step of the run as one HTML file.

import type { ProbeId } from '../../protocol/layer-stats';
import path from 'node:path';
import { formatConclusion } from '../../presentation/check-summary';
import { pluralize } from '../../presentation/plain-numbers';
import { History } from '../../history/history';
import { reportHtml } from '../../report/report-html';
import { nextObservedStep } from '../../diagnostics';
import { observeStep } from '../../session/observe-step';
import { makeFrame, recordLayerStats } from '../../session/make-frame';
import { RoundRobin } from '../../session/round-robin';
import { type CommandArgs, defineCommand, type ProgramInfo, stepOption } from '../command';
import { findingsJson } from '../findings';
import { printJson } from '../json';
import { openSpec, writeFile } from '../open-spec';
import { flag, requiredText } from '../options';
import { ProgressBar } from '../progress';
import { EXIT, type ExitCode, printLines, type Terminal } from '../terminal';
import { describeDivergence, requireStep, trainTo } from '../train-to';
import { checkGradients } from './check';

const options = {
  out: requiredText({ placeholder: 'FILE', help: 'The file to write; replaced if it exists', example: 'report.html' }),
  step: stepOption(0, 'Stop after K steps (default: the whole run)'),
  check: flag({ help: 'Also check every gradient at the last step' }),
};

type ReportArgs = CommandArgs<typeof options>;

export const reportCommand = defineCommand({
  description: [
    'Trains, and writes one HTML file without scripts: the spec, the state of the run, curves of losses, ' +
      'gradients and updates, and the outputs, gradients and updates of every layer at the last step.',
  ],
  options,
  run: report,
});

const PROBES: ReadonlySet<ProbeId> = new Set(['activations', 'gradients', 'updates']);
/** Layers are measured at about this many steps; a chart cannot show more. */
const MAX_MEASURED_STEPS = 600;

async function report(terminal: Terminal, args: ReportArgs, { version }: ProgramInfo): Promise<ExitCode> {
  const { session, warnings } = await openSpec(terminal, args);
  const target = args.step ?? session.totalSteps;
  requireStep(session, target);
  const history = new History();
  const drainHistory = (): void => {
    history.merge(session.pendingHistory.data());
    session.pendingHistory.clear();
  };
  session.evaluate();
  const stride = Math.max(1, Math.ceil(target / MAX_MEASURED_STEPS));
  const shouldMeasure = (step: number): boolean =>
    step % stride === 0 || step === nextObservedStep(step - 1) || step === target;
  const progress = new ProgressBar(terminal);
  const outcome = await trainTo(
    terminal,
    session,
    target,
    () => {
      if (!shouldMeasure(session.position.step)) return undefined;
      recordLayerStats(session, PROBES);
      observeStep(session);
      drainHistory();
      return undefined;
    },
    () => progress.show(session.position.step / target, () => `step ${session.position.step} of ${target}`),
    shouldMeasure,
  );
  progress.clear();
  const diverged = outcome.kind === 'diverged';
  if (!diverged) session.evaluate();
  const check = args.check && outcome.kind === 'completed' ? await checkGradients(terminal, session) : null;
  const frame = makeFrame(session, {
    sequence: 0,
    status: diverged ? 'diverged' : session.position.step === session.totalSteps ? 'finished' : 'paused',
    target: null,
    probes: PROBES,
    views: new RoundRobin(() => 0),
    allViews: true,
    nonFinite: diverged ? outcome.nonFinite : null,
    truncatedTo: null,
    stepsPerSecond: null,
  });
  history.merge(frame.history);
  drainHistory();
  const html = reportHtml({
    file: path.basename(args.file),
    text: session.text,
    version,
    model: session.model,
    frame,
    layerStats: frame.layers,
    history: history.data(),
    check,
    findings: warnings,
  });
  await writeFile(terminal, args.out, html);
  const { step } = session.position;
  if (args.json) {
    printJson(terminal, {
      command: 'report',
      file: args.file,
      name: session.run.name,
      problems: warnings,
      out: args.out,
      steps: step,
      diverged: frame.nonFinite,
      findings: findingsJson(session),
      passed: check?.passed ?? null,
    });
  } else {
    if (diverged) printLines(terminal, terminal.err, [describeDivergence(outcome.nonFinite)]);
    const verdict = check ? ` ${formatConclusion(check)}` : '';
    printLines(terminal, terminal.out, [`Wrote ${args.out}: the run after ${pluralize(step, 'step')}.${verdict}`]);
  }
  if (outcome.kind === 'interrupted') return EXIT.interrupted;
  return diverged || (check && !check.passed) ? EXIT.failed : EXIT.success;
}
