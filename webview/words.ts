// What the panel says: the phase a step stands at, the state of a run with its next action, the verdict of a check.
// Text in, text out; nothing is drawn here.
import type { CheckReport, Frame, LayerInfo, ModelInfo, NonFinite, Phase, Verdict } from '../src/protocol/panel';
import { counted, formatCount, formatIndex, formatNumber } from './numbers';
import type { PanelData } from './store';

/** The phase that was done last; null before the first. At a step's end it is the update. */
export function lastPhase(model: ModelInfo | null, frame: Frame | null): Phase | null {
  if (!model || !frame) return null;
  const { step, phase } = frame.position;
  if (phase > 0) return model.phases[phase - 1] ?? null;
  return step > 0 ? (model.phases[model.phases.length - 1] ?? null) : null;
}

const layerName = (model: ModelInfo, layer: number): string => model.layers[layer]?.name ?? `layer ${layer}`;

/** `backward: linear2`. */
export function phaseName(model: ModelInfo, phase: Phase): string {
  switch (phase.kind) {
    case 'zero_grad':
      return 'zero gradients';
    case 'forward':
      return `forward: ${layerName(model, phase.layer)}`;
    case 'loss':
      return 'loss';
    case 'loss_backward':
      return 'backward: loss';
    case 'backward':
      return `backward: ${layerName(model, phase.layer)}`;
    case 'update':
      return 'update';
  }
}

const list = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;

function explainBackward(layer: LayerInfo): string {
  const input = layer.index > 0 ? ['dL/d input for the layer before'] : [];
  const found = [...layer.parameters.map(({ shortName }) => `dL/d ${shortName}`), ...input];
  return found.length > 0
    ? `From dL/d output of ${layer.name} came ${list(found)}.`
    : `${layer.name} is the first layer and has no parameters: nothing was to be done.`;
}

/** What the phase did, in one sentence. */
export function explainPhase(model: ModelInfo, phase: Phase, frame: Frame): string {
  switch (phase.kind) {
    case 'zero_grad':
      return 'The gradients of all parameters were set to 0, ready for this batch.';
    case 'forward': {
      const { name, kind } = model.layers[phase.layer];
      const before = phase.layer === 0 ? 'the batch' : `the output of ${layerName(model, phase.layer - 1)}`;
      return `${name} (${kind}) computed its output from ${before}.`;
    }
    case 'loss':
      return `The ${words(model.loss.kind)} of this batch is ${frame.loss === null ? 'not known' : formatNumber(frame.loss)}.`;
    case 'loss_backward':
      return `The gradient of the loss with respect to the output of ${layerName(model, model.layers.length - 1)} is known.`;
    case 'backward':
      return explainBackward(model.layers[phase.layer]);
    case 'update':
      return `${model.optimizer.kind.toUpperCase()} updated the parameters from their gradients.`;
  }
}

/** `cross_entropy` as it is spoken. */
export const words = (kind: string): string => kind.replaceAll('_', ' ');

/** A long name with its beginning and its end, which tell it from others. */
export function cutMiddle(name: string, most: number): string {
  if (name.length <= most) return name;
  const end = Math.floor((most - 1) / 2);
  return `${name.slice(0, most - 1 - end)}…${name.slice(name.length - end)}`;
}

/** `linear2, output [3, 0]`. */
export const placeOf = ({ where, tensor, index }: NonFinite): string =>
  `${where}, ${tensor}${index.length > 0 ? ` ${formatIndex(index)}` : ''}`;

export interface StateWords {
  readonly tone: 'plain' | 'good' | 'bad';
  readonly icon: string;
  readonly title: string;
  readonly text: string;
  readonly actions: readonly StateAction[];
}

export type StateAction = 'allowCode' | 'manageTrust' | 'goBefore' | 'restore' | 'startOver' | 'problems' | 'check' | 'backStep';

export const actionLabels: Record<StateAction, string> = {
  allowCode: 'Allow for this folder',
  manageTrust: 'Manage workspace trust',
  goBefore: 'Go to the step before',
  restore: 'Restore the run',
  startOver: 'Start over',
  problems: 'Show the problems',
  check: 'Check gradients',
  backStep: 'Back one step',
};

const plain = (icon: string, title: string, text: string, actions: readonly StateAction[] = []): StateWords => ({
  tone: 'plain', icon, title, text, actions,
});

/** Where things stand, and what can be done about it. */
export function describeState(data: PanelData): StateWords {
  const { state, model, frame, problems } = data;
  if (!state) return plain('loading', 'Opening', 'Waiting for the editor to say what to show.');
  switch (state.kind) {
    case 'loading':
      return plain('loading', 'Loading', state.text);
    case 'problems':
      return {
        tone: 'bad', icon: 'error', title: 'Nothing to run yet',
        text: `${counted(problems.length, 'problem')} in ${data.file || 'the spec'} to solve first; the run appears as soon as the text is good.`,
        actions: [],
      };
    case 'code':
      return codeWords(state);
    case 'stopped':
      return {
        tone: 'bad', icon: 'debug-disconnect', title: 'The engine stopped',
        text: `${state.reason} ${
          state.restorable
            ? `The run can be restored to step ${formatCount(state.step)}, bit for bit.`
            : 'This run cannot be restored; starting over trains it again from step 0.'
        }`,
        actions: state.restorable ? ['restore', 'startOver'] : ['startOver'],
      };
    case 'run':
      if (!model || !frame) return plain('loading', 'Starting', 'The engine is setting up the network.');
      return describeRun(model, frame);
  }
}

