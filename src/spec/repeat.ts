// Blocks of layers that repeat: what a spec writes once stands several times in the network.
import * as z from 'zod/mini';
import { count } from '../engine/options';
import { quote } from './source';
import type { Path } from './source';

/** More layers than this are refused: a panel cannot show them, and a text that long is a mistake. */
export const MAX_LAYERS = 1000;

/** As a unit of the family of layers. @param layer what a block is made of: layers, and further blocks */
export const repeat = <Layer>(layer: z.ZodMiniType<Layer>) => ({
  kind: 'repeat',
  summary:
    'A block of layers, several times one after the other: the same as writing them out. Each gets a name and parameters of its own; a given name gets a number, such as hidden1, hidden2. A block may hold further blocks.',
  options: z.strictObject({
    times: count('How often.').check(z.lte(MAX_LAYERS)),
    layers: z.array(layer).check(z.minLength(1), z.maxLength(MAX_LAYERS), z.describe('The layers of the block, from first to last.')),
  }),
}) as const;

interface Block {
  readonly type: 'repeat';
  readonly times: number;
}

type Written<Layer> = Layer | (Block & { readonly layers: readonly Written<Layer>[] });

/** A layer of the network, and where the spec writes it. */
export interface Placed<Layer> {
  readonly layer: Layer;
  readonly path: Path;
  /** Which copy of what is written it is, counted from 1 through all blocks around it; null outside of a block. */
  readonly time: number | null;
}

const isBlock = (layer: unknown): layer is Block & { readonly layers: readonly unknown[] } =>
  typeof layer === 'object' && layer !== null && (layer as { type?: unknown }).type === 'repeat' && Array.isArray((layer as { layers?: unknown }).layers);

/** How many layers a list stands for. */
export const expandedCount = (layers: readonly unknown[]): number =>
  layers.reduce<number>((sum, layer) => sum + (isBlock(layer) ? layer.times * expandedCount(layer.layers) : 1), 0);

/** The layers that a list stands for, from first to last. @param copy which copy of the list it is, counted from 0; null outside of a block */
export const expanded = <Layer>(layers: readonly Written<Layer>[], at: Path = ['layers'], copy: number | null = null): Placed<Layer>[] =>
  layers.flatMap((written, i): Placed<Layer>[] => {
    const path = [...at, i];
    if (!isBlock(written)) return [{ layer: written as Layer, path, time: copy === null ? null : copy + 1 }];
    const { times, layers: inner } = written as Block & { readonly layers: readonly Written<Layer>[] };
    return Array.from({ length: times }, (_, time) => expanded(inner, [...path, 'layers'], (copy ?? 0) * times + time)).flat();
  });

/** `hidden` outside of a block, `hidden2` the second time in one. */
export const nameAt = (name: string, time: number | null): string => (time === null ? name : `${name}${time}`);

/** Said of the block that makes a list too long. */
export const tooMany = (total: number): readonly [message: string, remedy: string] => [
  `With its blocks written out this spec has ${total.toLocaleString('en-US')} layers; at most ${MAX_LAYERS.toLocaleString('en-US')} are taken.`,
  `Choose a smaller ${quote('times')}.`,
];
