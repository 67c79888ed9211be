// What the nodes of a step are called, and which of them a phase is about. Text in, text out.
import type { AnswerTo, ModelInfo, Phase } from '../src/protocol/panel';

export type Node = AnswerTo<'nodes'>['nodes'][number];
export type NodeId = Node['id'];
export type Cell = { readonly node: NodeId; readonly index: number };

export const sameNode = (a: NodeId, b: NodeId): boolean => JSON.stringify(a) === JSON.stringify(b);

export function nodeName({ layers }: ModelInfo, id: NodeId): string {
  switch (id.of) {
    case 'input':
      return 'input';
    case 'target':
      return 'target';
    case 'output':
      return `output of ${layers[id.layer]?.name}`;
    case 'output_gradient':
      return `dL/d output of ${layers[id.layer]?.name}`;
    case 'parameter':
      return `${layers[id.layer]?.name}.${id.parameter}`;
    case 'parameter_gradient':
      return `dL/d ${layers[id.layer]?.name}.${id.parameter}`;
    case 'updated':
      return `${layers[id.layer]?.name}.${id.parameter} after the update`;
    case 'update':
      return `update of ${layers[id.layer]?.name}.${id.parameter}`;
  }
}

/** The index of an entry in a node of this shape, as it is written. */
export function indexOf(shape: readonly number[], index: number): number[] {
  const place: number[] = [];
  for (let i = shape.length - 1, rest = index; i >= 0; i--) {
    place.unshift(rest % shape[i]);
    rest = Math.floor(rest / shape[i]);
  }
  return place;
}

const inputOf = (layer: number): NodeId => (layer === 0 ? { of: 'input' } : { of: 'output', layer: layer - 1 });

/** What goes in and what comes out of a phase, in the order to read it. */
export function nodesOf({ layers }: ModelInfo, phase: Phase): NodeId[] {
  const last = layers.length - 1;
  switch (phase.kind) {
    case 'zero_grad':
      return layers.flatMap(({ index, parameters }) => parameters.map(({ shortName }): NodeId => ({ of: 'parameter_gradient', layer: index, parameter: shortName })));
    case 'forward': {
      const { layer } = phase;
      return [inputOf(layer), ...layers[layer].parameters.map(({ shortName }): NodeId => ({ of: 'parameter', layer, parameter: shortName })), { of: 'output', layer }];
    }
    case 'loss':
      return [{ of: 'output', layer: last }, { of: 'target' }];
    case 'loss_backward':
      return [{ of: 'output', layer: last }, { of: 'target' }, { of: 'output_gradient', layer: last }];
    case 'backward': {
      const { layer } = phase;
      return [
        { of: 'output_gradient', layer },
        ...layers[layer].parameters.map(({ shortName }): NodeId => ({ of: 'parameter_gradient', layer, parameter: shortName })),
        ...(layer > 0 ? [{ of: 'output_gradient', layer: layer - 1 } as const] : []),
      ];
    }
    case 'update':
      return layers.flatMap(({ index, parameters }) => parameters.filter(({ frozen }) => !frozen).flatMap(({ shortName }): NodeId[] => [
        { of: 'parameter_gradient', layer: index, parameter: shortName }, { of: 'update', layer: index, parameter: shortName }, { of: 'updated', layer: index, parameter: shortName },
      ]));
  }
}

/** The rules of a phase, in LaTeX. */
export function rulesOf({ layers, loss, optimizer }: ModelInfo, phase: Phase): string[] {
  switch (phase.kind) {
    case 'zero_grad':
      return [String.raw`\d{w} \leftarrow 0 \quad \text{for every parameter } w`];
    case 'forward':
      return [layers[phase.layer].math?.forward].filter((rule) => rule !== undefined);
    case 'loss':
      return [loss.math?.value].filter((rule) => rule !== undefined);
    case 'loss_backward':
      return [loss.math?.gradient].filter((rule) => rule !== undefined);
    case 'backward': {
      const { math, parameters } = layers[phase.layer];
      const own = parameters.map(({ shortName }) => math?.parameters?.[shortName]);
      return [...own, phase.layer > 0 ? math?.input : undefined].filter((rule) => rule !== undefined);
    }
    case 'update':
      return [optimizer.math?.update].filter((rule) => rule !== undefined);
  }
}

/** The rule by which a node comes about, in LaTeX; undefined for what is given, or has none. */
export function ruleOf({ layers, loss, optimizer }: ModelInfo, id: NodeId): string | undefined {
  switch (id.of) {
    case 'input':
    case 'target':
    case 'parameter':
      return undefined;
    case 'output':
      return layers[id.layer].math?.forward;
    case 'output_gradient':
      return id.layer === layers.length - 1 ? loss.math?.gradient : layers[id.layer + 1].math?.input;
    case 'parameter_gradient':
      return layers[id.layer].math?.parameters?.[id.parameter];
    case 'updated':
    case 'update':
      return optimizer.math?.update;
  }
}
