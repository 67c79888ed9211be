// What is set for looking only: weights and numbers of the input that are tried, and how each was before. Kept in the
// panel's state; the run knows nothing of it until the weights are kept.
import type { AnswerTo, Question, SessionCommand } from '../src/protocol/panel';
import type { Context, Settings } from './context';

const ID = 'what_if';
/** Changes that can be undone. */
const MOST_BEFORE = 50;

export type WeightSetting = Extract<SessionCommand, { type: 'setWeights' }>['weights'][number];

export interface InputSetting {
  readonly index: number;
  readonly value: number;
}

export interface Tried {
  readonly weights: readonly WeightSetting[];
  readonly inputs: readonly InputSetting[];
}

const NOTHING: Tried = { weights: [], inputs: [] };

const isEntry = (of: unknown): of is InputSetting => {
  const { index, value } = (of ?? {}) as Partial<Record<keyof InputSetting, unknown>>;
  return Number.isSafeInteger(index) && (index as number) >= 0 && Number.isFinite(value);
};
const isWeight = (of: unknown): of is WeightSetting => isEntry(of) && typeof (of as { parameter?: unknown }).parameter === 'string';

function readTried(of: unknown): Tried {
  const { weights, inputs } = (of ?? {}) as { weights?: unknown; inputs?: unknown };
  return { weights: Array.isArray(weights) ? weights.filter(isWeight) : [], inputs: Array.isArray(inputs) ? inputs.filter(isEntry) : [] };
}

export const triedOf = ({ kept }: Settings): Tried => readTried(kept[ID]);

export const isTried = ({ weights, inputs }: Tried): boolean => weights.length + inputs.length > 0;

function beforeOf({ kept }: Settings): readonly Tried[] {
  const { before } = (kept[ID] ?? {}) as { before?: unknown };
  return Array.isArray(before) ? before.map(readTried) : [];
}

/** @param moving what is being moved: all of its way is one change */
function change({ settings, keep }: Context, tried: Tried, moving: number | null = null): void {
  const last = (settings.kept[ID] ?? {}) as { moving?: unknown };
  const on = moving !== null && last.moving === moving;
  keep(ID, { ...tried, moving, before: on ? beforeOf(settings) : [...beforeOf(settings), triedOf(settings)].slice(-MOST_BEFORE) });
}

export function tryWeight(context: Context, weight: WeightSetting): void {
  const tried = triedOf(context.settings);
  const others = tried.weights.filter(({ parameter, index }) => parameter !== weight.parameter || index !== weight.index);
  change(context, { ...tried, weights: [...others, weight] });
}

/** @param moving it is on its way, as a slider is */
export function tryInput(context: Context, index: number, value: number, moving = false): void {
  const tried = triedOf(context.settings);
  const others = tried.inputs.filter((input) => input.index !== index);
  change(context, { ...tried, inputs: [...others, { index, value }] }, moving ? index : null);
}

export const tryInputs = (context: Context, inputs: readonly InputSetting[]): void => change(context, { ...triedOf(context.settings), inputs });

export const dropWeight = (context: Context, { parameter, index }: WeightSetting): void => {
  const tried = triedOf(context.settings);
  change(context, { ...tried, weights: tried.weights.filter((other) => other.parameter !== parameter || other.index !== index) });
};

export const resetTried = (context: Context): void => change(context, NOTHING);

export const canUndo = (settings: Settings): boolean => beforeOf(settings).length > 0;

export function undoTried({ settings, keep }: Context): void {
  const before = beforeOf(settings);
  const last = before[before.length - 1];
  if (last) keep(ID, { ...last, before: before.slice(0, -1) });
}

/** Makes the weights part of the run; the inputs stay as they are tried. */
export function keepWeights(context: Context): void {
  const tried = triedOf(context.settings);
  context.command({ type: 'setWeights', weights: tried.weights });
  context.keep(ID, { weights: [], inputs: tried.inputs, before: [] });
}

export const whatIfQuestion = (settings: Settings): Question<'what_if'> => ({ about: 'what_if', sample: settings.sample, ...triedOf(settings) });

/** For views that show it beside their own. */
export const whatIfIfAny = (settings: Settings): readonly Question[] => (isTried(triedOf(settings)) ? [whatIfQuestion(settings)] : []);

export type WhatIf = AnswerTo<'what_if'>;
