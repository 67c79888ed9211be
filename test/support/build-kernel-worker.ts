// Real worker threads for tests: the kernel worker, bundled as in the release.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

export interface BuiltWorker {
  readonly file: string;
  remove(): Promise<void>;
}

export async function buildKernelWorker(): Promise<BuiltWorker> {
  const folder = await mkdtemp(join(tmpdir(), 'nablascope-thread-'));
  const file = join(folder, 'engine-thread.js');
  await build({
    entryPoints: [resolve(__dirname, '..', '..', 'src', 'platform', 'kernel-worker.ts')],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'warning',
  });
  return { file, remove: () => rm(folder, { recursive: true, force: true }) };
}
