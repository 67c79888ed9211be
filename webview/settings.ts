// What the panel remembers of how it was looked at. What comes back from the editor is checked like any input.
import type { Settings } from './context';
import { type Speed, speeds } from './speed';

export const defaultSettings: Settings = {
  view: 'learn', several: false, open: [], layer: null, sample: null, logLoss: false, gradientsOf: 'parameters', activationsOf: 'all', tensor: 'output',
  parameter: null, runTo: 'epoch', speed: 'watch', problemsOpen: false, kept: {},
};

function oneOf<T>(value: unknown, known: readonly T[], otherwise: T): T {
  return known.includes(value as T) ? (value as T) : otherwise;
}

const index = (value: unknown): number | null => (typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null);

/** @param views the ids that exist */
export function readSettings(stored: unknown, views: readonly string[]): Settings {
  const from = (typeof stored === 'object' && stored !== null ? stored : {}) as Record<string, unknown>;
  const { parameter } = from;
  return {
    view: oneOf(from.view, views, defaultSettings.view),
    several: from.several === true,
    open: Array.isArray(from.open) ? views.filter((id) => (from.open as unknown[]).includes(id)) : [],
    layer: index(from.layer),
    sample: index(from.sample),
    logLoss: from.logLoss === true,
    gradientsOf: oneOf(from.gradientsOf, ['parameters', 'outputs'], defaultSettings.gradientsOf),
    activationsOf: oneOf(from.activationsOf, ['all', 'selected'], defaultSettings.activationsOf),
    tensor: oneOf(from.tensor, ['output', 'output_gradient', 'parameter', 'parameter_gradient', 'buffer'], defaultSettings.tensor),
    parameter: typeof parameter === 'string' ? parameter : null,
    runTo: oneOf(from.runTo, ['step', 'epoch'], defaultSettings.runTo),
    speed: oneOf(from.speed, Object.keys(speeds) as Speed[], defaultSettings.speed),
    problemsOpen: false,
    kept: typeof from.kept === 'object' && from.kept !== null ? (from.kept as Record<string, unknown>) : {},
  };
}
