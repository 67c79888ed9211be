// Compiles the suites that run inside VS Code: every test/host/suite/*.test.ts is picked up by its name.
// (Run by itself it only compiles, for a debugger.)
//   NAME.test.ts             runs in a trusted window on a copy of examples/
//   NAME.reload.test.ts      runs after the same window was loaded again (what was left open is restored)
//   NAME.german.test.ts      runs in a window whose display language is German
//   NAME.restricted.test.ts  runs in a window whose folder is not trusted
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { root } from './vscode-server.mjs';

export const stages = ['main', 'reload', 'german', 'restricted'];

function stageOf(file) {
  return /\.(reload|german|restricted)\.test\.ts$/.exec(file)?.[1] ?? 'main';
}

/**
 * Compiles into out/host/ (or another folder inside the project): STAGE.js, and index.js for the stage `main`.
 * @param {{ filters?: string[], suiteFolder?: string, outFolder?: string }} [what] keep files whose name contains one
 *   of the filters
 * @returns {Promise<{ stage: string, files: string[], compiled: string }[]>} in the order to run, without empty ones
 */
export async function compileSuites({ filters = [], suiteFolder, outFolder } = {}) {
  const target = outFolder ?? path.join(root, 'out', 'host');
  const folder = suiteFolder ?? path.join(root, 'test', 'host', 'suite');
  const files = fs
    .readdirSync(folder)
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .sort();
  const plan = stages
    .map((stage) => ({
      stage,
      files: files.filter((file) => stageOf(file) === stage),
      compiled: path.join(target, stage === 'main' ? 'index.js' : `${stage}.js`),
    }))
    .filter((entry) => entry.files.length > 0);
  fs.rmSync(target, { recursive: true, force: true });
  for (const { files: own, compiled } of plan) {
    const list = own.map((file) => {
      const source = JSON.stringify(path.join(folder, file));
      return `  { name: ${JSON.stringify(file)}, load: () => require(${source}) },`;
    });
    await esbuild.build({
      stdin: {
        contents: [
          "import { runFiles } from './test/host/support/mocha-runner';",
          'export const run = () => runFiles([',
          ...list,
          ']);',
        ].join('\n'),
        resolveDir: root,
        sourcefile: `${path.basename(compiled, '.js')}.ts`,
        loader: 'ts',
      },
      bundle: true,
      outfile: compiled,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      external: ['vscode', 'mocha'],
      sourcemap: 'inline',
      tsconfig: path.join(root, 'tsconfig.test.json'),
      logLevel: 'warning',
    });
  }
  return plan;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { compiled, files } of await compileSuites({ filters: process.argv.slice(2) })) {
    console.log(`${path.relative(root, compiled)}: ${files.join(', ')}`);
  }
}
