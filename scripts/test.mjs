// Runs every test and ends with one line: "N passed, N failed".
//   npm test                       every stage
//   npm test -- unit host          only these stages
//   npm test -- --changed [REF]    only what the changes since REF (HEAD by default) can break
// Stages run in two lanes side by side: one is bound by the processor, the other mostly waits for a browser.
// A type check and a lint run count as one test each. A stage that crashes counts as one failure.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { killGroup, nodeExecutable, root } from './vscode-server.mjs';

/** @typedef {{ passed: number, failed: number }} Counts */

/** @type {Counts} */
const ok = { passed: 1, failed: 0 };
/** @type {Counts} */
const bad = { passed: 0, failed: 1 };

/** Limits for what hangs: a script without output, and all stages together. */
const silenceLimitMinutes = 15;
const totalLimitMinutes = 70;
const startedAt = performance.now();

/** What failed, with the first lines of why: repeated at the end, where the output of other stages hides none of it. */
const failures = [];
const failureLines = 12;

/** Process groups of the scripts that run now. */
const running = new Set();
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    for (const child of running) killGroup(child, 'SIGKILL');
    process.exit(1);
  });
}

/**
 * Runs a script; each line of output is prefixed with its stage. Resolves with the exit code and the last count line.
 * A script that hangs is killed with all that it started, and so is what it leaves behind: a process that outlives it
 * and holds its output would keep the whole run waiting.
 */
function run(stage, script, args = []) {
  return new Promise((resolve, reject) => {
    const child = spawn(nodeExecutable(), [path.join(root, script), ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    running.add(child);
    let counts = null;
    let lastLineAt = performance.now();
    let lastLine = '(none)';
    let follow = 0;
    const log = (line) => {
      const labeled = `${stage.padEnd(7)} ${line}`;
      if (/^ *FAILED\b/.test(line)) follow = failureLines;
      else follow = /^ {4}/.test(line) ? follow - 1 : 0;
      if (follow > 0) failures.push(labeled);
      console.log(labeled);
    };
    const print = (line) => {
      lastLineAt = performance.now();
      lastLine = line;
      const match = /^(\d+) passed, (\d+) failed$/.exec(line);
      if (match) counts = { passed: Number(match[1]), failed: Number(match[2]) };
      else log(line);
    };
    for (const stream of [child.stdout, child.stderr]) readline.createInterface({ input: stream }).on('line', print);
    const watchdog = setInterval(() => {
      const minutesSince = (time) => (performance.now() - time) / 60_000;
      const isSilent = minutesSince(lastLineAt) > silenceLimitMinutes;
      if (!isSilent && minutesSince(startedAt) <= totalLimitMinutes) return;
      const limit = isSilent
        ? `no output for ${silenceLimitMinutes} minutes`
        : `no end ${totalLimitMinutes} minutes after the start of all tests`;
      log(`FAILED: ${script} was killed: ${limit}. Its last line: ${lastLine}`);
      killGroup(child, 'SIGKILL');
    }, 1000);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearInterval(watchdog);
      running.delete(child);
      const survivorsHoldOutput = setTimeout(() => {
        log(`Processes that ${script} left running were killed.`);
        killGroup(child, 'SIGKILL');
        child.stdout.destroy();
        child.stderr.destroy();
      }, 5000);
      child.on('close', () => {
        clearTimeout(survivorsHoldOutput);
        resolve({ code: code ?? signal, counts });
      });
    });
  });
}

async function checkTypes() {
  const total = { passed: 0, failed: 0 };
  const configs = fs.readdirSync(root).filter((file) => /^tsconfig(\.(?!base|land)\w+)?\.json$/.test(file));
  configs.push('assembly/tsconfig.json');
  for (const config of configs) {
    const { code } = await run('types', 'node_modules/typescript/bin/tsc', ['-p', config]);
    console.log(`types   ${code === 0 ? 'ok' : 'FAILED'} ${config}`);
    total[code === 0 ? 'passed' : 'failed']++;
  }
  return total;
}

async function checkFormat(files = ['.']) {
  const { code } = await run('format', 'node_modules/prettier/bin/prettier.cjs', [
    '--check',
    '--ignore-unknown',
    '--log-level=warn',
    ...files,
  ]);
  return code === 0 ? ok : bad;
}

async function lint(files = ['.']) {
  const { code } = await run('lint', 'node_modules/eslint/bin/eslint.js', [
    '--max-warnings=0',
    '--no-warn-ignored',
    ...files,
  ]);
  return code === 0 ? ok : bad;
}

