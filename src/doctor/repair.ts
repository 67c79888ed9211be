// Applies the fixes of a spec one after the other: after each, what is left is diagnosed again.
import { applyTextEdit, editSpec } from '../model-spec';
import type { DoctorReport } from '../protocol/doctor-report';
import type { QuickFix } from '../protocol/problem';
import type { LoadVariant } from './attempt';
import { diagnose, type RunnableSpec } from './diagnose';
import { DoctorCancelledError, type DoctorContext, enoughOfRepaired, scoreOf } from './trial';

/** More faults are rare. */
const MAX_ROUNDS = 4;

export interface Repair {
  /** The report of the unchanged spec. */
  readonly report: DoctorReport;
  /** Each applies to the result of those before it. */
  readonly fixes: readonly QuickFix[];
  /** The spec with all fixes. */
  readonly fixedText: string;
}

/** @throws DoctorCancelledError with the results of the spec as it is */
export async function repair(
  text: string,
  runnable: RunnableSpec,
  load: LoadVariant,
  context: DoctorContext,
): Promise<Repair> {
  const report = await diagnose(text, runnable, load, context);
  const fixes: QuickFix[] = [];
  let [current, fixedText] = [report, text];
  while (fixes.length < MAX_ROUNDS) {
    const best = current.findings.find(({ fix }) => fix !== null);
    if (!best?.fix) break;
    const next = applyTextEdit(fixedText, editSpec(fixedText, best.fix.changes));
    const { run, spec, problems } = await load(next);
    if (!run || !spec) break;
    const isComplete =
      best.trial !== null &&
      scoreOf(best.trial) >= enoughOfRepaired(run) &&
      best.trial.steps <= run.epochs * Math.ceil(run.split.train.length / run.batchSize) &&
      !problems.some(({ severity, fix }) => severity === 'warning' && fix);
    if (isComplete) {
      fixes.push(best.fix);
      fixedText = next;
      break;
    }
    // The derivatives of the layers stay what they are.
    const { gradients, overfit } = report;
    const after = await diagnose(next, { run, spec, problems }, load, context, {
      gradients,
      overfit,
      isRepaired: true,
    }).catch((error: unknown) => {
      throw error instanceof DoctorCancelledError ? new DoctorCancelledError(report) : error;
    });
    // A later fix must not undo what earlier ones gained.
    if (fixes.length > 0 && scoreOf(after.trial) < scoreOf(current.trial)) break;
    fixes.push(best.fix);
    [current, fixedText] = [after, next];
  }
  return { report, fixes, fixedText };
}
