// `nablascope` in a terminal: gives the commands the real streams, clock and signals, and ends with their exit code.
import fs from 'node:fs';
import path from 'node:path';
import { runCall } from './run';
import { EXIT, type Stream, type Terminal } from './terminal';

const stream = (to: NodeJS.WriteStream): Stream => ({
  write: (text) => void to.write(text),
  isTTY: to.isTTY === true,
  get columns() {
    // 0 where a terminal does not say.
    return to.columns || 80;
  },
});

/** The package lies one folder above the bundle, or further up when the bundle was built elsewhere. */
function version(): string {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    if (fs.existsSync(file)) {
      const { name, version: found } = JSON.parse(fs.readFileSync(file, 'utf8')) as { name?: string; version?: string };
      if (name === 'nablascope' && found) return found;
    }
    if (path.dirname(folder) === folder) return 'unknown';
  }
}

let interrupts = 0;
process.on('SIGINT', () => {
  interrupts++;
  // Asked twice, it does not wait for anything.
  if (interrupts > 1) process.exit(EXIT.interrupted);
});

// `nablascope … | head` closes the pipe early: nobody reads on, so there is nothing to say.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.good);
});

const terminal: Terminal = {
  out: stream(process.stdout),
  err: stream(process.stderr),
  // https://no-color.org: set and not empty turns colours off.
  colour: process.stdout.isTTY === true && !process.env.NO_COLOR,
  bundles: __dirname,
  cwd: process.cwd(),
  now: () => performance.now(),
  pause: () => new Promise((resolve) => void setImmediate(resolve)),
  interrupted: () => interrupts > 0,
};

void runCall(terminal, process.argv.slice(2), version()).then((code) => {
  process.exitCode = code;
});
