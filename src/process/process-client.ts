// The host's side of an engine process: starts it, calls it, and explains in plain words why it ended. Independent of
// VS Code. Every call settles: with a result, an error, or the end of the process.
import type { CustomLayerErrorDetails } from '../protocol/problem';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { createBirpc } from 'birpc';
import { type EngineCalls, type EngineEvents, PING, PONG, type SupervisorNotice } from '../protocol/engine';
import { consumeBreadcrumbFile } from './crash-breadcrumb';
import { describeExit } from './exit-cause';
import { CHANNEL_FD, type FramedChannel, openChannel } from './message-channel';
import { OutputBudget } from './output-budget';

export interface ProcessClientOptions<Events extends object> {
  /** dist/engine-process.js; its worker is next to it. */
  readonly file: string;
  /** For the supervisor, such as `--heap=512`. */
  readonly arguments?: readonly string[];
  /** For Node, such as `--preserve-symlinks`. */
  readonly nodeArguments?: readonly string[];
  /** The events that the engine may send. */
  readonly events: Events;
  /** Called once, unless `dispose` was called before: why the process ended, and the custom layer at fault. */
  readonly onExit: (reason: string, fault: CustomLayerErrorDetails | null) => void;
  /**
   * Milliseconds without an answer of the process after which it is ended: code in it can stop or block it. By default,
   * there is no limit, for processes whose main thread computes.
   */
  readonly responseTimeout?: number;
  /** Output of the process, for a log; limited. */
  readonly onOutput?: (text: string) => void;
}

/** An engine's main thread computes nothing, so it answers within milliseconds. */
export const ENGINE_RESPONSE_TIMEOUT_MS = 10_000;

/** The process ended before it answered a call. */
export class ProcessExitError extends Error {
  override name = 'ProcessExitError';
}

const STDERR_TAIL_CHARS = 8192;
const MAX_OUTPUT_CHARS_PER_SECOND = 2 ** 16;
/** Pings during a timeout; more than one, so that a computer that was asleep is no reason to end the process. */
const PINGS_PER_TIMEOUT = 5;
/** After the end of the process, how long what it wrote may take to arrive. */
const LEFTOVER_OUTPUT_MS = 2000;

/** @typeParam Calls what the process answers; by default, the calls of a run */
export class ProcessClient<Calls extends object = EngineCalls, Events extends object = EngineEvents> {
  readonly calls: Calls;
  /** Resolves with the reason when the process has ended. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  readonly #channel: FramedChannel;
  #disposed = false;
  #notice: SupervisorNotice | null = null;
  #stderr = '';
  /** Why this end killed the process. */
  #killedFor: 'malformed' | 'unresponsive' | null = null;
  /** Null until the first message, since starting may take any time. */
  #unansweredPings: number | null = null;

  constructor(options: ProcessClientOptions<Events>) {
    // The name cannot be guessed, and the process creates the folder, for this user only, if there is none.
    const breadcrumbFile = path.join(os.tmpdir(), `nablascope-${randomUUID()}`, 'layer-call.txt');
    const args = [`--crash-breadcrumb=${breadcrumbFile}`, ...(options.arguments ?? [])];
    const child = spawn(process.execPath, [...(options.nodeArguments ?? []), options.file, ...args], {
      env: childEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    let receive: (message: unknown) => void = () => undefined;
    this.#channel = openChannel(child.stdio[CHANNEL_FD] as Duplex, {
      onMessage: (message) => {
        this.#unansweredPings = 0;
        if (message === PONG) return;
        if (isSupervisorNotice(message)) this.#notice = message;
        // Gives each message its own turn of the event loop, so that code awaiting an answer runs before the next
        // message is handled. All messages that arrived together are delivered at once.
        else setImmediate(receive, message);
      },
      onClose: () => undefined,
      onMalformed: () => this.#kill('malformed'),
    });
    const rpc = createBirpc<Calls, Events>(options.events, {
      post: (message: object) => this.#post(message),
      on: (listener) => {
        receive = listener;
      },
      bind: 'functions',
      timeout: -1,
      // A failed answer to a dead process is ignored; a call that was not sent is reported to its caller.
      onGeneralError: (_error, functionName) => functionName !== undefined,
    });
    this.calls = rpc as unknown as Calls;

    const output = new OutputBudget(() => performance.now(), MAX_OUTPUT_CHARS_PER_SECOND);
    const handleOutput = (text: string): void => {
      const { admitted, dropped } = output.admit(text.length);
      if (dropped > 0) options.onOutput?.(`${dropped} characters of output were left out.`);
      if (admitted > 0) options.onOutput?.(text.slice(0, admitted));
    };
    child.stdout?.setEncoding('utf8').on('data', handleOutput);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_TAIL_CHARS);
      handleOutput(text);
    });
    const pinging = this.#startPinging(options.responseTimeout);
    this.exited = new Promise((resolve) => {
      let hasExited = false;
      const handleExit = async (
        code: number | null,
        signal: string | null,
        startError: string | null,
      ): Promise<void> => {
        if (hasExited) return;
        hasExited = true;
        clearInterval(pinging);
        const { layerCall, hasCustomLayers } = await consumeBreadcrumbFile(breadcrumbFile);
        const { reason, fault } = describeExit({
          code,
          signal,
          notice: this.#notice,
          killedFor: this.#killedFor,
          layerCall,
          hasCustomLayers,
          stderr: this.#stderr,
          startError,
        });
        rpc.$close(new ProcessExitError(reason));
        resolve(reason);
        if (!this.#disposed) options.onExit(reason, fault);
      };
      // `close` comes after the last message; `exit` may come before it. A process that a custom layer started may hold
      // the output open for as long as it runs.
      child.on('close', (code, signal) => setImmediate(() => void handleExit(code, signal, null)));
      child.on('exit', () => {
        setTimeout(() => {
          child.stdout?.destroy();
          child.stderr?.destroy();
          this.#channel.destroy();
        }, LEFTOVER_OUTPUT_MS).unref();
      });
      child.on('error', (error) => {
        if (child.pid === undefined) void handleExit(null, null, error.message);
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

  /** If the process is ending, waits for its exit handler, which knows the cause. */
  async #post(message: object): Promise<void> {
    const sendError = await new Promise<Error | null>((resolve) => {
      this.#channel.send(message, resolve);
    });
    if (!sendError) return;
    throw this.#channel.isOpen ? sendError : new ProcessExitError(await this.exited);
  }

  #startPinging(timeout: number | undefined): NodeJS.Timeout | undefined {
    if (timeout === undefined) return undefined;
    const timer = setInterval(() => {
      if (this.#unansweredPings !== null && this.#unansweredPings++ >= PINGS_PER_TIMEOUT) this.#kill('unresponsive');
      else this.#channel.send(PING);
    }, timeout / PINGS_PER_TIMEOUT);
    return timer.unref();
  }

  #kill(reason: 'malformed' | 'unresponsive'): void {
    this.#killedFor ??= reason;
    this.#child.kill('SIGKILL');
  }
}

function isSupervisorNotice(message: unknown): message is SupervisorNotice {
  return typeof message === 'object' && message !== null && (message as { type?: unknown }).type === 'supervisor';
}

/** In Electron the same binary is a browser or Node; options of the host must not reach the engine. */
function childEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return { ...rest, ELECTRON_RUN_AS_NODE: '1' };
}
