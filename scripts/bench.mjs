// Runs the benchmarks of bench/ one after the other, each bundled and run in a separate process. `npm run bench` runs
// all of them, `npm run bench -- session` the named ones.
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

/** The JavaScript peers, if bench/package.json is installed. */
async function bundlePeers(outdir) {
  if (!fs.existsSync(path.join(folder, 'node_modules'))) return;
  const entryPoints = fs
    .readdirSync(folder)
    .filter((file) => /^peer-(?!process).*\.mjs$/.test(file))
    .map((file) => path.join(folder, file));
  // Some of them are not written as ES modules for Node, and need what only `require` provides.
  const banner = [
    "import { createRequire } from 'node:module';",
    "import { dirname } from 'node:path';",
    "import { fileURLToPath } from 'node:url';",
    'const require = createRequire(import.meta.url), __filename = fileURLToPath(import.meta.url), __dirname = dirname(__filename);',
  ];
  await esbuild.build({
    entryPoints,
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    mainFields: ['module', 'main'],
    banner: { js: banner.join('\n') },
    logLevel: 'error',
  });
}

let failed = false;
for (const name of names.length > 0 ? names : known) {
  console.log(`\n== ${name}`);
  const outdir = path.join(root, 'out', 'bench');
  if (name === 'kernels') await bundlePeers(outdir);
  await esbuild.build({
    // The worker threads' bundle is next to it, as in the release.
    entryPoints: {
      [name]: path.join(folder, `${name}.bench.ts`),
      'engine-thread': path.join(root, 'src', 'platform', 'kernel-worker.ts'),
      'replay-worker': path.join(root, 'src', 'process', 'replay', 'worker.ts'),
    },
    outdir,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    packages: 'external',
    absWorkingDir: root,
    logLevel: 'warning',
  });
  const { status } = spawnSync(
    process.execPath,
    ['--expose-gc', '--max-semi-space-size=8', path.join(outdir, `${name}.js`)],
    { stdio: 'inherit', cwd: root },
  );
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
