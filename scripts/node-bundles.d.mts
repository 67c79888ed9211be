import type { BuildOptions } from 'esbuild';

export const node: BuildOptions;
export const launchers: readonly string[];
/** @param names of the entry points, such as `cli`; by default all */
export function nodeOptions(outdir: string, names?: readonly string[]): BuildOptions;
export function writeLaunchers(outdir: string, names?: readonly string[]): void;
