// The host's side of an engine process: starts one, carries calls to it, and says in plain words why it
// ended. It knows nothing of VS Code. Every call settles: with a result, an error, or the process's end.
import { type ChildProcess, fork } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { createBirpc } from 'birpc';
import type { Fault } from '../engine/custom/fault';
import type { EngineCalls, HostCalls, SupervisorNotice } from '../protocol/engine';
import { makeBlackBox, openBlackBox } from './black-box';
import { describeExit } from './words';

export interface EngineClientOptions<Voice extends object> {
  /** dist/engine-process.js; its worker lies beside it. */
  readonly file: string;
  /** For the supervisor, such as `--heap=512`. */
  readonly arguments?: readonly string[];
  /** For Node itself, such as `--preserve-symlinks`. */
  readonly nodeArguments?: readonly string[];
  /** What the engine may call. */
  readonly host: Voice;
  /** Called once, unless `dispose` was called before: why the process ended, and which layer of the user's own is to blame. */
  readonly onExit: (reason: string, fault: Fault | null) => void;
  /** What the process wrote to its output, for a log. */
  readonly onOutput?: (text: string) => void;
}

/** A call that the end of the process left without an answer. */
export class EngineExitError extends Error {
  override name = 'EngineExitError';
}

const STDERR_KEPT = 8192;

let started = 0;

/** @typeParam Calls what the process answers; those of a run unless told. */
export class EngineClient<Calls extends object = EngineCalls, Voice extends object = HostCalls> {
  readonly calls: Calls;
  /** Settles when the process has ended, with why. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  #disposed = false;
  #notice: SupervisorNotice | null = null;
  #stderr = '';

  constructor(options: EngineClientOptions<Voice>) {
    const blackBox = path.join(os.tmpdir(), `nablascope-${process.pid}-${++started}.txt`);
    makeBlackBox(blackBox);
    const args = [`--black-box=${blackBox}`, ...(options.arguments ?? [])];
    const child = fork(options.file, args, {
      execPath: process.execPath,
      execArgv: [...(options.nodeArguments ?? [])],
      env: environment(),
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    const rpc = createBirpc<Calls, Voice>(options.host, {
      post: (message) => this.#post(message),
      on: (listener) =>
        child.on('message', (message) => {
          if (isNotice(message)) this.#notice = message;
          // A turn of the event loop each: whoever waits for an answer goes on before the next message is
          // heard. Node hands over at once all that arrived together.
          else setImmediate(listener, message);
        }),
      bind: 'functions',
      timeout: -1,
      // An answer that the process no longer hears is nobody's error; a call that was not sent is its caller's.
      onGeneralError: (_error, answering) => answering !== undefined,
    });
    this.calls = rpc as unknown as Calls;

    child.stdout?.setEncoding('utf8').on('data', (text: string) => options.onOutput?.(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
      options.onOutput?.(text);
    });
    this.exited = new Promise((resolve) => {
      let ended = false;
      const end = (code: number | null, signal: string | null, startError: string | null): void => {
        if (ended) return;
        ended = true;
        const running = openBlackBox(blackBox);
        const { reason, fault } = describeExit({ code, signal, notice: this.#notice, running, stderr: this.#stderr, startError });
        rpc.$close(new EngineExitError(reason));
        resolve(reason);
        if (!this.#disposed) options.onExit(reason, fault);
      };
      // `close` comes after the last message, `exit` may come before it.
      child.on('close', (code, signal) => setImmediate(end, code, signal, null));
      child.on('error', (error) => {
        if (child.pid === undefined) end(null, null, error.message);
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Ends the process at once; pending calls are rejected. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** What a process that is going does not take waits for its end, which alone knows why. */
  async #post(message: object): Promise<void> {
    const refused = await new Promise<Error | null>((resolve) => {
      if (this.#child.connected) this.#child.send(message, resolve);
      else resolve(new Error('The channel is closed.'));
    });
    if (!refused) return;
    throw this.#child.connected ? refused : new EngineExitError(await this.exited);
  }
}

function isNotice(message: unknown): message is SupervisorNotice {
  return typeof message === 'object' && message !== null && (message as { type?: unknown }).type === 'supervisor';
}

/** Inside Electron the same binary is a browser or a Node; options meant for the host are not for the engine. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return { ...rest, ELECTRON_RUN_AS_NODE: '1' };
}
