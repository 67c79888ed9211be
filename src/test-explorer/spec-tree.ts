// A spec as Test Explorer shows it: its layers, and in each the gradients that are checked.
import { l10n } from 'vscode';
import type { ModelInfo } from '../protocol/model-info';
import type { Problem } from '../protocol/problem';
import { type CaseLayer, listCaseTargets, PENALTY_CASE } from '../presentation/check-cases';
import { positionsAt } from '../host/model-spec/text-positions';
import { analyzeSpec } from '../host/model-spec/analyze-spec';
import type { SpecAnalysis } from '../host/run/run-options';
import { type CooperativeTask, listCustomLayers, ownParameters, type Range, runToCompletion } from '../model-spec';

/** Lines and columns from 0. */
export interface LineRange {
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
}

// The label says everything: if an item has a description, screen readers read only that.
export interface CheckNode {
  readonly id: string;
  readonly label: string;
}

export interface LayerNode extends CheckNode {
  readonly range: LineRange;
  readonly checks: readonly CheckNode[];
}

export interface SpecTree {
  /** Whether the text has no errors, so that its layers are known. */
  readonly isValid: boolean;
  /** False if the parameters do not follow from the text alone, because the data or a layer is in a file. */
  readonly isComplete: boolean;
  readonly layers: readonly LayerNode[];
  /** Names of the custom layers, which need permission to run. */
  readonly customLayers: readonly string[];
  /** Errors of the text, each with its range. */
  readonly errors: readonly { readonly message: string; readonly range: LineRange }[];
}

/** Id of a check among those of its layer. */
export const checkId = (tensor: string, parameter: string | null): string =>
  parameter === null ? tensor : `parameter ${tensor}`;

/** Id of a layer. VS Code allows no NUL in ids, and JSON escapes it. */
export const layerId = (name: string): string => `layer ${JSON.stringify(name)}`;
export const LOSS_ID = 'loss';
export const PENALTY_ID = 'penalty';

/** @param model of a run of this text, if there was one: it knows the parameters that do not follow from the text. */
export const buildSpecTree = (text: string, model?: ModelInfo): SpecTree =>
  runToCompletion(buildSpecTreeTask(analyzeSpec(text), model));

/** In pieces of at most some milliseconds for a thousand layers. */
export function* buildSpecTreeTask(
  { text, spec, resolved, problems }: SpecAnalysis,
  model?: ModelInfo,
): CooperativeTask<SpecTree> {
  const errors = problems
    .filter(({ severity }) => severity === 'error')
    .map((problem) => ({ message: problemTextOf(problem), range: lineRangeOf(text, problem) }));
  if (!spec) return { isValid: false, isComplete: true, customLayers: [], layers: [], errors };
  yield 'listing errors';
  const layers: readonly CaseLayer[] | undefined =
    model?.layers ??
    resolved?.model.layers.map((layer, index) => ({
      name: layer.name,
      kind: layer.definition.kind,
      inputs: layer.inputs ?? [index - 1],
      parameters: ownParameters(layer).map((parameter) => ({
        name: `${layer.name}.${parameter.name}`,
        shortName: parameter.name,
      })),
    }));
  const hasPenalty = spec.penalty.module !== undefined;
  const cases = layers && listCaseTargets(layers, hasPenalty);
  yield 'listing checks';
  const checks = new Map<number | null, CheckNode[]>();
  for (const { layer, tensor, parameter } of cases ?? []) {
    if (layer === null && tensor === PENALTY_CASE) continue;
    const known = checks.get(layer) ?? [];
    checks.set(layer, known);
    known.push({
      id: checkId(tensor, parameter),
      // The gradient of the prediction is that of the loss's input.
      label: parameter !== null ? tensor : layer === null ? l10n.t('input gradient') : l10n.t('{0} gradient', tensor),
    });
  }
  const ranges = lineRangesOf(text, [...spec.layers.map(({ range }) => range), spec.loss.range]);
  yield 'finding lines';
  const nodes = spec.layers.map(({ name }, index): LayerNode => ({
    id: layerId(name),
    label: name,
    range: ranges[index]!,
    checks: checks.get(index) ?? [],
  }));
  const loss: LayerNode = { id: LOSS_ID, label: l10n.t('loss'), range: ranges.at(-1)!, checks: checks.get(null) ?? [] };
  const penalty: LayerNode[] = hasPenalty
    ? [
        {
          id: PENALTY_ID,
          label: l10n.t('penalty'),
          range: lineRangeOf(text, spec.source.locate(['penalty'])),
          checks: cases ? [{ id: checkId(PENALTY_CASE, null), label: l10n.t('gradient') }] : [],
        },
      ]
    : [];
  // A layer without gradients to check is no test.
  const shown = [...nodes, loss, ...penalty].filter((node) => !cases || node.checks.length > 0);
  const customLayers = listCustomLayers(spec).map(({ name }) => name);
  return { isValid: true, isComplete: cases !== undefined, customLayers, layers: shown, errors };
}

/** Whether a layer has the same name, lines and checks as another one. */
export const isSameLayer = (one: LayerNode | undefined, other: LayerNode): boolean =>
  one !== undefined &&
  isSameCheck(one, other) &&
  isSamePlace(one.range.start, other.range.start) &&
  isSamePlace(one.range.end, other.range.end) &&
  one.checks.length === other.checks.length &&
  one.checks.every((check, i) => isSameCheck(check, other.checks[i]!));

const isSameCheck = (one: CheckNode, other: CheckNode): boolean => one.id === other.id && one.label === other.label;
const isSamePlace = (one: LineRange['start'], other: LineRange['start']): boolean =>
  one.line === other.line && one.column === other.column;

export const problemTextOf = ({ message, remedy }: Problem): string => `${message} ${remedy}`;

export const lineRangeOf = (text: string, range: Range): LineRange => lineRangesOf(text, [range])[0]!;

/** In one pass over the text. */
function lineRangesOf(text: string, ranges: readonly Range[]): LineRange[] {
  const positions = positionsAt(
    text,
    ranges.flatMap(({ start, end }) => [start, end]),
  ).map(({ line, column }) => ({ line: line - 1, column: column - 1 }));
  return ranges.map((_, i) => ({ start: positions[2 * i]!, end: positions[2 * i + 1]! }));
}
