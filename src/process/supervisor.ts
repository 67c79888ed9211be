// Answers the host on the process's main thread, and has a worker compute. It computes nothing itself, so that it can
// always answer. Code of the user's own gets a fresh worker each time: of what it left behind nothing stays, and the
// worker before goes on until the new one has taken over.
import type { EngineCalls, HostCalls, OpenRequest, OpenResult } from '../protocol/engine';
import { LayerFault } from '../engine/custom/fault';
import type { Answered, Asking, Question } from '../session/questions';
import type { CheckReport } from '../gradcheck/report';
import type { SessionCommand } from '../session/command';
import type { ProbeId } from '../session/frame';
import type { HandedOver } from '../session/hand-over';
import type { RunRecord } from '../session/record';
import { parseSpec, type Problem } from '../spec';
import { faultProblem } from '../spec/layer-code';
import type { HostVoice } from './engine';
import type { Begun } from './messages';
import type { Ending } from './words';
import { WorkerEndError, WorkerHandle, type WorkerHandleOptions } from './worker-handle';

export interface SupervisorOptions {
  readonly worker: Omit<WorkerHandleOptions, 'number' | 'host' | 'onEnd'>;
  readonly host: () => HostVoice;
  /** The worker that computes has ended: so must the process. */
  readonly onEnd: (ending: Ending) => void;
}

const PREPARE_MS = 250;

