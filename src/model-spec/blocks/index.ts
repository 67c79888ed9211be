// All blocks of layers. To add one, add a file to this folder and a line to the table.
import { parallel } from './parallel';
import { repeat } from './repeat';
import { residual } from './residual';

export const blocks = { repeat, residual, parallel } as const;

export type BlockKind = keyof typeof blocks;

export const isBlockKind = (type: string): type is BlockKind => Object.hasOwn(blocks, type);
