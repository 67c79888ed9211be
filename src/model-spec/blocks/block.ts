// The definition of a block: layers that a spec writes together and that expand to layers of the network.
import type * as z from 'zod/mini';
import type { Path } from '../spec-source';

/** Maximum number of layers of a network: a panel cannot show more, and a longer list is a mistake. */
export const MAX_LAYERS = 1000;

/** What the network's input is called among the inputs of a layer. */
export const INPUT_NAME = 'input';

/** A layer or a block as the schema parses it. */
export interface WrittenLayer {
  readonly type: string;
  readonly name?: string;
}

/** Where values come from: a layer of the expanded network by its index, or NETWORK_INPUT. */
export type ValueSource = number;

/** Appends the layers of a block to the network. */
export interface BlockExpansion {
  /**
   * Appends a list of layers that the block holds, and returns where its output comes from.
   * @param key path of the list in the block
   * @param copy for a list that repeats: the number of this copy, from 0, out of `times`
   */
  append(
    layers: readonly WrittenLayer[],
    key: Path,
    input: ValueSource,
    copy?: { readonly index: number; readonly times: number },
  ): ValueSource;
  /** Appends a layer that joins values. It has the block's name. */
  join(type: JoinKind, inputs: readonly ValueSource[]): ValueSource;
}

export const JOIN_KINDS = ['add', 'multiply', 'concat'] as const;
export type JoinKind = (typeof JOIN_KINDS)[number];

export interface BlockDefinition<Kind extends string = string, Block = never> {
  readonly kind: Kind;
  readonly summary: string;
  readonly aliases: readonly string[];
  /** For completion. */
  readonly snippet: object;
  /** Whether the block ends in a layer that joins its branches, which a name can be given to. */
  readonly joins: boolean;
  /** @param layers the schema of a list of layers and blocks, with this description */
  options(layers: (description: string) => z.ZodMiniType<readonly WrittenLayer[]>): z.ZodMiniType<Block>;
  /** The number of layers that it expands to. @param count that of a list */
  size(block: Block, count: (layers: readonly WrittenLayer[]) => number): number;
  /** Returns where the block's output comes from. */
  expand(block: Block, input: ValueSource, expansion: BlockExpansion): ValueSource;
  /** What to do if the inputs of the join have different shapes. */
  readonly mismatchRemedy?: string;
}

/** Infers the type of a block's options. */
export const defineBlock = <const Kind extends string, Block>(
  definition: BlockDefinition<Kind, Block>,
): BlockDefinition<Kind, Block> => definition;
