// Runs the suites of test/host/suite inside a real VS Code (real workbench, real Node extension host) in Chromium:
//   node scripts/test-host.mjs            all of them
//   node scripts/test-host.mjs smoke      only files whose name contains "smoke"
// Options: --no-build, --extension DIR and --suite DIR (others than this project's). Pictures: test/screenshots/.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startBridge } from './test-bridge.mjs';
import { build, exitOnBuildError } from './build.mjs';
import { launchChromium } from './chromium.mjs';
import { compileSuites } from './compile-suites.mjs';
import { quietSettings, root, startServer, temporaryFolder, writeUserSettings } from './vscode-server.mjs';
import { closeWindow, openWindow } from './workbench.mjs';

/** A suite in which no test ends for so long is stuck: a test alone may take 5 minutes. */
const silenceLimitMilliseconds = 10 * 60_000;

/** A copy of examples/, with what test/host/workspace/ adds, so that tests may write. */
function copyWorkspace(target) {
  for (const source of [path.join(root, 'examples'), path.join(root, 'test', 'host', 'workspace')]) {
    if (fs.existsSync(source)) fs.cpSync(source, target, { recursive: true });
  }
  fs.mkdirSync(target, { recursive: true });
}

/** One window with one compiled suite; resolves with the counts when the suite has ended. */
async function runStage({ stage, compiled, files, keep }, { server, browser, context, workspace, extension }) {
  console.log(`\n${stage}: ${files.join(', ')}`);
  const counts = { passed: 0, failed: 0 };
  const fail = (title, message) => {
    counts.failed++;
    console.log(`  FAILED ${title}`);
    console.log(message.replace(/^/gm, '    '));
  };

  let expected = 0;
  let reported = 0;
  let ended = false;
  /** @type {Promise<unknown> | undefined} */
  let leaving;
  /** @type {import('playwright-core').Page | undefined} */
  let page;
  const exit = {};
  exit.promise = new Promise((resolve, reject) => Object.assign(exit, { resolve, reject }));
  server.bridge.onReport = (event) => {
    watchdog.refresh();
    if (event.type === 'begin') expected = event.total;
    else if (event.type === 'end') {
      // The window is closed before the suite ends: the extension host stops with the suite, and a workbench without
      // its extension host does not store open panels.
      ended = true;
      leaving = page && (keep ? closeWindow(page) : page.close());
      exit.resolve(counts.failed === 0 ? 0 : 1);
      return leaving;
    } else if (event.type === 'pass') {
      reported++;
      counts.passed++;
      console.log(`  ok ${event.title} (${event.milliseconds} ms)`);
    } else if (event.type === 'fail') {
      reported++;
      fail(event.title, event.message);
    } else if (event.type === 'skip') {
      reported++;
      fail(event.title, 'Skipped. Somebody stands outside here, so no test has a reason to be skipped.');
    }
    return undefined;
  };

  const watchdog = setTimeout(
    () => exit.reject(new Error(`No test has ended for ${silenceLimitMilliseconds / 60_000} minutes.`)),
    silenceLimitMilliseconds,
  );
  const consoleLines = [];
  try {
    const before = async (opened) => {
      page = opened;
      server.bridge.watch(opened);
      opened.on('crash', () => exit.reject(new Error('The window crashed.')));
      await opened.exposeFunction('codeAutomationLog', (type, args) => {
        // Only the first lines, without messages about native modules that this server does not need.
        const line = `[${type}] ${args.join(' ')}`.split('\n', 2).join(' ');
        if (!/watchdog|spdlog|bindings file|%/.test(line)) consoleLines.push(line);
      });
      await opened.exposeFunction('codeAutomationExit', (code) => exit.resolve(code));
    };
    void server.exited.then((code) => exit.reject(new Error(`VS Code's server ended (${code}).`)));
    const watchHost = setInterval(() => {
      // A suite that kills its own extension host can no longer report.
      if (!ended && /Extension Host Process exited with (?!code: 0)/.test(server.log().slice(server.logStart))) {
        exit.reject(new Error('The extension host died while the suite ran.'));
      }
    }, 500);
    try {
      // An early rejection must be handled while the window is still opening.
      const language = stage === 'german' ? 'de' : undefined;
      const what = { folder: workspace, extension, tests: compiled, language, before };
      const opening = openWindow({ browser, server, context, ...what });
      await Promise.race([opening, exit.promise]);
      const code = await exit.promise;
      if (!ended) throw new Error(`The suite did not run to its end (exit code ${code}).`);
      if (reported === 0) throw new Error('The suite ran no test.');
      if (reported < expected) throw new Error(`Only ${reported} of ${expected} tests reported.`);
      if (code !== 0 && counts.failed === 0) throw new Error(`VS Code ended with code ${code}.`);
    } finally {
      clearInterval(watchHost);
    }
  } catch (error) {
    const tail = [...consoleLines.slice(-20), ...server.log().trim().split('\n').slice(-10)].join('\n');
    fail(`${stage} (the run itself)`, `${error.stack ?? error}\n${tail}`);
    await page?.screenshot({ path: path.join(root, 'test', 'screenshots', `stuck-${stage}.png`) }).catch(() => {});
  } finally {
    clearTimeout(watchdog);
  }
  await leaving?.catch(() => {});
  await page?.close().catch(() => {});
  return counts;
}

