// Runs every test, stage by stage, and ends with one line: "N passed, N failed".
//   npm test                  all stages
//   npm test -- unit host     only these
// A type check and a lint run count as one each. A stage that crashes counts as failed.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { nodeExecutable, root } from './vscode-server.mjs';

const ok = { passed: 1, failed: 0 };
const bad = { passed: 0, failed: 1 };

/** Runs one of the project's tools, its output passed through; resolves with the exit code. */
function tool(script, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(nodeExecutable(), [path.join(root, 'node_modules', script), ...args], {
      cwd: root,
      stdio: 'inherit',
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
}

async function types() {
  const total = { passed: 0, failed: 0 };
  for (const config of ['tsconfig.json', 'tsconfig.pure.json', 'tsconfig.webview.json', 'tsconfig.test.json']) {
    const code = await tool('typescript/bin/tsc', ['-p', config]);
    console.log(`  ${code === 0 ? 'ok' : 'FAILED'} ${config}`);
    total[code === 0 ? 'passed' : 'failed']++;
  }
  return total;
}

async function lint() {
  const code = await tool('eslint/bin/eslint.js', ['.', '--max-warnings', '0']);
  console.log(`  ${code === 0 ? 'ok' : 'FAILED'} eslint`);
  return code === 0 ? ok : bad;
}

async function vitest(project) {
  const report = path.join(root, 'out', `vitest-${project}.json`);
  fs.rmSync(report, { force: true });
  const code = await tool('vitest/vitest.mjs', [
    'run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`,
  ]);
  if (!fs.existsSync(report)) throw new Error(`vitest ended with ${code} and left no report.`);
  const { testResults } = JSON.parse(fs.readFileSync(report, 'utf8'));
  const total = { passed: 0, failed: 0 };
  let skipped = 0;
  for (const file of testResults) {
    const statuses = file.assertionResults.map(({ status }) => status);
    total.passed += statuses.filter((status) => status === 'passed').length;
    const failures = statuses.filter((status) => status === 'failed').length;
    skipped += statuses.length - statuses.filter((status) => status === 'passed').length - failures;
    // A file that could not even be loaded has no tests to count.
    total.failed += file.status === 'failed' && failures === 0 ? 1 : failures;
  }
  if (skipped > 0) console.log(`  ${skipped} skipped or to do`);
  // For example an error that no test awaited.
  if (code !== 0 && total.failed === 0) total.failed = 1;
  if (total.passed + total.failed === 0) throw new Error(`There is no ${project} test.`);
  return total;
}

const stages = {
  types,
  lint,
  unit: () => vitest('unit'),
  build: async () => {
    await build({ complete: true });
    return ok;
  },
  webview: () => vitest('webview'),
  host: async () => (await import('./test-host.mjs')).testHost(),
  vsix: async () => (await import('./test-vsix.mjs')).testVsix(),
};

/** @param {string[]} names none: all stages */
export async function test(names) {
  const unknown = names.filter((name) => !Object.hasOwn(stages, name));
  if (unknown.length > 0) {
    console.error(`There is no stage ${unknown.join(', ')}. Stages: ${Object.keys(stages).join(', ')}.`);
    return 2;
  }
  const results = [];
  const since = (started) => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  for (const [name, run] of Object.entries(stages)) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.log(`\n== ${name} ==`);
    const started = performance.now();
    let counts;
    try {
      counts = await run();
    } catch (error) {
      console.log(`  FAILED stage ${name}: ${error.stack ?? error}`);
      counts = bad;
    }
    results.push({ name, ...counts, time: since(started) });
  }
  console.log('');
  for (const { name, passed, failed, time } of results) {
    console.log(`${name.padEnd(8)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed  ${time}`);
  }
  const sum = (key) => results.reduce((all, result) => all + result[key], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  return sum('failed') === 0 ? 0 : 1;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await test(process.argv.slice(2));
}
