// Layers of the user's own, as a spec sees them: loaded by somebody else, asked for by their place in the spec.
import { LayerFault } from '../engine/custom/fault';
import type { LayerDefinition } from '../engine/layers/layer';
import type { Problem } from './problem';
import { problem } from './source';
import type { Spec } from './spec';

export interface LayerCode {
  /**
   * @param layer index in the spec, of a custom layer.
   * @throws LayerFault where its file could not be loaded, or exports no layer.
   */
  definition(layer: number): LayerDefinition;
}

/** A fault of a custom layer at its line in the spec. Other errors are thrown on. */
export function faultProblem({ source, layers }: Spec, layer: number, error: unknown): Problem {
  if (!(error instanceof LayerFault)) throw error;
  const { call, message, remedy, place } = error.fault;
  const path = call === 'load' ? [...layers[layer].path, 'module'] : layers[layer].path;
  return { ...problem('custom-layer', source.locate(path), message, remedy), place };
}

/** For every custom layer, that its code may not run. */
export const notAllowed = ({ source, layers }: Spec): readonly Problem[] =>
  layers.flatMap(({ type, name, path }) =>
    type === 'custom'
      ? problem(
          'code-not-allowed',
          source.locate([...path, 'module']),
          `${name} is code of your own, and running it was not allowed.`,
          'Allow it for this folder if you trust what is in it; in the terminal with --allow-code.',
        )
      : [],
  );
