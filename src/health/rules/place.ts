// What several rules about a spec's text need: where things stand, and which layer comes last in effect.
import type { LayerModel } from '../../engine/network';
import type { Problem } from '../../spec/problem';
import type { Resolved } from '../../spec/resolve';

/** A warning about layer `index`. */
export function aboutLayer({ spec }: Resolved, index: number, code: string, message: string, remedy: string): Problem {
  return { code, severity: 'warning', ...spec.layers[index].range, message, remedy };
}

/** A warning about the loss. */
export function aboutLoss({ spec }: Resolved, code: string, message: string, remedy: string): Problem {
  return { code, severity: 'warning', ...spec.loss.range, message, remedy };
}

/** The last layer that does something; identity layers after it do not count. */
export function lastActive({ model }: Resolved): { readonly layer: LayerModel; readonly index: number } | undefined {
  for (let index = model.layers.length - 1; index >= 0; index--) {
    const layer = model.layers[index];
    if (layer.definition.kind !== 'identity') return { layer, index };
  }
  return undefined;
}
