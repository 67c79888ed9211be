// The protocol: look at the data, at the first loss and at one batch; check the gradients; train for a while; then try
// every fix that the findings suggest and keep those that help.
import { setLearningRate } from '../diagnostics';
import { formatConclusion } from '../presentation/check-summary';
import { formatCompact, formatNumber, formatPercent, pluralize } from '../presentation/numbers';
import { applyTextEdit, type CompiledRun, editSpec, type LoadedRun, type Spec } from '../model-spec';
import type { DoctorFinding, DoctorReport, LayerDepthStats, RangeTest, Trial } from '../protocol/doctor-report';
import type { Problem, QuickFix } from '../protocol/problem';
import { checkGradients } from '../session/check-job';
import { estimateStepMacs } from '../session/fused-step';
import type { TrainingSession } from '../session/session';
import { examineData } from './examine-data';
import { examineInitialLoss, examineZeroedInputs } from './examine-loss';
import { overfitBatch } from './overfit-batch';
import { testRates } from './range-test';
import { type DoctorContext, openTrial, runTrial, trialSteps } from './trial';

/** A spec that can run. */
export interface RunnableSpec {
  readonly run: CompiledRun;
  readonly spec: Spec;
  readonly problems: readonly Problem[];
}

/** Loads a variant of the spec. */
export type LoadVariant = (text: string) => Promise<LoadedRun>;

/** Parameters times multiply-adds up to which gradients are checked: some seconds. */
const MAX_CHECK_COST = 2e10;
/** More fixes are not tried. */
const MAX_TRIALS = 8;

/**
 * @param text the spec's
 * @throws DoctorCancelledError
 */
export async function diagnose(
  text: string,
  { run, spec, problems }: RunnableSpec,
  load: LoadVariant,
  context: DoctorContext,
): Promise<DoctorReport> {
  const steps = trialSteps(openTrial(run, text));
  const session = openTrial(run, text, steps);
  const initialLoss = examineInitialLoss(session);
  const gradients = await examineGradients(session, context);
  const overfit = await overfitBatch(run, text, context);
  const rangeTest = await testRates(run, text, steps, context);
  const trial = await runTrial(session, steps, context, 'training');
  const found = collectFindings(spec, problems, session, rangeTest);
  return {
    data: examineData(run),
    initialLoss,
    zeroedInputs: trial.diverged ? null : examineZeroedInputs(session),
    overfit,
    gradients,
    depth: examineDepth(session),
    rangeTest,
    trial,
    findings: await tryFixes(
      text,
      found,
      { trial, steps, run, spec, suggestedRate: rangeTest.suggested },
      load,
      context,
    ),
  };
}

async function examineGradients(session: TrainingSession, context: DoctorContext): Promise<DoctorReport['gradients']> {
  const { model, network } = session;
  if (model.parameterCount * estimateStepMacs(model, network) > MAX_CHECK_COST) return null;
  const report = await checkGradients(session, {
    ...context,
    onProgress: ({ checked, entries }) => context.onProgress('checking gradients', checked / Math.max(1, entries)),
  });
  return { passed: report.passed, conclusion: formatConclusion(report) };
}

/** At the last step of the trial. */
function examineDepth({ model, monitor }: TrainingSession): LayerDepthStats[] {
  return model.layers.map(({ name }, layer) => {
    const stats = monitor.lastStats?.[layer];
    const ratios = stats?.parameters.flatMap(({ updateRatio }) => (updateRatio === null ? [] : [updateRatio])) ?? [];
    return {
      layer: name,
      outputStd: stats?.activation?.std ?? null,
      outputGradientNorm: stats?.outputGradient?.norm ?? null,
      idle: stats?.activation?.idle ?? null,
      updateRatio: ratios.length > 0 ? Math.max(...ratios) : null,
    };
  });
}

/** A finding whose fix has not been tried. */
interface Candidate extends Omit<DoctorFinding, 'remedy' | 'trial' | 'effect'> {
  readonly remedy: string;
}

