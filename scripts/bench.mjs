// Runs the benchmarks of bench/, each bundled and run in a process of its own, one after the other.
// `npm run bench` runs all of them, `npm run bench -- engine` the named ones.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const folder = path.join(root, 'bench');
const known = fs
  .readdirSync(folder)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''))
  .sort();

const names = process.argv.slice(2);
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}. There are: ${known.join(', ')}.`);
  process.exit(2);
}

let failed = false;
for (const name of names.length > 0 ? names : known) {
  console.log(`\n== ${name}`);
  const outdir = path.join(root, 'out', 'bench');
  await esbuild.build({
    // The helping threads' file lies beside it, as it does beside what ships.
    entryPoints: { [name]: path.join(folder, `${name}.bench.ts`), 'engine-thread': path.join(root, 'src', 'machine', 'thread.ts') },
    outdir,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    packages: 'external',
    absWorkingDir: root,
    logLevel: 'warning',
  });
  const { status } = spawnSync(process.execPath, ['--expose-gc', path.join(outdir, `${name}.js`)], { stdio: 'inherit', cwd: root });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
