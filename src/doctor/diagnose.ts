// The protocol: look at the data, at the first loss and at one batch; check the gradients; train for a while; then try
// every fix that the findings suggest and keep those that help.
import { replaceLayer, setLearningRate } from '../diagnostics';
import { hasCustomCode } from '../engine/network-model';
import { formatConclusion, hasWrongGradient } from '../presentation/check-summary';
import { formatCompact } from '../presentation/numbers';
import type { CompiledRun, Path, Spec } from '../model-spec';
import type { DoctorReport, LayerDepthStats, RangeTest } from '../protocol/doctor-report';
import type { Problem } from '../protocol/problem';
import { checkGradients } from '../session/check-job';
import { estimateStepMacs } from '../session/fused-step';
import type { TrainingSession } from '../session/session';
import { examineCustomLayers } from './examine-custom-layers';
import { examineData } from './examine-data';
import { examineInitialLoss, examineZeroedInputs } from './examine-loss';
import { overfitBatch } from './overfit-batch';
import { testRates } from './range-test';
import { Attempts, type LoadVariant } from './attempt';
import { type Candidate, tryFixes } from './try-fixes';
import {
  DoctorCancelledError,
  type DoctorContext,
  hasLearnedLittle,
  LEARNED_WELL,
  openTrial,
  runTrial,
  scoreOf,
  trialSteps,
} from './trial';

/** A spec that can run. */
export interface RunnableSpec {
  readonly run: CompiledRun;
  readonly spec: Spec;
  readonly problems: readonly Problem[];
}

/** Parameters times multiply-adds up to which gradients are checked: some seconds. */
const MAX_CHECK_COST = 2e10;
/** Without custom code, tests have checked them. */
const MAX_BUILT_IN_CHECK_COST = 1e9;

/**
 * @param text the spec's
 * @throws DoctorCancelledError with the results until then
 */
export async function diagnose(
  text: string,
  runnable: RunnableSpec,
  load: LoadVariant,
  context: DoctorContext,
  known: Known = {},
): Promise<DoctorReport> {
  const results: Results = { data: examineData(runnable.run) };
  try {
    return await completeReport(results, text, runnable, load, context, known);
  } catch (error) {
    throw error instanceof DoctorCancelledError ? new DoctorCancelledError(results) : error;
  }
}

/** Results of the checks of a spec that hold for one with a fix. */
export interface Known extends Partial<Pick<DoctorReport, 'gradients' | 'overfit'>> {
  readonly isRepaired?: boolean;
}

/** What is known so far. */
type Results = { -readonly [Key in keyof DoctorReport]?: DoctorReport[Key] } & Pick<DoctorReport, 'data'>;

/** Adds the result of each check to `results` when it is complete. */
async function completeReport(
  results: Results,
  text: string,
  { run, spec, problems }: RunnableSpec,
  load: LoadVariant,
  context: DoctorContext,
  known: Known,
): Promise<DoctorReport> {
  const steps = trialSteps(openTrial(run, text));
  const session = openTrial(run, text, steps);
  const initialLoss = (results.initialLoss = examineInitialLoss(session));
  const layerFaults = examineCustomLayers(session);
  const gradients = (results.gradients =
    known.gradients === undefined ? await examineGradients(session, context) : known.gradients);
  const overfit = (results.overfit = known.overfit ?? (await overfitBatch(run, text, context)));
  const rangeTest = (results.rangeTest = await testRates(run, text, steps, context));
  const scores: number[] = [];
  const onMeasure = (_: number, score: number): boolean => {
    scores.push(score);
    return false;
  };
  const trial = (results.trial = await runTrial(session, steps, context, 'training', { onMeasure }));
  const zeroedInputs = (results.zeroedInputs = trial.diverged ? null : examineZeroedInputs(session));
  const depth = (results.depth = examineDepth(session));
  const ofLayers = layerFaults.map(({ layer, ...fault }) => ({
    ...fault,
    // A dropout of the engine does what a random layer usually means to.
    fix: run.model.layers[layer]!.definition.sampleMask ? replaceLayer(spec, layer, 'dropout') : null,
    range: null,
    since: null,
  }));
  const candidates = [
    ...ofLayers,
    ...collectFindings(spec, problems, session, rangeTest, gradients, scoreOf(trial) >= LEARNED_WELL),
  ];
  const baseline = {
    text,
    run,
    spec,
    trial,
    steps,
    suggestedRate: rangeTest.suggested,
    scores,
    isRepaired: known.isRepaired === true,
  };
  const places = new Map<string, Path>([
    ...layerFaults.map(({ code, layer }) => [code, spec.layers[layer]!.path] as const),
    ...problems.filter(({ start }) => start === spec.loss.range.start).map(({ code }) => [code, ['loss']] as const),
    ...session.monitor.findings.flatMap(({ code, layer }) =>
      layer === null ? [] : ([[code, spec.layers[layer]!.path]] as const),
    ),
  ]);
  const findings = await tryFixes(candidates, new Attempts(baseline, load, context), places, (found) => {
    results.findings = found;
  });
  return { data: results.data, initialLoss, zeroedInputs, overfit, gradients, depth, rangeTest, trial, findings };
}

/** Whether a spec trains as badly as its report says: it diverges, learns little, or its gradients are wrong. */
export const hasFailed = ({ trial, gradients }: DoctorReport): boolean =>
  hasLearnedLittle(trial) || gradients?.passed === false;

async function examineGradients(session: TrainingSession, context: DoctorContext): Promise<DoctorReport['gradients']> {
  const { model, network } = session;
  const limit = hasCustomCode(network.model) ? MAX_CHECK_COST : MAX_BUILT_IN_CHECK_COST;
  if (model.parameterCount * estimateStepMacs(model, network) > limit) return null;
  const report = await checkGradients(session, {
    ...context,
    onProgress: ({ checked, entries }) => context.onProgress('checking gradients', checked / Math.max(1, entries)),
  });
  if (!report.complete) throw new DoctorCancelledError();
  return { passed: report.passed, isWrong: hasWrongGradient(report), conclusion: formatConclusion(report) };
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

/** Findings of the spec, then of the run, then of the range test. */
function collectFindings(
  spec: Spec,
  problems: readonly Problem[],
  { monitor }: TrainingSession,
  { suggested }: RangeTest,
  gradients: DoctorReport['gradients'],
  hasLearned: boolean,
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
  // What went away was a failure only if something is left of it, and the cause of nothing if the network has learned.
  const remaining = monitor.findings.filter(({ until, isFailure }) => until === null || !(isFailure || hasLearned));
  const ofRun = remaining.map(({ code, isFailure, observation, remedy, since, fix = null }) => ({
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
  const ofGradients = gradients?.isWrong
    ? [
        {
          code: 'wrong-gradient',
          message: gradients.conclusion,
          remedy: 'Correct the backward pass of the custom layer or loss; "nablascope check" names the cause.',
          fix: null,
          range: null,
          since: null,
        },
      ]
    : [];
  return mergeByCode([...ofGradients, ...ofSpec, ...ofRun, ...ofRate]);
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