/** Why layers of the user's own do not run, and what to do. */
function codeWords({ trusted, folder, layers }: Extract<NonNullable<PanelData['state']>, { kind: 'code' }>): StateWords {
  const which = `${layers.join(', ')} ${layers.length === 1 ? 'is' : 'are'} code of your own`;
  return trusted
    ? plain(
        'shield', 'Layers of your own wait for a yes',
        `${which}, which lies in ${folder}. It would run in a process apart from the editor, but with all that you may do on this machine: allow it where you trust who wrote it.`,
        ['allowCode'],
      )
    : plain(
        'workspace-untrusted', 'This workspace is not trusted',
        `${which}, which does not run here. Specs of built-in layers do. Trust the workspace if you trust who wrote it; then you are asked once more.`,
        ['manageTrust'],
      );
}

function describeRun(model: ModelInfo, frame: Frame): StateWords {
  const { position, status, target, nonFinite } = frame;
  switch (status) {
    case 'ready':
      return plain(
        'circle-outline', 'Ready',
        'Nothing measured yet. Press Step (F10) to train one step, Next phase (F11) to see it layer by layer, or Run (F5).',
      );
    case 'running':
      return plain('debug-start', 'Training', `Until step ${formatCount(target ?? model.totalSteps)}. Pause with F5.`);
    case 'seeking':
      return plain('history', 'Going to a step', `Replaying to step ${formatCount(target ?? position.step)}, bit for bit as it was. Stop with F5.`);
    case 'finished':
      return {
        tone: 'good', icon: 'pass', title: 'Finished',
        text: `All ${counted(model.epochs, 'epoch')} are done. Drag the time below to look back, or raise "epochs" in the spec to go on.`,
        actions: [],
      };
    case 'diverged':
      return describeDivergence(model, nonFinite, position.step);
    case 'paused': {
      const phase = lastPhase(model, frame);
      if (!phase) return plain('debug-pause', 'Paused', 'At the start. Step with F10, run with F5.');
      if (position.phase === 0) {
        const ahead = frame.frontier > position.step ? ` This run has been as far as step ${formatCount(frame.frontier)}.` : '';
        return plain('debug-pause', `Step ${formatCount(position.step)} is done`, `${explainPhase(model, phase, frame)}${ahead} Step with F10, back with Shift+F10.`);
      }
      return plain('debug-line-by-line', `In step ${formatCount(position.step + 1)}`, `${explainPhase(model, phase, frame)} Next phase with F11, back with Shift+F11.`);
    }
  }
}

function describeDivergence(model: ModelInfo, found: NonFinite | null, step: number): StateWords {
  const text = found
    ? `Step ${formatCount(found.step)} broke the run. Its first ${Number.isNaN(found.value) ? 'NaN' : 'infinity'} arose in the phase “${phaseName(model, found.phase)}”: ${placeOf(found)} became ${formatNumber(found.value)}. ${found.remedy}`
    : `A value that is no number arose in step ${formatCount(step)}.`;
  return { tone: 'bad', icon: 'flame', title: 'Diverged', text, actions: found ? ['goBefore'] : ['backStep'] };
}

export const verdictNames: Record<Verdict, string> = {
  pass: 'pass', wrong: 'wrong', kink: 'kink', below_noise: 'below noise',
};

export const verdictMeanings: Record<Verdict, string> = {
  pass: 'Backprop and the numeric derivative agree within the tolerance.',
  wrong: 'They differ by more than the tolerance, and no kink explains it: backprop is wrong here.',
  kink: 'The loss has a corner between the two points of the difference (a ReLU that switched), so there is no single slope to compare with.',
  below_noise: 'Both values are smaller than what round-off lets the numeric derivative resolve: nothing can be said.',
};

/** The outcome of a check in one plain sentence. */
export function verdictSentence(report: CheckReport): { readonly tone: 'good' | 'bad' | 'plain'; readonly text: string } {
  const { counts, checked, entries, complete } = report;
  const compared = counts.pass + counts.wrong;
  const asFar = complete ? '' : ` Cancelled: ${formatCount(checked)} of ${counted(entries, 'entry', 'entries')} ${checked === 1 ? 'was' : 'were'} checked.`;
  const worst = worstOf(report);
  if (counts.wrong > 0) {
    const where = worst ? ` The worst is ${worst.name} ${formatIndex(worst.entry.index)}, off by ${formatNumber(worst.entry.relativeError * 100)} %.` : '';
    return { tone: 'bad', text: `Backprop is wrong in ${formatCount(counts.wrong)} of ${counted(compared, 'entry', 'entries')} compared.${where}${asFar}` };
  }
  if (counts.pass === 0) {
    const why = checked === 0 ? 'no entry was checked' : 'no entry could be compared, all were kinks or below the noise';
    return { tone: 'plain', text: `This check says nothing: ${why}.${asFar}` };
  }
  const off = worst ? ` The largest relative error is ${formatNumber(worst.entry.relativeError)}, in ${worst.name} ${formatIndex(worst.entry.index)}.` : '';
  const rest = checked - compared;
  const why = (['kink', 'below_noise'] as const)
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${formatCount(counts[verdict])} ${verdictNames[verdict]}`);
  const apart = rest > 0 ? ` ${counted(rest, 'entry', 'entries')} could not be compared: ${why.join(', ')}.` : '';
  return { tone: complete ? 'good' : 'plain', text: `Backprop is right: all ${counted(compared, 'entry', 'entries')} compared agree with the numeric derivative.${off}${apart}${asFar}` };
}

function worstOf(report: CheckReport) {
  let found: { name: string; entry: NonNullable<CheckReport['parameters'][number]['worst']> } | null = null;
  for (const { name, worst } of report.parameters) {
    if (worst && (!found || worst.relativeError > found.entry.relativeError)) found = { name, entry: worst };
  }
  return found;
}
