// The settings that the panel remembers. What VS Code returns is validated like any input.
import type { Settings } from '../context';
import { type Speed, speeds } from './speed';

export const defaultSettings: Settings = {
  view: 'learn',
  multiView: false,
  open: [],
  layer: null,
  sample: null,
  logLoss: null,
  gradientsOf: 'parameters',
  activationsOf: 'all',
  tensor: 'output',
  parameter: null,
  runTo: 'epoch',
  speed: 'watch',
  problemsOpen: false,
  presenting: false,
  highlight: null,
  lectureVisit: 0,
  viewState: {},
};

function oneOf<T>(value: unknown, known: readonly T[], fallback: T): T {
  return known.includes(value as T) ? (value as T) : fallback;
}

const readIndex = (value: unknown): number | null =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null;

function readHighlight(value: unknown): Settings['highlight'] {
  const { term, at } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return typeof term === 'string' && typeof at === 'string' ? { term, at } : null;
}

/** @param viewIds the ids that exist */
export function readSettings(stored: unknown, viewIds: readonly string[]): Settings {
  const from = (typeof stored === 'object' && stored !== null ? stored : {}) as Record<string, unknown>;
  const { parameter } = from;
  // Panels saved by earlier versions used the key "kept".
  const viewState = from.viewState ?? from.kept;
  return {
    view: oneOf(from.view, viewIds, defaultSettings.view),
    multiView: (from.multiView ?? from.several) === true,
    open: Array.isArray(from.open) ? viewIds.filter((id) => (from.open as unknown[]).includes(id)) : [],
    layer: readIndex(from.layer),
    sample: readIndex(from.sample),
    logLoss: typeof from.logLoss === 'boolean' ? from.logLoss : null,
    gradientsOf: oneOf(from.gradientsOf, ['parameters', 'outputs'], defaultSettings.gradientsOf),
    activationsOf: oneOf(from.activationsOf, ['all', 'selected'], defaultSettings.activationsOf),
    tensor: oneOf(
      from.tensor,
      ['output', 'output_gradient', 'parameter', 'parameter_gradient', 'buffer', 'internal', 'internal_gradient'],
      defaultSettings.tensor,
    ),
    parameter: typeof parameter === 'string' ? parameter : null,
    runTo: oneOf(from.runTo, ['step', 'epoch'], defaultSettings.runTo),
    speed: oneOf(from.speed, Object.keys(speeds) as Speed[], defaultSettings.speed),
    problemsOpen: false,
    presenting: from.presenting === true,
    highlight: readHighlight(from.highlight),
    lectureVisit: readIndex(from.lectureVisit) ?? 0,
    viewState: typeof viewState === 'object' && viewState !== null ? (viewState as Record<string, unknown>) : {},
  };
}
