// Real helping threads for tests: the thread's file, bundled as it ships.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

export interface BuiltThread {
  readonly file: string;
  remove(): Promise<void>;
}

export async function buildThread(): Promise<BuiltThread> {
  const folder = await mkdtemp(join(tmpdir(), 'nablascope-thread-'));
  const file = join(folder, 'engine-thread.js');
  await build({
    entryPoints: [resolve(__dirname, '..', '..', 'src', 'machine', 'thread.ts')],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'warning',
  });
  return { file, remove: () => rm(folder, { recursive: true, force: true }) };
}
