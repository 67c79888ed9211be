// Custom layers of a spec, and its custom loss and penalty. They are loaded elsewhere and requested by their index in
// the spec: the loss comes after the layers, and the penalty after the loss.
import { PENALTY_NAME } from '../protocol/check-report';
import type { Problem } from '../protocol/problem';
import { customLayerSpec, type CustomOptions } from '../engine/custom/custom-layer-spec';
import { CustomLayerError } from '../engine/custom/custom-layer-error';
import { customLossSpec, type CustomLossOptions } from '../engine/custom/custom-loss-spec';
import type { CustomPenaltyDefinition } from '../engine/custom/custom-penalty';
import type { LayerDefinition } from '../engine/layers/layer';
import type { LossDefinition } from '../engine/losses/loss';
import { createProblem, type Path, type Range } from './spec-source';
import type { Spec } from './spec';

export type CustomRole = 'layer' | 'loss' | 'penalty';

/** Each throws a CustomLayerError if the file could not be loaded or exports something else. */
export interface CustomLayerProvider {
  /** @param layer index of a custom layer in the spec */
  getDefinition(layer: number): LayerDefinition;
  /** For a spec with a custom loss. */
  getLoss?(): LossDefinition;
  /** For a spec with a custom penalty. */
  getPenalty?(): CustomPenaltyDefinition;
}

/** The index of the loss or the penalty among all that may be custom. */
export const indexOfRole = ({ layers }: Pick<Spec, 'layers'>, role: Exclude<CustomRole, 'layer'>): number =>
  layers.length + (role === 'loss' ? 0 : 1);

/** What sentences call the loss and the penalty; a layer has a name. */
const ROLE_NAMES = { loss: 'the loss', penalty: PENALTY_NAME } as const;

/** The problem for an error of custom code, at its place in the spec. Rethrows any other error. */
export function layerFaultToProblem(spec: Spec, index: number, error: unknown): Problem {
  if (!(error instanceof CustomLayerError)) throw error;
  const { call, message, remedy, place } = error.details;
  const layerPath: Path = spec.layers[index]?.path ?? [index === indexOfRole(spec, 'loss') ? 'loss' : 'penalty'];
  const path = call === 'load' ? [...layerPath, 'module'] : layerPath;
  return { ...createProblem('custom-layer', spec.source.locate(path), message, remedy), place };
}

/** A custom layer, loss or penalty as a spec names it. */
export interface CustomLayerReference {
  readonly role: CustomRole;
  /** That of a layer; "the loss" or "the penalty". */
  readonly name: string;
  /** Among the layers of the spec, followed by the loss and the penalty. */
  readonly index: number;
  /** The path of its file, as written. */
  readonly module: string;
  readonly range: Range;
  readonly moduleRange: Range;
}

/** All custom code of a spec. */
export function listCustomLayers(spec: Spec): readonly CustomLayerReference[] {
  const { layers, loss, penalty, source } = spec;
  const references = layers.flatMap(({ type, name, options, range, path }, index): CustomLayerReference[] =>
    type === customLayerSpec.kind
      ? [
          {
            role: 'layer',
            name,
            index,
            module: (options as CustomOptions).module,
            range,
            moduleRange: source.locate([...path, 'module']),
          },
        ]
      : [],
  );
  const add = (role: Exclude<CustomRole, 'layer'>, module: string, range: Range): void => {
    const moduleRange = source.locate([role, 'module']);
    references.push({ role, name: ROLE_NAMES[role], index: indexOfRole(spec, role), module, range, moduleRange });
  };
  if (loss.type === customLossSpec.kind) add('loss', (loss.options as CustomLossOptions).module, loss.range);
  if (penalty.module !== undefined) add('penalty', penalty.module, source.locate(['penalty']));
  return references;
}

/** One problem for each custom layer, loss or penalty whose code may not run. */
export const codeNotAllowedProblems = (spec: Spec): readonly Problem[] =>
  listCustomLayers(spec).map(({ role, name, moduleRange }) =>
    createProblem(
      'code-not-allowed',
      moduleRange,
      `${role === 'layer' ? `${name} is a custom layer` : `The ${role} is custom code`}, and running its code is not allowed.`,
      'If you trust this folder, allow custom layers to run, in the terminal with --allow-code.',
    ),
  );
