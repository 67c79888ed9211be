// Bundles the release: extension, engine process with its worker and worker threads, terminal command, panel.
// Everything is inside the bundles, so the package has no dependencies. `--watch` rebuilds on change, `--production`
// minifies.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { refreshKernels } from './kernels.mjs';
import { launchers, node, nodeOptions, writeLaunchers } from './node-bundles.mjs';
import { noticesOf } from './notices.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const dist = path.join(root, 'dist');
const NOTICES = 'THIRD-PARTY-NOTICES.txt';

/** The names of chunks contain hashes, so those of earlier builds would remain, and be packed. */
function removeOldFiles(metafiles) {
  const outputs = metafiles.flatMap((metafile) => Object.keys(metafile.outputs).map((file) => path.basename(file)));
  const current = new Set([...outputs, ...launchers, NOTICES]);
  for (const file of fs.readdirSync(dist)) if (!current.has(file)) fs.rmSync(path.join(dist, file));
}

/** Entry point, output, and special options. */
const bundles = [
  { entry: 'src/extension.ts', out: 'dist/extension.js', options: node },
  {
    entry: 'src/process/entry.ts',
    out: 'dist/*.mjs',
    options: { ...nodeOptions(dist), outfile: undefined },
  },
  {
    entry: 'webview/main.ts',
    out: 'dist/webview.js',
    // CSS that main.ts imports becomes dist/webview.css; the icon font is copied next to it.
    options: {
      platform: 'browser',
      format: 'iife',
      target: 'es2022',
      loader: { '.ttf': 'file', '.woff': 'file', '.woff2': 'file', '.svg': 'dataurl' },
      assetNames: '[name]',
    },
  },
];

function optionsOf({ entry, out, options }, production) {
  return {
    entryPoints: [path.join(root, entry)],
    outfile: path.join(root, out),
    absWorkingDir: root,
    bundle: true,
    minify: production,
    sourcemap: production ? false : 'linked',
    define: { 'process.env.NODE_ENV': JSON.stringify(production ? 'production' : 'development') },
    // In production, licenses are collected in one file instead.
    legalComments: production ? 'none' : 'inline',
    metafile: true,
    tsconfig: path.join(root, entry.startsWith('webview') ? 'tsconfig.webview.json' : 'tsconfig.json'),
    logLevel: 'warning',
    ...options,
  };
}

export class BuildError extends Error {}

/**
 * Builds everything into dist/.
 * @param {{ production?: boolean, watch?: boolean, complete?: boolean }} [how] `complete` (and `production`) fail if an
 * entry point is missing
 * @returns {Promise<Record<string, string[]>>} the source files of each bundle; none when watching
 */
export async function build({ production = false, watch = false, complete = production } = {}) {
  fs.mkdirSync(dist, { recursive: true });
  if (await refreshKernels()) console.log('build: the WebAssembly kernels were compiled again');
  const present = bundles.filter(({ entry }) => {
    if (fs.existsSync(path.join(root, entry))) return true;
    if (complete) throw new BuildError(`${entry} is missing.`);
    console.log(`build: ${entry} does not exist yet, skipped`);
    return false;
  });
  writeLaunchers(dist);
  if (watch) {
    const logProgress = {
      name: 'log-progress',
      setup(context) {
        context.onStart(() => console.log('build started'));
        context.onEnd(() => console.log('build finished'));
      },
    };
    for (const bundle of present) {
      const context = await esbuild.context({ ...optionsOf(bundle, production), plugins: [logProgress] });
      await context.watch();
    }
    return {};
  }
  const built = await Promise.allSettled(present.map((bundle) => esbuild.build(optionsOf(bundle, production))));
  const metafiles = built.flatMap((result) =>
    result.status === 'fulfilled' && result.value.metafile ? [result.value.metafile] : [],
  );
  const broken = built.length - metafiles.length;
  // esbuild has printed the errors; a stack trace would add nothing.
  if (broken > 0) throw new BuildError(`${broken} of ${built.length} bundles could not be built.`);
  removeOldFiles(metafiles);
  if (production) fs.writeFileSync(path.join(dist, NOTICES), noticesOf(metafiles, root));
  return Object.fromEntries(present.map(({ out }, i) => [out, Object.keys(metafiles[i]?.inputs ?? {})]));
}

/** For scripts that end when a build fails. */
export function exitOnBuildError(error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exit(1);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const started = performance.now();
  const watch = process.argv.includes('--watch');
  await build({ production: process.argv.includes('--production'), watch }).catch(exitOnBuildError);
  if (!watch) {
    for (const name of fs
      .readdirSync(dist)
      .filter((file) => !file.endsWith('.map'))
      .sort()) {
      const { size } = fs.statSync(path.join(dist, name));
      console.log(`  dist/${name}  ${(size / 1024).toFixed(1)} KB`);
    }
    console.log(`built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
}
