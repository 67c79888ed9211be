// The layers that a spec's list of layers and blocks stands for, with their inputs.
import { NETWORK_INPUT } from '../../engine/network-graph';
import type { LayerBlock } from '../../protocol/model-info';
import type { Path } from '../spec-source';
import { type BlockKind, blocks, isBlockKind } from '.';
import type { BlockDefinition, JoinKind, ValueSource, WrittenLayer } from './block';

const blockOf = (type: string): BlockDefinition<BlockKind, WrittenLayer> | undefined =>
  isBlockKind(type) ? (blocks[type] as unknown as BlockDefinition<BlockKind, WrittenLayer>) : undefined;

/** A layer of the network, and its path in the spec. */
export interface ExpandedLayer<Layer> {
  /** The written layer; of the join of a block, the block. */
  readonly layer: Layer;
  readonly type: string;
  /** For the join of a block. */
  readonly block?: BlockKind;
  readonly path: Path;
  /** The number of this copy, from 1, across all enclosing blocks that repeat; null outside of one. */
  readonly repetition: number | null;
  /** Where its inputs come from, unless it names them. */
  readonly inputs: readonly ValueSource[];
  /** The layers that it can refer to by the names that the spec gives them, the nearest first. */
  readonly scopes: readonly ReadonlyMap<string, number>[];
  /** The blocks around it, the outermost first. */
  readonly blocks: readonly LayerBlock[];
}

/** The number of layers that a list expands to. */
export const countExpandedLayers = (layers: readonly WrittenLayer[]): number =>
  layers.reduce((sum, layer) => sum + (blockOf(layer.type)?.size(layer, countExpandedLayers) ?? 1), 0);

/** `hidden` outside of a block, `hidden2` for the second copy in one. */
export const repeatedName = (name: string, repetition: number | null): string =>
  repetition === null ? name : `${name}${repetition}`;

/** What a list of layers in a block is called, in addition to the block itself; null for the only list of a block. */
function labelOfList(kind: string, key: Path, copy: { readonly index: number; readonly times: number } | undefined) {
  if (copy) return `${kind} ${copy.index + 1} of ${copy.times}`;
  const [name, branch] = key;
  if (name === 'branches') return `branch ${Number(branch) + 1}`;
  return name === 'shortcut' ? name : null;
}

/**
 * The layers that a list expands to, in order.
 * @param inputs layers that come first, each with its path: they take parts of the data
 */
export function expandLayers<Layer extends WrittenLayer>(
  layers: readonly Layer[],
  inputs: readonly (readonly [Layer, Path])[] = [],
): ExpandedLayer<Layer>[] {
  const names = new Map<string, number>();
  const expanded = inputs.map(([layer, path], index): ExpandedLayer<Layer> => {
    names.set(layer.name!, index);
    return { layer, type: layer.type, path, repetition: null, inputs: [NETWORK_INPUT], scopes: [names], blocks: [] };
  });
  /** @param copyIndex the copy of the list, from 0; null outside of a block that repeats */
  const expandList = (
    list: readonly WrittenLayer[],
    basePath: Path,
    listInput: ValueSource,
    copyIndex: number | null,
    scopes: readonly Map<string, number>[],
    blocksAround: readonly LayerBlock[],
  ): ValueSource => {
    let source = listInput;
    list.forEach((written, i) => {
      const path = [...basePath, i];
      const block = blockOf(written.type);
      const id = `${path.join('.')}#${copyIndex ?? ''}`;
      // A block that joins is around its branches and its join; of one that repeats, each copy is a block.
      const blocksInside = block?.joins ? [...blocksAround, { id, label: block.kind }] : blocksAround;
      const push = (type: string, inputs: readonly ValueSource[], joined?: BlockKind): ValueSource => {
        const index = expanded.length;
        expanded.push({
          layer: written as Layer,
          type,
          ...(joined && { block: joined }),
          path,
          repetition: copyIndex === null ? null : copyIndex + 1,
          inputs,
          scopes,
          blocks: blocksInside,
        });
        if (written.name !== undefined) scopes[0]!.set(written.name, index);
        return index;
      };
      source = block
        ? block.expand(written, source, {
            append: (inner, key, input, copy) => {
              const label = labelOfList(written.type, key, copy);
              const copyId = `${id}/${key.join('.')}${copy ? `:${copy.index}` : ''}`;
              return expandList(
                inner,
                [...path, ...key],
                input,
                copy ? (copyIndex ?? 0) * copy.times + copy.index : copyIndex,
                copy ? [new Map(), ...scopes] : scopes,
                label === null ? blocksInside : [...blocksInside, { id: copyId, label }],
              );
            },
            join: (type: JoinKind, inputs) => push(type, inputs, block.kind),
          })
        : push(written.type, [source]);
    });
    return source;
  };
  expandList(layers, ['layers'], NETWORK_INPUT, null, [names], []);
  return expanded;
}
