// The verdict on the run: its state, what matters most, and the next action. Good only for a run that learned.
import { seriesName } from '../../src/history/history';
import {
  type CheckReport,
  type Frame,
  holdsAt,
  type ModelInfo,
  type NonFinite,
  type RunFinding,
} from '../../src/protocol/panel';
import { formatConclusion, hasWrongGradient } from '../../src/presentation/check-summary';
import { formatAccuracy } from '../../src/presentation/doctor-report';
import { mainFinding } from '../../src/presentation/findings';
import { nonFiniteLocation } from '../../src/presentation/non-finite';
import { formatInteger, formatNumber, pluralize } from '../../src/presentation/numbers';
import { describePhase, lastCompletedPhase, phaseLabel } from '../../src/presentation/phases';
import { sourceLabel } from '../../src/presentation/source-label';
import type { PanelData } from '../state/store';

export type StateCode =
  | 'opening'
  | 'loading'
  | 'problems'
  | 'code'
  | 'stopped'
  | 'starting'
  | 'ready'
  | 'running'
  | 'seeking'
  | 'paused'
  | 'in_step'
  | 'finished'
  | 'finished_with_findings'
  | 'not_learned'
  | 'wrong_gradients'
  | 'diverged';

export interface StateMessage {
  readonly code: StateCode;
  readonly tone: 'plain' | 'good' | 'warning' | 'bad';
  readonly icon: string;
  readonly title: string;
  readonly text: string;
  readonly actions: readonly StateAction[];
  /** What the sentence is about. */
  readonly finding?: RunFinding;
}

/** The most important action is first: a narrow panel shows no other. */
export type StateAction =
  | 'allowCode'
  | 'manageTrust'
  | 'goToPreviousStep'
  | 'restore'
  | 'startOver'
  | 'backStep'
  | 'applyFix'
  | 'showFinding'
  | 'revealDiagnosis'
  | 'showCheck';

const actionLabels: Record<Exclude<StateAction, 'applyFix' | 'showFinding' | 'revealDiagnosis'>, string> = {
  allowCode: 'Allow for this folder',
  manageTrust: 'Manage workspace trust',
  goToPreviousStep: 'Go to the step before',
  restore: 'Restore the run',
  startOver: 'Start over',
  backStep: 'Back one step',
  showCheck: 'Show the check',
};

export function actionLabel(action: StateAction, { finding }: StateMessage, { check }: PanelData): string {
  if (action === 'applyFix') return finding?.fix?.title ?? '';
  if (action === 'showFinding') return `Go to step ${formatInteger(finding?.since ?? 0)}`;
  if (action === 'revealDiagnosis') return `Go to ${sourceLabel(check?.diagnosis ?? null)}`;
  return actionLabels[action];
}

const plain = (
  code: StateCode,
  icon: string,
  title: string,
  text: string,
  actions: readonly StateAction[] = [],
): StateMessage => ({ code, tone: 'plain', icon, title, text, actions });

export function describeState(data: PanelData): StateMessage {
  const { state, model, frame, problems } = data;
  if (!state) return plain('opening', 'loading', 'Opening', 'Waiting for the editor.');
  switch (state.kind) {
    case 'loading':
      return plain('loading', 'loading', 'Loading', state.text);
    case 'problems':
      return {
        code: 'problems',
        tone: 'bad',
        icon: 'error',
        title: 'Nothing to run yet',
        text: `Fix ${pluralize(problems.length, 'problem')} in ${data.file || 'the spec'}. The run then appears here.`,
        actions: [],
      };
    case 'code':
      return customLayersMessage(state);
    case 'stopped':
      return {
        code: 'stopped',
        tone: 'bad',
        icon: 'debug-disconnect',
        title: 'The engine stopped',
        text: `${state.reason} ${
          state.restorable
            ? `You can restore the run to step ${formatInteger(state.step)}, bit for bit.`
            : 'This run cannot be restored. Start over to train it again from step 0.'
        }`,
        actions: state.restorable ? ['restore', 'startOver'] : ['startOver'],
      };
    case 'run':
      if (!model || !frame) return plain('starting', 'loading', 'Starting', 'The engine sets up the network.');
      return describeRun(data, model, frame);
  }
}

function customLayersMessage({
  trusted,
  folder,
  layers,
}: Extract<NonNullable<PanelData['state']>, { kind: 'code' }>): StateMessage {
  const which = `This spec has custom code (${layers.join(', ')})`;
  return trusted
    ? plain(
        'code',
        'shield',
        'Allow custom layers to run?',
        `${which} in ${folder}. It runs in a separate process with all of your permissions. Allow it only if you trust its author.`,
        ['allowCode'],
      )
    : plain(
        'code',
        'workspace-untrusted',
        'This workspace is not trusted',
        `${which}, which runs only in trusted workspaces. Trust the workspace if you trust its authors.`,
        ['manageTrust'],
      );
}

