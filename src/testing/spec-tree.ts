// A spec as Test Explorer shows it: its layers, in each the gradients that are checked.
import { type CaseLayer, casePlaces } from '../gradcheck/cases';
import { placesOf } from '../host/text-lines';
import { readSpecText } from '../host/spec-text';
import type { ModelInfo } from '../session/frame';
import type { Problem, Range } from '../spec';

/** Lines and columns from 0. */
export interface Place {
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
}

// Labels say everything: where there is a description beside it, screen readers are told that alone.
export interface CheckNode {
  readonly id: string;
  readonly label: string;
}

export interface LayerNode extends CheckNode {
  readonly place: Place;
  readonly checks: readonly CheckNode[];
}

export interface SpecTree {
  /** Whether the text says what there is to check. */
  readonly legible: boolean;
  /** False where the text alone does not say which parameters there are: its data lie in a file, or its layers do. */
  readonly complete: boolean;
  readonly layers: readonly LayerNode[];
  /** Errors of the text, each with its place. */
  readonly errors: readonly { readonly message: string; readonly place: Place }[];
}

/** The check of a case below its layer. */
export const checkId = (tensor: string, parameter: string | null): string => (parameter === null ? tensor : `parameter ${tensor}`);

/** A layer's, in which VS Code allows no NUL. */
export const layerId = (name: string): string => `layer ${JSON.stringify(name)}`;

/** @param model of a run of this very text, where one was made: it knows what the text alone cannot say. */
export function treeOf(text: string, model?: ModelInfo): SpecTree {
  const { spec, resolved, problems } = readSpecText(text);
  const errors = problems.filter(({ severity }) => severity === 'error').map((problem) => ({ message: sentenceOf(problem), place: placeIn(text, problem) }));
  if (!spec) return { legible: false, complete: true, layers: [], errors };
  const layers: readonly CaseLayer[] | undefined = model?.layers ?? resolved?.model.layers.map(({ name, definition, inputShape, options }) => ({
    name,
    parameters: (definition.parameters?.(inputShape, options) ?? []).map((parameter) => ({ name: `${name}.${parameter.name}`, shortName: parameter.name })),
  }));
  const places = layers && casePlaces(layers);
  const checksOf = (index: number | null): CheckNode[] =>
    (places ?? [])
      .filter(({ layer }) => layer === index)
      .map(({ tensor, parameter }) => ({
        id: checkId(tensor, parameter),
        label: parameter === null ? (index === null ? 'gradient it starts from' : 'gradient handed back') : tensor,
      }));
  const nodes = spec.layers.map(({ name, range }, index): LayerNode => ({
    id: layerId(name), label: name, place: placeIn(text, range), checks: checksOf(index),
  }));
  const loss: LayerNode = { id: 'loss', label: 'loss', place: placeIn(text, spec.loss.range), checks: checksOf(null) };
  // A layer that is known to have nothing to check is no test.
  const shown = [...nodes, loss].filter(({ checks }) => !places || checks.length > 0);
  return { legible: true, complete: places !== undefined, layers: shown, errors };
}

export const sentenceOf = ({ message, remedy }: Problem): string => `${message} ${remedy}`;

export function placeIn(text: string, { start, end }: Range): Place {
  const [from, to] = placesOf(text, [start, end]).map(({ line, column }) => ({ line: line - 1, column: column - 1 }));
  return { start: from, end: to };
}
