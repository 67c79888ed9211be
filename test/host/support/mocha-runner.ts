// Runs mocha inside VS Code's extension host and reports every result: to the runner through the bridge, or, on
// desktop, to the console. A run without tests is an error.
import Mocha from 'mocha';
import { hasWorkbench, workbench, report, type Report } from './workbench-driver';

export interface SuiteFile {
  name: string;
  load(): unknown;
}

function print(event: Report): Promise<void> {
  if (event.type === 'pass') console.log(`  ok ${event.title} (${event.milliseconds} ms)`);
  else if (event.type === 'fail') console.log(`  FAILED ${event.title}\n${event.message}`);
  else if (event.type === 'skip') console.log(`  skipped ${event.title} (needs the window outside)`);
  return Promise.resolve();
}

/** Resolves if all tests passed; rejects otherwise, so that VS Code exits with an error. */
export async function runFiles(files: readonly SuiteFile[]): Promise<void> {
  const tell = hasWorkbench ? report : print;
  const mocha = new Mocha({ ui: 'bdd', timeout: 300_000, slow: 1_000, reporter: function quiet() {} as never });
  mocha.suite.afterEach('picture of a failure', async function () {
    if (hasWorkbench && this.currentTest?.state === 'failed') {
      await workbench.screenshot(`failed-${this.currentTest.fullTitle()}`);
    }
  });
  for (const file of files) {
    mocha.suite.emit('pre-require', globalThis, file.name, mocha);
    file.load();
  }

  // Reports are sent one after the other, so that they arrive in the order of the tests.
  let queue = Promise.resolve();
  let passed = 0;
  let failed = 0;
  const send = (event: Report) => {
    queue = queue.then(() => tell(event));
  };
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => resolve());
    send({ type: 'begin', total: runner.total });
    runner.on('pass', (test) => {
      passed++;
      send({ type: 'pass', title: test.fullTitle(), milliseconds: Math.round(test.duration ?? 0) });
    });
    runner.on('pending', (test) => send({ type: 'skip', title: test.fullTitle() }));
    runner.on('fail', (test, error: Error) => {
      failed++;
      send({ type: 'fail', title: test.fullTitle(), message: error.stack ?? String(error) });
    });
  });
  send({ type: 'end' });
  await queue;
  if (!hasWorkbench) console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) throw new Error(`${failed} tests failed.`);
  if (passed === 0) throw new Error('No test ran.');
}
