// Threads that replay parts of a run to answer queries. They start with the first long query, and end when they have
// been idle for a while, since each holds a copy of the network and its data.
import { type MessagePort, MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { PieceReport, PieceTask, QueryPiece, ReplayThreads } from '../../session/replay-threads';
import type { ReplayedRun, ReplayMessage, ReplayWorkerData } from './messages';

const IDLE_MS = 20_000;

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  /** The piece in progress. */
  task: ThreadTask | null;
}

class ThreadTask implements PieceTask {
  readonly reports: PieceReport[] = [];
  hasFailed = false;

  constructor(readonly receive: () => void) {}

  takeReports(): readonly PieceReport[] | null {
    this.receive();
    return this.hasFailed ? null : this.reports.splice(0);
  }
}

export class EngineReplayThreads implements ReplayThreads {
  readonly #threads = new Set<Thread>();
  readonly #messages = new Int32Array(new SharedArrayBuffer(4));
  #seen = 0;
  /** After a failure, the others do the work. */
  #isUnavailable = false;
  #idleTimer: NodeJS.Timeout | null = null;

  /** @param file replay-worker.js */
  constructor(
    readonly run: ReplayedRun,
    readonly size: number,
    readonly file: string,
  ) {}

  start(piece: QueryPiece): PieceTask | null {
    if (this.#isUnavailable) return null;
    for (const thread of this.#threads) this.#receive(thread);
    const idle = [...this.#threads].find(({ task }) => !task);
    if (!idle && this.#threads.size >= this.size) return null;
    const thread = idle ?? this.#startThread();
    const task = new ThreadTask(() => this.#receive(thread));
    thread.task = task;
    thread.port.postMessage(piece);
    this.#idleTimer ??= setTimeout(() => this.#stopIdle(), IDLE_MS).unref();
    this.#idleTimer.refresh();
    return task;
  }

  wait(milliseconds: number): void {
    Atomics.wait(this.#messages, 0, this.#seen, milliseconds);
  }

  /** Ends all threads. Pieces in progress fail. */
  stop(): void {
    this.#isUnavailable = true;
    if (this.#idleTimer) clearTimeout(this.#idleTimer);
    for (const thread of [...this.#threads]) this.#end(thread);
  }

  #stopIdle(): void {
    this.#idleTimer = null;
    for (const thread of [...this.#threads]) {
      this.#receive(thread);
      // A client that has gone asks for no more reports.
      if (!thread.task) this.#end(thread);
    }
    if (this.#threads.size > 0) this.#idleTimer = setTimeout(() => this.#stopIdle(), IDLE_MS).unref();
  }

  #startThread(): Thread {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(this.file, {
      workerData: { run: this.run, port: port2, messages: this.#messages } satisfies ReplayWorkerData,
      transferList: [port2],
    });
    worker.unref();
    const thread: Thread = { worker, port: port1, task: null };
    const fail = (): void => {
      this.#isUnavailable = true;
      this.#end(thread);
    };
    worker.on('error', fail);
    this.#threads.add(thread);
    return thread;
  }

  #end(thread: Thread): void {
    this.#threads.delete(thread);
    if (thread.task) thread.task.hasFailed = true;
    thread.port.close();
    void thread.worker.terminate();
  }

  #receive(thread: Thread): void {
    this.#seen = Atomics.load(this.#messages, 0);
    for (;;) {
      const received = receiveMessageOnPort(thread.port) as { readonly message: ReplayMessage } | undefined;
      const { task } = thread;
      if (!received || !task) return;
      const { message } = received;
      if (message === 'failed') {
        this.#isUnavailable = true;
        task.hasFailed = true;
      } else task.reports.push(message);
      if (message === 'failed' || message.end !== null) thread.task = null;
    }
  }
}