/** Of the spec, then of the run, then of the range test. */
function collectFindings(
  spec: Spec,
  problems: readonly Problem[],
  { monitor }: TrainingSession,
  { suggested }: RangeTest,
): Candidate[] {
  const ofSpec = problems
    .filter(({ severity }) => severity === 'warning')
    .map(({ code, message, remedy, fix = null, start, end }) => ({
      code,
      message,
      remedy,
      fix,
      range: { start, end },
      since: null,
    }));
  const ofRun = monitor.findings.map(({ code, isFailure, observation, remedy, since, fix = null }) => ({
    code,
    ...(isFailure && { isFailure }),
    message: observation,
    remedy,
    fix,
    range: null,
    since,
  }));
  const { lr } = spec.optimizer.options as { readonly lr: number };
  // A neighbor of the best tested rate is as good. What the spec cannot repair decides which rate is right.
  const isFar =
    suggested !== null && (lr > 4 * suggested || lr < suggested / 4) && ofSpec.every(({ fix }) => fix !== null);
  const ofRate = isFar
    ? [
        {
          code: 'other-rate',
          message: `Of the tested learning rates, ${formatCompact(suggested)} lowers the loss most; lr is ${formatCompact(lr)}.`,
          remedy: `Set lr to ${formatCompact(suggested)}.`,
          fix: setLearningRate(spec, suggested),
          range: null,
          since: null,
        },
      ]
    : [];
  return mergeByCode([...ofSpec, ...ofRun, ...ofRate]);
}

/** One finding for each rule: the first one, with the fixes of all that replace values. */
function mergeByCode(candidates: readonly Candidate[]): Candidate[] {
  return [...new Map(candidates.map((each) => [each.code, each])).keys()].flatMap((code) => {
    const [first, ...others] = candidates.filter((each) => each.code === code);
    if (!first) return [];
    const fixes = [first, ...others].flatMap(({ fix }) => fix ?? []);
    const changes = fixes.flatMap((fix) => fix.changes);
    // Removing an element moves those after it; removing an option moves none.
    const areIndependent = changes.every(
      ({ path, value, insert }) => !insert && (value !== undefined || typeof path.at(-1) === 'string'),
    );
    if (!first.fix || fixes.length === 1 || !areIndependent) return [first];
    // What several fixes set, the first one decides.
    const byPath = new Map([...changes].reverse().map((change) => [change.path.join('\n'), change]));
    const title = byPath.size > first.fix.changes.length ? `${first.fix.title}, and all like it` : first.fix.title;
    return [{ ...first, fix: { title, changes: [...byPath.values()] } }];
  });
}

interface Baseline {
  readonly trial: Trial;
  readonly steps: number;
  readonly run: CompiledRun;
  readonly spec: Spec;
  /** By the range test. */
  readonly suggestedRate: number | null;
}

/** Fixes that help stay; the one that helps more comes first. What no fix can repair, the data, comes before them. */
async function tryFixes(
  text: string,
  candidates: readonly Candidate[],
  baseline: Baseline,
  load: LoadVariant,
  context: DoctorContext,
): Promise<DoctorFinding[]> {
  const trials = new Map<string, Attempt | null>();
  const attempt = async (fix: QuickFix): Promise<Attempt | null> => {
    const key = JSON.stringify(fix.changes);
    if (!trials.has(key) && trials.size < MAX_TRIALS) trials.set(key, await tryFix(text, fix, baseline, load, context));
    return trials.get(key) ?? null;
  };
  const findings: DoctorFinding[] = [];
  for (const candidate of candidates) {
    const usual = candidate.fix && (await attempt(candidate.fix));
    // Rules only estimate a rate; the range test has tried some.
    const { suggestedRate, spec } = baseline;
    const other =
      candidate.fix && setsRateOnly(candidate.fix) && suggestedRate !== null
        ? await attempt(setLearningRate(spec, suggestedRate))
        : null;
    const isOtherBetter = other !== null && helps(other) && (!usual || other.trial.skill > usual.trial.skill);
    const best = isOtherBetter ? other : usual;
    const hasHelped = best !== null && helps(best) && (candidate.code !== 'other-rate' || gainsSkill(best));
    if (candidate.code === 'other-rate' && !hasHelped) continue;
    const remedy = isOtherBetter ? `${best?.fix.title}.` : candidate.remedy;
    findings.push({
      ...candidate,
      fix: hasHelped ? best.fix : null,
      trial: hasHelped ? best.trial : null,
      effect: hasHelped ? describeEffect(best) : null,
      remedy: best && !hasHelped ? null : remedy,
    });
  }
  return findings.sort((a, b) => rankOf(b) - rankOf(a));
}

