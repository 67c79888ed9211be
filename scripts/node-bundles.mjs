// How what runs in Node is bundled, for the release and for tests that start it.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

export const node = {
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // Prefers ES modules: jsonc-parser's other form loads its parts in a way that no bundler follows.
  mainFields: ['module', 'main'],
  external: ['vscode'],
};

/**
 * Entry points that run outside of the extension host. They share the engine, and each loads only what it needs of it:
 * esbuild splits them at their `import()`s, which takes ES modules. An entry point ends with `export {}`: without an
 * export, esbuild takes it for CommonJS, as the package is, and defers everything that it imports.
 */
const nodeEntries = {
  'engine-process': 'src/process/entry.ts',
  'engine-worker': 'src/process/worker.ts',
  'engine-thread': 'src/platform/kernel-worker.ts',
  'debug-process': 'src/process/debug/entry.ts',
  'doctor-process': 'src/process/doctor/entry.ts',
  'replay-worker': 'src/process/replay/worker.ts',
  'sweep-process': 'src/process/sweep/entry.ts',
  'sweep-worker': 'src/process/sweep/worker.ts',
  cli: 'src/cli/main.ts',
};

export const launchers = Object.keys(nodeEntries).map((name) => `${name}.js`);

/** The options for these entry points, by default for all. */
export function nodeOptions(outdir, names = Object.keys(nodeEntries)) {
  return {
    ...node,
    entryPoints: Object.fromEntries(names.map((name) => [name, path.join(root, nodeEntries[name])])),
    outdir,
    bundle: true,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    format: 'esm',
    splitting: true,
    inject: [path.join(root, 'scripts', 'module-paths.mjs')],
    // Packages in CommonJS require modules of Node.
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
    tsconfig: path.join(root, 'tsconfig.json'),
    logLevel: 'warning',
  };
}

/** Writes the files that are started, by name. The package is CommonJS, so `.js` files cannot be ES modules. */
export function writeLaunchers(outdir, names = Object.keys(nodeEntries)) {
  for (const name of names) {
    const head = name === 'cli' ? '#!/usr/bin/env node\n' : '';
    fs.writeFileSync(path.join(outdir, `${name}.js`), `${head}import('./${name}.mjs');\n`, { mode: 0o755 });
  }
}