function describeRun(data: PanelData, model: ModelInfo, frame: Frame): StateMessage {
  const { position, status, target, nonFinite } = frame;
  if (status === 'seeking')
    return plain(
      'seeking',
      'history',
      'Going to a step',
      `Replaying to step ${formatInteger(target ?? position.step)}, bit for bit. Stop with F5.`,
    );
  if (status === 'diverged') return describeDivergence(model, frame, nonFinite);
  const phase = lastCompletedPhase(model, frame);
  const isInStep = status === 'paused' && position.phase > 0;
  const wrong = data.check && hasWrongGradient(data.check) ? data.check : null;
  if (wrong && (!isInStep || wrong.step === position.step)) return describeWrongGradients(wrong);
  if (isInStep && phase)
    return plain(
      'in_step',
      'debug-line-by-line',
      `In step ${formatInteger(position.step + 1)}`,
      `${describePhase(model, phase, frame)} Next phase with F11, back with Shift+F11.`,
    );
  if (status === 'finished') return describeFinished(data, model, frame);
  const [code, icon, title] =
    status === 'running'
      ? (['running', 'debug-start', 'Training'] as const)
      : status === 'ready'
        ? (['ready', 'circle-outline', 'Ready'] as const)
        : (['paused', 'debug-pause', phase ? `Step ${formatInteger(position.step)}` : 'Paused'] as const);
  const finding = mainFinding(frame.findings, position.step);
  if (finding) return { ...describeFinding(code, title, finding, position.step), icon: 'warning', tone: 'warning' };
  const next = {
    running: 'Pause with F5.',
    paused: phase ? 'Step with F10, back with Shift+F10.' : 'At the start. Step with F10, run with F5.',
    ready:
      'Nothing measured yet. Press Step (F10) to train one step, Next phase (F11) to go layer by layer, or Run (F5).',
  }[code];
  return plain(code, icon, title, [describeLoss(data, frame), next].filter((each) => each !== '').join(' '));
}

/** `Training loss 0.08, 0.7 at step 0; accuracy 98 %.`, or the same of the batch; empty before the first step. */
function describeLoss({ history, model }: PanelData, { evaluation, loss, position }: Frame): string {
  const { train } = evaluation;
  const [now, series, name] = train
    ? [train.loss, history.get(seriesName.loss('train'))?.data(), 'Training loss']
    : [loss, history.get(seriesName.batchLoss)?.data(), 'Batch loss'];
  if (now === null || position.step === 0) return '';
  const isExact = series !== undefined && series.steps.length > 1 && series.low[0] === series.high[0];
  const first = isExact ? `, ${formatNumber(series.low[0]!)} at step ${formatInteger(series.steps[0]!)}` : '';
  const accuracy = train?.accuracy ?? null;
  return `${name} ${formatNumber(now)}${first}${accuracy === null ? '' : `; accuracy ${formatAccuracy(accuracy, model?.largestClass?.train ?? null)}`}.`;
}

/** The finding with its steps, if it is not new; its fix and its first step as actions. */
function describeFinding(
  code: StateCode,
  title: string,
  finding: RunFinding,
  step: number,
): Pick<StateMessage, 'code' | 'title' | 'text' | 'actions' | 'finding'> {
  const { since, until, observation, remedy, fix } = finding;
  const when =
    since === step
      ? ''
      : until === null || until >= step
        ? `Since step ${formatInteger(since)}: `
        : until === since
          ? `At step ${formatInteger(since)}: `
          : `Steps ${formatInteger(since)} to ${formatInteger(until)}: `;
  const text = `${when}${observation} ${remedy}`;
  return { code, title, text, finding, actions: [...(fix ? (['applyFix'] as const) : []), 'showFinding'] };
}

const describeWrongGradients = (check: CheckReport): StateMessage => ({
  code: 'wrong_gradients',
  tone: 'bad',
  icon: 'error',
  title: 'Gradients are wrong',
  text: check.diagnosis?.sentence ?? formatConclusion(check, formatNumber),
  actions: [...(check.diagnosis ? (['revealDiagnosis'] as const) : []), 'showCheck'],
});

/** A finished run is good only if it learned and its last step has no findings. */
function describeFinished(data: PanelData, model: ModelInfo, frame: Frame): StateMessage {
  const { findings, position } = frame;
  const { step } = position;
  const next = 'Drag the timeline to look back, or raise "epochs" to continue.';
  const failure = findings.find((each) => each.isFailure && holdsAt(each, step));
  if (failure) {
    const causes = findings.filter(({ isFailure }) => !isFailure);
    const cause = mainFinding(causes, step) ?? causes[0] ?? failure;
    const about = describeFinding('not_learned', 'Finished, but it did not learn', cause, step);
    const text = cause === failure ? about.text : `${about.text} ${failure.observation}`;
    return { ...about, tone: 'bad', icon: 'warning', text };
  }
  // A run that learned has overcome what no longer holds.
  const finding = mainFinding(findings, step);
  if (finding)
    return {
      ...describeFinding('finished_with_findings', 'Finished, with findings', finding, step),
      tone: 'warning',
      icon: 'warning',
    };
  return {
    code: 'finished',
    tone: 'good',
    icon: 'pass',
    title: 'Finished',
    text: `${describeLoss(data, frame)} ${pluralize(model.epochs, 'epoch')} done. ${next}`.trimStart(),
    actions: [],
  };
}

function describeDivergence(model: ModelInfo, { position, findings }: Frame, found: NonFinite | null): StateMessage {
  const [cause] = findings;
  const why = cause ? `At step ${formatInteger(cause.since)}: ${cause.observation} ${cause.remedy} ` : '';
  const text = found
    ? `${why}The first ${Number.isNaN(found.value) ? 'NaN' : 'infinity'} arose in step ${formatInteger(found.step)}, ${phaseLabel(model, found.phase)}: ${nonFiniteLocation(found)} became ${formatNumber(found.value)}. ${found.remedy}`
    : `${why}The loss of step ${formatInteger(position.step)} is not finite.`;
  return {
    code: 'diverged',
    tone: 'bad',
    icon: 'flame',
    title: 'Diverged',
    text,
    ...(cause && { finding: cause }),
    actions: [...(cause?.fix ? (['applyFix'] as const) : []), found ? 'goToPreviousStep' : 'backStep'],
  };
}
