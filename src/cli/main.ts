// Entry point of `nablascope`: connects the commands to the real streams, clock and signals, and exits with their exit
// code.
import fs from 'node:fs';
import path from 'node:path';
import { Console } from 'node:console';
import { isMainThread, workerData } from 'node:worker_threads';
import { CustomLayerError } from '../engine/custom/custom-layer-error';
import type { CustomLayerWatch } from '../process/custom-layer-watch';
import { commands } from './commands';
import type { GuardedCommandData, StreamInfo } from './guarded-command';
import { answerError, runCli } from './run-cli';
import { EXIT, type Stream, type Terminal } from './terminal';

/** Set in the worker thread that runs a command with custom layers. */
const guarded = isMainThread ? null : (workerData as GuardedCommandData);

// Bound here, so that a custom layer cannot replace it.
const exit = process.exit.bind(process);

/** Nothing is printed once this is set. */
let isDone = false;

/** Set while a command with custom layers runs in this thread. */
let layerWatch: CustomLayerWatch | undefined;

const toStream = (to: StreamInfo, write: (text: string) => unknown): Stream => ({
  write: (text) => {
    if (!isDone) write(text);
  },
  isTTY: to.isTTY,
  get columns() {
    // 0 if the terminal does not report its width.
    return to.columns || 80;
  },
});

/** The package is one folder above the bundle, or further up if the bundle was built elsewhere. */
function readVersion(): string {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    if (fs.existsSync(file)) {
      const { name, version: found } = JSON.parse(fs.readFileSync(file, 'utf8')) as { name?: string; version?: string };
      if (name === 'nablascope' && found) return found;
    }
    if (path.dirname(folder) === folder) return 'unknown';
  }
}

const interrupts = new Int32Array(guarded?.interrupts ?? new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
if (isMainThread)
  process.on('SIGINT', () => {
    // The second Ctrl-C does not wait for results.
    if (Atomics.add(interrupts, 0, 1) > 0) exit(EXIT.interrupted);
  });

// `nablascope … | head` closes the pipe early. Nobody reads what follows, so the command ends, and like a program that
// SIGPIPE ends, without success and without a message.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    exit(EXIT.brokenPipe);
  });
}

// Standard output holds results only: what custom layers print goes to standard error.
const writeOut = process.stdout.write.bind(process.stdout);
const writeErr = process.stderr.write.bind(process.stderr);
process.stdout.write = writeErr;
globalThis.console = new Console(process.stderr, process.stderr);

const argv = process.argv.slice(2);
const isServer = commands.some(({ name, isServer = false }) => isServer && name === argv[0]);
const streamInfo = (stream: NodeJS.WriteStream): StreamInfo => ({
  isTTY: stream.isTTY,
  get columns() {
    return stream.columns;
  },
});
const [outInfo, errInfo] = guarded?.streams ?? [streamInfo(process.stdout), streamInfo(process.stderr)];
const terminal: Terminal = {
  ...(isServer && { input: process.stdin }),
  out: toStream(outInfo, writeOut),
  err: toStream(errInfo, writeErr),
  // https://no-color.org: set and not empty turns colors off.
  color: outInfo.isTTY && !process.env.NO_COLOR,
  bundleFolder: __dirname,
  cwd: process.cwd(),
  now: () => performance.now(),
  pause: () => new Promise((resolve) => void setImmediate(resolve)),
  interrupted: () => Atomics.load(interrupts, 0) > 0,
  debug: Boolean(process.env.NABLASCOPE_DEBUG),
};

function failWith(error: unknown): void {
  const code = answerError(terminal, argv, error);
  isDone = true;
  writeOut('', () => exit(code));
}

// Errors thrown outside of a command, such as in a timer of a custom layer.
const failOutside = (thrown: unknown, promise?: object): void => {
  const fault = layerWatch?.attribute(thrown, promise);
  failWith(fault ? new CustomLayerError(fault) : thrown);
};
process.on('uncaughtException', (thrown) => failOutside(thrown));
process.on('unhandledRejection', (reason, promise) => failOutside(reason, promise));

async function main(): Promise<number> {
  if (guarded) {
    const { createLayerWatch } = await import('./layer-watch');
    layerWatch = createLayerWatch(guarded.activity);
    return runCli({ ...terminal, layerWatch }, argv, readVersion());
  }
  if (!argv.includes('--allow-code') || isServer) return runCli(terminal, argv, readVersion());
  const { runGuarded } = await import('./guarded-command');
  const streams = [{ ...outInfo }, { ...errInfo }] as const;
  return runGuarded(process.argv[1]!, argv, interrupts.buffer, streams, { out: writeOut, err: writeErr });
}

main().then((code) => {
  process.exitCode = code;
}, failWith);

export {};