export class Supervisor implements EngineCalls {
  readonly #options: SupervisorOptions;
  readonly #workers = new Set<WorkerHandle>();
  #current: WorkerHandle;
  /** Started and warm, for the next time that code of the user's own is loaded: starting takes longer than loading. */
  #spare: WorkerHandle | null = null;
  /** The worker in which a spec is being opened. */
  #opening: WorkerHandle | null = null;
  /** Openings are done one after the other. */
  #queue: Promise<unknown> = Promise.resolve();
  /** Settles when no worker is about to take over. */
  #taking: Promise<unknown> = Promise.resolve();
  #request: OpenRequest | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#current = this.#start();
  }

  /** Looks after the workers. @param elapsed milliseconds since the look before. */
  look(elapsed: number): void {
    for (const worker of this.#workers) worker.look(elapsed);
  }

  /** Whether code of the user's own may hold memory that nobody else limits. */
  get ownCode(): WorkerHandle | null {
    return [...this.#workers].find((worker) => worker.hasOwnCode) ?? null;
  }

  open(request: OpenRequest): Promise<OpenResult> {
    return this.#inTurn(() => {
      // A guess that may be wrong, which costs a worker and nothing else.
      const ownCode = request.code === true && request.text.includes('"custom"');
      const fresh = this.#current.hasOwnCode || (ownCode && this.#current.used);
      return this.#open(fresh ? this.#fresh() : this.#current, request, ownCode, () => Promise.resolve(request.record ? { record: request.record, going: null } : null));
    });
  }

  async cancelOpen(): Promise<void> {
    await this.#opening?.calls.cancelOpen();
  }

  reload(): Promise<OpenResult> {
    return this.#inTurn(() => {
      const request = this.#request;
      if (!request) throw new Error('No run is open.');
      return this.#open(this.#fresh(), request, true, () => this.#current.calls.handOver());
    });
  }

  async command(command: SessionCommand): Promise<void> {
    await this.#taking;
    return this.#current.calls.command(command);
  }

  need(probes: readonly ProbeId[], questions: readonly Asking[]): Promise<void> {
    return this.#current.calls.need(probes, questions);
  }

  ask(question: Question): Promise<Answered> {
    return this.#current.calls.ask(question);
  }

  check(): Promise<CheckReport> {
    return this.#current.calls.check();
  }

  cancelCheck(): Promise<void> {
    return this.#current.calls.cancelCheck();
  }

  record(): Promise<RunRecord | null> {
    return this.#current.calls.record();
  }

  handOver(): Promise<HandedOver | null> {
    return this.#current.calls.handOver();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #open(
    worker: WorkerHandle, request: OpenRequest, ownCode: boolean, handedOver: () => Promise<HandedOver | null>,
  ): Promise<OpenResult> {
    this.#opening = worker;
    worker.hasOwnCode ||= ownCode;
    try {
      worker.expectLoading();
      const { ok, ...loaded } = await worker.calls.load(request);
      if (!ok) {
        this.#drop(worker);
        return { ok, ...loaded };
      }
      const { problems } = loaded;
      const begun = await this.#takeOver(async () => {
        const { record, going } = (await handedOver()) ?? { record: null, going: null };
        const answer = await worker.calls.begin(record && { ...record, text: request.text });
        return { answer, going };
      }, worker);
      worker.used = true;
      this.#request = request;
      return { ok, problems, ...begun };
    } catch (error) {
      if (!(error instanceof WorkerEndError) || !error.ending.fault) {
        this.#drop(worker);
        throw error;
      }
      // The spec's own code ended the worker that was to run it: that is what is wrong with the spec.
      this.#dispose(worker);
      if (worker === this.#current) this.#current = this.#start();
      return { ok: false, problems: problemsOf(request.text, new LayerFault(error.ending.fault)) };
    } finally {
      this.#opening = null;
      // What was opened is shown first.
      setTimeout(() => this.#prepare(), PREPARE_MS).unref();
    }
  }

  #fresh(): WorkerHandle {
    const spare = this.#spare;
    this.#spare = null;
    return spare ?? this.#start();
  }

  /** Has a spare worker where one may be needed soon, and else none. */
  #prepare(): void {
    if (this.#opening) return;
    if (!this.#current.hasOwnCode) {
      if (this.#spare) this.#dispose(this.#spare);
      this.#spare = null;
    } else if (!this.#spare) {
      this.#spare = this.#start();
      // Cold, it does as well.
      this.#spare.calls.warmUp().catch(() => undefined);
    }
  }

  /** Commands wait meanwhile: the worker that leaves would carry them out for nobody. */
  async #takeOver(work: () => Promise<{ readonly answer: Begun; readonly going: SessionCommand | null }>, worker: WorkerHandle): Promise<Begun> {
    const taking = work();
    this.#taking = taking.catch(() => undefined);
    const { answer, going } = await taking;
    const before = this.#current;
    this.#current = worker;
    if (going) worker.calls.command(going).catch(() => undefined);
    if (before !== worker) this.#dispose(before);
    return answer;
  }

  /** Leaves a worker that could not take over; the one that computes stays. */
  #drop(worker: WorkerHandle): void {
    if (worker !== this.#current) this.#dispose(worker);
  }

  #dispose(worker: WorkerHandle): void {
    this.#workers.delete(worker);
    worker.dispose();
  }

  #start(): WorkerHandle {
    const worker: WorkerHandle = new WorkerHandle({
      ...this.#options.worker,
      // The one that computes and the one to follow it are never both odd, or both even; see BlackBox.
      number: (this.#current?.number ?? 0) + 1,
      host: (from) => this.#hostCalls(from),
      onEnd: (from, ending) => {
        this.#workers.delete(from);
        if (from === this.#spare) this.#spare = null;
        // One that was being opened is answered for by whoever opens it, where its own code ended it.
        const answered = from === this.#opening && ending.fault !== null;
        if (from === this.#current && !answered) this.#options.onEnd(ending);
      },
    });
    this.#workers.add(worker);
    return worker;
  }

  /** What the worker that computes says is passed on; of one that is to follow it how it loads and what its code says. */
  #hostCalls(from: WorkerHandle): HostCalls {
    const { host } = this.#options;
    const current = (): boolean => from === this.#current;
    return {
      frame: async (frame) => {
        if (current()) await host().frame(frame);
      },
      checkProgress: (progress) => void (current() && host().checkProgress.asEvent(progress)),
      checked: (report) => void (current() && host().checked.asEvent(report)),
      checkpoint: (record) => void (current() && host().checkpoint.asEvent(record)),
      triesWideVectors: () => void host().triesWideVectors.asEvent(),
      loading: (progress) => void host().loading.asEvent(progress),
      fault: (fault) => void host().fault.asEvent(fault),
      log: (level, text, source) => void host().log.asEvent(level, text, source),
    };
  }
}

function problemsOf(text: string, fault: LayerFault): readonly Problem[] {
  const { spec, problems } = parseSpec(text);
  const layer = spec?.layers.findIndex(({ name }) => name === fault.fault.layer) ?? -1;
  return spec && layer >= 0 ? [faultProblem(spec, layer, fault)] : problems;
}
