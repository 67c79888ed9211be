// `nablascope report`: trains, and writes a step of the run as one HTML file.
import path from 'node:path';
import { counted } from '../../gradcheck/words';
import { History } from '../../history/history';
import { reportHtml } from '../../report/report';
import { makeFrame, sampleReadings } from '../../session/make-frame';
import type { ProbeId } from '../../session/frame';
import { ViewTurns } from '../../session/view-turns';
import type { Call } from '../arguments';
import { trainTo } from '../drive';
import { jsonText } from '../json';
import { openSpec, writeFile } from '../open';
import { Progress } from '../progress';
import { divergence, requireStep } from '../reach';
import { EXIT, type ExitCode, type Terminal } from '../terminal';
import { checkGradients } from './check';

type ReportCall = Extract<Call, { command: 'report' }>;

const PROBES: ReadonlySet<ProbeId> = new Set(['activations', 'gradients', 'updates']);
/** Steps at which layers are measured, about; a picture has no room for more. */
const MEASURED = 600;

export async function report(terminal: Terminal, call: ReportCall, version: string): Promise<ExitCode> {
  const { session, warnings } = await openSpec(terminal, call);
  const target = call.step ?? session.totalSteps;
  requireStep(session, target);
  const history = new History();
  const keep = (): void => {
    history.merge(session.pending.data());
    session.pending.clear();
  };
  session.evaluate();
  const stride = Math.max(1, Math.ceil(target / MEASURED));
  const measured = (step: number): boolean => step % stride === 0 || step === target;
  const progress = new Progress(terminal);
  const outcome = await trainTo(
    terminal, session, target,
    () => {
      if (!measured(session.position.step)) return undefined;
      sampleReadings(session, PROBES);
      keep();
      return undefined;
    },
    () => progress.show(session.position.step / target, () => `step ${session.position.step} of ${target}`),
    measured,
  );
  progress.clear();
  const diverged = outcome.kind === 'diverged';
  if (!diverged) session.evaluate();
  const check = call.check && outcome.kind === 'arrived' ? await checkGradients(terminal, session) : null;
  const frame = makeFrame(session, {
    sequence: 0, status: diverged ? 'diverged' : session.position.step === session.totalSteps ? 'finished' : 'paused',
    target: null, probes: PROBES, views: new ViewTurns(() => 0), all: true, nonFinite: diverged ? outcome.nonFinite : null, truncatedTo: null, stepsPerSecond: null,
  });
  history.merge(frame.history);
  keep();
  const page = reportHtml({
    file: path.basename(call.file), text: session.text, version, model: session.model, frame, readings: frame.layers,
    history: history.data(), check, findings: warnings,
  });
  writeFile(terminal, call.out, page);
  const { step } = session.position;
  if (call.json) {
    terminal.out.write(jsonText({ command: 'report', file: call.file, problems: warnings, out: call.out, steps: step, diverged: frame.nonFinite, passed: check?.passed ?? null }));
  } else {
    if (diverged) terminal.err.write(`${divergence(outcome.nonFinite)}\n`);
    terminal.out.write(`${call.out}: after ${counted(step, 'step')}.\n`);
  }
  if (outcome.kind === 'interrupted') return EXIT.interrupted;
  return diverged || (check && !check.passed) ? EXIT.failed : EXIT.good;
}
