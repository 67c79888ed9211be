// Counterfactual weights and inputs with their original values. Part of the panel's state; the run does not know them
// until the weights are kept.
import type { QueryValue, Query, SessionCommand } from '../../src/protocol/panel';
import type { Context, Settings } from '../context';

const ID = 'what_if';
/** Maximum number of changes that can be undone. */
const MAX_UNDO = 50;

export type WeightSetting = Extract<SessionCommand, { type: 'setWeights' }>['weights'][number];

export interface InputSetting {
  readonly index: number;
  readonly value: number;
}

export interface Overrides {
  readonly weights: readonly WeightSetting[];
  readonly inputs: readonly InputSetting[];
}

const NO_OVERRIDES: Overrides = { weights: [], inputs: [] };

const isInputSetting = (of: unknown): of is InputSetting => {
  const { index, value } = (of ?? {}) as Partial<Record<keyof InputSetting, unknown>>;
  return Number.isSafeInteger(index) && (index as number) >= 0 && Number.isFinite(value);
};
const isWeightSetting = (of: unknown): of is WeightSetting =>
  isInputSetting(of) && typeof (of as { parameter?: unknown }).parameter === 'string';

function parseOverrides(of: unknown): Overrides {
  const { weights, inputs } = (of ?? {}) as { weights?: unknown; inputs?: unknown };
  return {
    weights: Array.isArray(weights) ? weights.filter(isWeightSetting) : [],
    inputs: Array.isArray(inputs) ? inputs.filter(isInputSetting) : [],
  };
}

export const getOverrides = ({ viewState }: Settings): Overrides => parseOverrides(viewState[ID]);

export const hasOverrides = ({ weights, inputs }: Overrides): boolean => weights.length + inputs.length > 0;

function getUndoStack({ viewState }: Settings): readonly Overrides[] {
  const { before } = (viewState[ID] ?? {}) as { before?: unknown };
  return Array.isArray(before) ? before.map(parseOverrides) : [];
}

/** @param moving what is being dragged: the whole drag is one change */
function setOverrides({ settings, setViewState }: Context, tried: Overrides, moving: number | null = null): void {
  const last = (settings.viewState[ID] ?? {}) as { moving?: unknown };
  const on = moving !== null && last.moving === moving;
  setViewState(ID, {
    ...tried,
    moving,
    before: on ? getUndoStack(settings) : [...getUndoStack(settings), getOverrides(settings)].slice(-MAX_UNDO),
  });
}

export function overrideWeight(context: Context, weight: WeightSetting): void {
  const tried = getOverrides(context.settings);
  const others = tried.weights.filter(
    ({ parameter, index }) => parameter !== weight.parameter || index !== weight.index,
  );
  setOverrides(context, { ...tried, weights: [...others, weight] });
}

/** @param moving whether it is being dragged, as with a slider */
export function overrideInput(context: Context, index: number, value: number, moving = false): void {
  const tried = getOverrides(context.settings);
  const others = tried.inputs.filter((input) => input.index !== index);
  setOverrides(context, { ...tried, inputs: [...others, { index, value }] }, moving ? index : null);
}

export const overrideInputs = (context: Context, inputs: readonly InputSetting[]): void =>
  setOverrides(context, { ...getOverrides(context.settings), inputs });

export const removeWeightOverride = (context: Context, { parameter, index }: WeightSetting): void => {
  const tried = getOverrides(context.settings);
  setOverrides(context, {
    ...tried,
    weights: tried.weights.filter((other) => other.parameter !== parameter || other.index !== index),
  });
};

export const resetOverrides = (context: Context): void => setOverrides(context, NO_OVERRIDES);

export const canUndo = (settings: Settings): boolean => getUndoStack(settings).length > 0;

export function undoOverride({ settings, setViewState }: Context): void {
  const before = getUndoStack(settings);
  const last = before[before.length - 1];
  if (last) setViewState(ID, { ...last, before: before.slice(0, -1) });
}

/** Applies the weights to the run; the inputs stay counterfactual. */
export function commitWeights(context: Context): void {
  const tried = getOverrides(context.settings);
  context.sendCommand({ type: 'setWeights', weights: tried.weights });
  context.setViewState(ID, { weights: [], inputs: tried.inputs, before: [] });
}

export const whatIfQuery = (settings: Settings): Query<'what_if'> => ({
  type: 'what_if',
  sample: settings.sample,
  ...getOverrides(settings),
});

/** For views that show the counterfactual next to their own values. */
export const activeWhatIfQueries = (settings: Settings): readonly Query[] =>
  hasOverrides(getOverrides(settings)) ? [whatIfQuery(settings)] : [];

export type WhatIfResult = QueryValue<'what_if'>;