/** @param {string | null} since run only the tests whose imports changed since this commit */
async function vitest(project, since = null) {
  const report = path.join(root, 'out', `vitest-${project}.json`);
  fs.rmSync(report, { force: true });
  const { code } = await run(project, 'node_modules/vitest/vitest.mjs', [
    'run',
    ...['--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    // Where everything waits for what never comes, each test would take its whole time limit.
    '--bail=20',
    ...(since === null ? [] : ['--changed', since, '--passWithNoTests']),
  ]);
  if (!fs.existsSync(report)) {
    if (since !== null && code === 0) return { passed: 0, failed: 0 };
    throw new Error(`vitest ended with ${code} and left no report.`);
  }
  const { testResults } = JSON.parse(fs.readFileSync(report, 'utf8'));
  const total = { passed: 0, failed: 0 };
  let skipped = 0;
  for (const file of testResults) {
    const count = (status) => file.assertionResults.filter((test) => test.status === status).length;
    total.passed += count('passed');
    skipped += file.assertionResults.length - count('passed') - count('failed');
    for (const { status, fullName, failureMessages } of file.assertionResults) {
      if (status !== 'failed') continue;
      const lines = failureMessages.flatMap((message) => message.split('\n'));
      const reasons = lines.filter((line) => !line.includes('node_modules')).slice(0, failureLines);
      for (const line of [`FAILED ${fullName}`, path.relative(root, file.name), ...reasons]) {
        failures.push(`${project.padEnd(7)} ${line}`);
      }
    }
    if (file.message) failures.push(`${project.padEnd(7)} FAILED ${path.relative(root, file.name)}: ${file.message}`);
    // A file that could not be loaded has no tests to count.
    total.failed += file.status === 'failed' ? Math.max(1, count('failed')) : count('failed');
  }
  if (skipped > 0) console.log(`${project.padEnd(7)} ${skipped} skipped`);
  // An error that no test awaited, for example.
  if (code !== 0 && total.failed === 0) total.failed = 1;
  if (since === null && total.passed + total.failed === 0) throw new Error(`There is no ${project} test.`);
  return total;
}

/** A script that prints its own count. */
async function counted(stage, script, args) {
  const { code, counts } = await run(stage, script, args);
  if (!counts) throw new Error(`${script} ended with ${code} and printed no count.`);
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** Files of the repository that differ from a commit, untracked ones included. */
function changedFiles(since) {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);
  return [...git('diff', '--name-only', since), ...git('ls-files', '--others', '--exclude-standard')];
}

/** What every stage depends on. */
const AFFECTS_ALL = /^(package(-lock)?\.json|tsconfig.*\.json|vitest\.config\.mts|scripts\/|\.ci\/)/;

/**
 * Stages in order, with their lane. `run` gets the selection; `isAffected` says whether the changed files matter to it.
 * @typedef {{ since: string | null, files: string[], bundles: Record<string, string[]> }} Selection
 */
const stages = {
  types: { lane: 0, isAffected: ({ files }) => files.some(isCode), run: checkTypes },
  format: {
    lane: 0,
    isAffected: ({ files }) => files.some((file) => fs.existsSync(path.join(root, file))),
    run: ({ since, files }) => (since === null ? checkFormat() : checkFormat(files.filter(exists))),
  },
  lint: {
    lane: 0,
    isAffected: ({ files }) => files.some((file) => isCode(file) && exists(file)),
    run: ({ since, files }) => (since === null ? lint() : lint(files.filter((file) => isCode(file) && exists(file)))),
  },
  unit: { lane: 0, isAffected: ({ files }) => files.length > 0, run: ({ since }) => vitest('unit', since) },
  build: {
    lane: 1,
    isAffected: () => true,
    run: async (selection) => {
      selection.bundles = await build({ complete: true });
      return ok;
    },
  },
  webview: {
    lane: 1,
    isAffected: ({ files, bundles }) => touches(files, bundles['dist/webview.js'], /^test\/(webview|support)\//),
    run: () => vitest('webview'),
  },
  host: {
    lane: 1,
    isAffected: ({ files, bundles }) =>
      touches(files, Object.values(bundles).flat(), /^(test\/host|examples|media)\/|^package\.json$/),
    run: () => counted('host', 'scripts/test-host.mjs', ['--no-build']),
  },
  vsix: {
    lane: 1,
    isAffected: ({ files }) => files.some((file) => /^(package\.json|\.vscodeignore|media\/|scripts\/)/.test(file)),
    run: () => counted('vsix', 'scripts/test-vsix.mjs', []),
  },
};

const isCode = (file) => /\.m?[tj]s$/.test(file);
const exists = (file) => fs.existsSync(path.join(root, file));
const touches = (files, inputs, tests) => files.some((file) => inputs.includes(file) || tests.test(file));

/**
 * @param {{ names?: string[], since?: string | null }} [what] names of stages; none means all
 * @returns {Promise<number>} the exit code
 */
export async function test({ names = [], since = null } = {}) {
  const unknown = names.filter((name) => !Object.hasOwn(stages, name));
  if (unknown.length > 0) {
    console.error(`Unknown stage: ${unknown.join(', ')}. Stages: ${Object.keys(stages).join(', ')}.`);
    return 2;
  }
  const files = since === null ? [] : changedFiles(since);
  const selective = since !== null && !files.some((file) => AFFECTS_ALL.test(file));
  const selection = { since: selective ? since : null, files, bundles: {} };
  const results = {};
  const runLane = async (lane) => {
    for (const [name, stage] of Object.entries(stages)) {
      if (stage.lane !== lane || (names.length > 0 && !names.includes(name))) continue;
      if (selective && !stage.isAffected(selection)) continue;
      const started = performance.now();
      let counts;
      try {
        counts = await stage.run(selection);
      } catch (error) {
        console.log(`${name.padEnd(7)} FAILED: ${error.stack ?? error}`);
        counts = bad;
      }
      results[name] = { ...counts, seconds: (performance.now() - started) / 1000 };
    }
  };
  await Promise.all([runLane(0), runLane(1)]);
  if (failures.length > 0) console.log(['', 'What failed:', ...failures].join('\n'));
  console.log('');
  const total = { passed: 0, failed: 0 };
  for (const name of Object.keys(stages)) {
    if (!results[name]) continue;
    const { passed, failed, seconds } = results[name];
    total.passed += passed;
    total.failed += failed;
    const columns = [name.padEnd(8), String(passed).padStart(5), 'passed', String(failed).padStart(4), 'failed'];
    console.log(`${columns.join(' ')}  ${seconds.toFixed(1)} s`);
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { changed: { type: 'boolean', default: false } },
});
const isStage = (name) => Object.hasOwn(stages, name);
process.exitCode = await test(
  values.changed
    ? { since: positionals.find((name) => !isStage(name)) ?? 'HEAD', names: positionals.filter(isStage) }
    : { names: positionals },
);