const setsRateOnly = ({ changes }: QuickFix): boolean =>
  changes.length === 1 && changes[0]?.path.join('.') === 'optimizer.lr';

/**
 * What no fix can repair, the data; then fixes by what they achieve, those of causes first; then the spec before the
 * run.
 */
function rankOf({ code, isFailure, trial, range, remedy }: DoctorFinding): number {
  // Differences in skill of less than a tenth are noise: then the order of the rules decides.
  if (trial) return (isFailure || code === 'other-rate' ? 1 : 2) + Math.round(10 * Math.max(0, trial.skill)) / 10;
  if (range) return remedy === null ? 1 : 4;
  return isFailure ? 0 : 0.5;
}

/** A fix, what it came to, and what the spec as it is comes to in as many steps. */
interface Attempt {
  readonly fix: QuickFix;
  readonly trial: Trial;
  readonly before: Trial;
}

async function tryFix(
  text: string,
  fix: QuickFix,
  { steps, trial, run: original }: Baseline,
  load: LoadVariant,
  context: DoctorContext,
): Promise<Attempt | null> {
  const changed = applyTextEdit(text, editSpec(text, fix.changes));
  const { run } = await load(changed);
  if (!run) return null;
  const stage = `trying: ${fix.title}`;
  // A fix of the length of the run is compared with the run at its own length.
  const changesLength = fix.changes.some(({ path }) => path[0] === 'epochs');
  const own = changesLength ? openTrial(original, text) : null;
  const before = own ? await runTrial(own, own.totalSteps, context, stage) : trial;
  return { fix, before, trial: await runTrial(openTrial(run, changed, steps), steps, context, stage) };
}

const hasSameLoss = (fix: QuickFix): boolean => fix.changes.every(({ path }) => path[0] !== 'loss');

/** Skill that is more than noise. */
const MIN_GAIN = 0.05;
/** A loss that is lower than by noise. */
const LOWER_LOSS = 0.8;

const gainsSkill = ({ trial, before }: Attempt): boolean =>
  trial.skill > (before.diverged ? 0 : Math.max(0, before.skill)) + MIN_GAIN;

function helps(attempt: Attempt): boolean {
  const { fix, trial, before } = attempt;
  if (trial.diverged) return false;
  if (before.diverged) return trial.skill > -MIN_GAIN;
  if (gainsSkill(attempt)) return true;
  const [loss, lossBefore] = [trial.evaluation.train?.loss ?? NaN, before.evaluation.train?.loss ?? NaN];
  return hasSameLoss(fix) && loss < LOWER_LOSS * lossBefore && trial.skill > before.skill - MIN_GAIN;
}

/** "Loss 0.31 instead of NaN after 200 steps." */
function describeEffect({ trial, before }: Attempt): string {
  const [now, then] = [trial.evaluation.train, before.evaluation.train];
  const hasAccuracy = typeof now?.accuracy === 'number';
  const format = (split: typeof now): string =>
    hasAccuracy && typeof split?.accuracy === 'number'
      ? formatPercent(split.accuracy)
      : formatNumber(hasAccuracy ? NaN : (split?.loss ?? NaN));
  return `${hasAccuracy ? 'Accuracy' : 'Loss'} ${format(now)} instead of ${format(then)} after ${pluralize(trial.steps, 'step')}.`;
}