/**
 * @param {{ filters?: string[], extension?: string, suiteFolder?: string,
 *   prepare?: (dataFolder: string) => Promise<void> }} [what] `prepare` may install extensions before the server starts
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function testHost({ filters = [], extension = root, suiteFolder, prepare } = {}) {
  const runFolder = temporaryFolder('host');
  // Compiled into the run's own folder, so that parallel runs do not interfere.
  const plan = await compileSuites({ filters, suiteFolder, outFolder: path.join(runFolder, 'suite') });
  if (plan.length === 0) throw new Error(`No file in test/host/suite matches ${filters.join(', ') || '*.test.ts'}.`);
  const total = { passed: 0, failed: 0 };
  const browser = await launchChromium();
  try {
    // `main`, `reload` and `german` share server, browser profile and workspace; `restricted` has its own.
    for (const trust of [true, false]) {
      const own = plan.filter(({ stage }) => (stage === 'restricted') !== trust);
      if (own.length === 0) continue;
      const dataFolder = path.join(runFolder, trust ? 'trusted' : 'restricted');
      const workspace = path.join(dataFolder, 'workspace');
      copyWorkspace(workspace);
      writeUserSettings(dataFolder, { ...quietSettings, 'workbench.colorTheme': 'Dark Modern' });
      await prepare?.(dataFolder);
      const bridge = await startBridge((event) => bridge.onReport(event));
      const server = await startServer({ dataFolder, trust, env: bridge.env, onProgress: console.log });
      const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
      try {
        for (const entry of own) {
          const stageServer = { ...server, bridge, logStart: server.log().length };
          const keep = entry.stage === 'main' && own.length > 1;
          const counts = await runStage(
            { ...entry, keep },
            { server: stageServer, browser, context, workspace, extension },
          );
          total.passed += counts.passed;
          total.failed += counts.failed;
        }
      } finally {
        await context.close();
        await server.stop();
        await bridge.close();
      }
    }
  } finally {
    await browser.close();
    fs.rmSync(runFolder, { recursive: true, force: true, maxRetries: 5 });
  }
  return total;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'no-build': { type: 'boolean', default: false },
      extension: { type: 'string' },
      suite: { type: 'string' },
    },
  });
  if (!values['no-build'] && !values.extension) await build().catch(exitOnBuildError);
  const { passed, failed } = await testHost({
    filters: positionals,
    extension: values.extension && path.resolve(values.extension),
    suiteFolder: values.suite && path.resolve(values.suite),
  });
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
