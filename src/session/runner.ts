// Drives a session for whoever watches: takes commands one after the other, trains in short slices so
// that the next command is heard, and hands out frames, one in flight at a time. Clock and event loop
// are given to it, so that it runs the same anywhere.
import { GradientCheck } from '../gradcheck/gradient-check';
import type { CheckReport } from '../gradcheck/report';
import type { SessionCommand } from './command';
import { evaluationInterval, isCheap } from './evaluation';
import type { Frame, NonFinite, ProbeId, RunStatus, TensorRequest } from './frame';
import { makeFrame } from './make-frame';
import type { RunRecord } from './record';
import type { TrainingSession } from './session';

export interface RunnerOptions {
  readonly session: TrainingSession;
  /** Hands out a frame; the next one waits until this settles. */
  readonly emit: (frame: Frame) => Promise<void>;
  /** Milliseconds, from any origin. */
  readonly now: () => number;
  /** Lets the event loop turn once. */
  readonly pause: () => Promise<void>;
  /** Called between slices: proof of life for a watchdog. */
  readonly beat?: (busy: boolean) => void;
  /** Something went wrong that is nobody's input: a defect. */
  readonly fail: (error: unknown) => void;
  readonly onRecord?: (record: RunRecord) => void;
  readonly onCheckProgress?: (checked: number, entries: number) => void;
  /** A check that ran by itself. */
  readonly onChecked?: (report: CheckReport) => void;
}

const SLICE_MS = 8;
const FRAME_MS = 33;
const RECORD_MS = 2000;
// Entries checked between two looks at the clock.
const CHECK_CHUNK = 16;

/** Work that a later command may cut short. */
interface Job {
  cancelled: boolean;
  readonly done: Promise<void>;
}

/** A command that cannot be carried out where the run stands; the message is for people. */
export class CommandError extends Error {
  override name = 'CommandError';
}

export class Runner {
  readonly session: TrainingSession;
  readonly #options: RunnerOptions;
  #status: RunStatus = 'ready';
  #target: number | null = null;
  #nonFinite: NonFinite | null = null;
  #probes: ReadonlySet<ProbeId> = new Set(['activations', 'gradients', 'updates']);
  #tensor: TensorRequest | null = null;
  #job: Job | null = null;
  #queue: Promise<void> = Promise.resolve();
  #sequence = 0;
  #inFlight = false;
  #wanted = false;
  #truncatedTo: number | null = null;
  #lastFrame = -Infinity;
  #lastRecord = -Infinity;
  #rate = { since: 0, step: 0, value: null as number | null };
  #checkCancelled = false;
  #disposed = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.session = options.session;
    this.#settle();
  }

  get status(): RunStatus {
    return this.#status;
  }

  /** Carries out a command; commands are taken in turn, and each ends what runs before it. */
  command(command: SessionCommand): Promise<void> {
    if (command.type === 'setLearningRate') return this.#enqueue(() => this.#setLearningRate(command.lr), false);
    return this.#enqueue(() => this.#execute(command), true);
  }

  need(probes: readonly ProbeId[], tensor: TensorRequest | null): void {
    this.#probes = new Set(probes);
    this.#tensor = tensor;
    if (this.#target === null) this.#show();
  }

  /** Checks every gradient at this position; training in progress waits, and goes on afterwards. */
  async check(): Promise<CheckReport> {
    let report: CheckReport | undefined;
    await this.#enqueue(async () => {
      const status = this.#status;
      const target = this.#target;
      const job = this.#begin(async (current) => {
        report = await this.#runCheck(current);
      });
      await job.done;
      if (target !== null && status === 'running' && !job.cancelled) this.#drive(target, status);
      else this.#settle();
    }, true);
    if (!report) throw new CommandError('The check did not run.');
    return report;
  }

  cancelCheck(): void {
    this.#checkCancelled = true;
  }

  record(): RunRecord {
    return this.session.record();
  }

  /** Ends all work; nothing is emitted afterwards. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    if (this.#job) this.#job.cancelled = true;
    await this.#queue;
    await this.#job?.done;
  }

  #enqueue(work: () => Promise<void> | void, interrupt: boolean): Promise<void> {
    if (interrupt && this.#job) this.#job.cancelled = true;
    const result = this.#queue.then(async () => {
      if (interrupt) {
        if (this.#job) this.#job.cancelled = true;
        await this.#job?.done;
      }
      if (this.#disposed) return;
      try {
        await work();
      } catch (error) {
        // What was interrupted for a command that was then refused has come to rest all the same.
        if (interrupt && !this.#job) this.#settle();
        throw error;
      }
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #execute(command: Exclude<SessionCommand, { type: 'setLearningRate' }>): Promise<void> {
    const { session } = this;
    const { step } = session.position;
    switch (command.type) {
      case 'step':
        return this.#forward(() => session.step(true));
      case 'stepPhase':
        return this.#forward(() => session.stepPhase());
      case 'backPhase':
        session.backPhase();
        return this.#settle();
      case 'backStep':
        session.backStep();
        return this.#settle();
      case 'run':
        return this.#runTo(session.totalSteps);
      case 'pause':
        return this.#settle();
      case 'runToStep':
        return this.#runTo(command.step);
      case 'runToEpoch':
        return this.#runTo(command.epoch * session.model.batchesPerEpoch);
      case 'seek': {
        const { phase = 0 } = command;
        const last = session.frontier;
        if (!Number.isInteger(command.step) || command.step < 0 || command.step > last) {
          throw new CommandError(`Step ${command.step} was not reached yet: this run goes from 0 to ${last}.`);
        }
        if (!Number.isInteger(phase) || phase < 0 || phase >= session.model.phases.length) {
          throw new CommandError(`A step has phases 0 to ${session.model.phases.length - 1}.`);
        }
        session.rewind(command.step, phase);
        // Short ways are gone at once; on long ones the panel shows how far it is.
        this.#drive(command.step, 'seeking', phase);
        await this.#job?.done;
        return;
      }
      case 'reset':
        session.reset();
        this.#truncatedTo = -1;
        return this.#settle();
      default:
        throw new CommandError(`There is no command ${String((command as { type: unknown }).type)} at step ${step}.`);
    }
  }

  #setLearningRate(lr: number): void {
    if (!this.session.setLearningRate(lr)) return;
    this.#truncate(this.session.shownStep);
    this.#show();
    this.#record();
  }

  #truncate(step: number): void {
    this.#truncatedTo = Math.min(step, this.#truncatedTo ?? step);
  }

  #forward(work: () => void): void {
    this.#refuseNonFinite();
    if (this.session.position.step >= this.session.totalSteps) {
      throw new CommandError(`The run is finished: ${this.session.model.epochs} epochs are done. Raise "epochs" in the spec to go on.`);
    }
    work();
    if (!this.#lossIsFinite() || this.session.inspect()) this.#nonFinite = this.session.locateNonFinite();
    this.#settle();
  }

  #runTo(step: number): void {
    this.#refuseNonFinite();
    const { position, totalSteps } = this.session;
    if (!Number.isInteger(step) || step > totalSteps) {
      throw new CommandError(`This run ends at step ${totalSteps}; raise "epochs" in the spec to go further.`);
    }
    if (step <= position.step) {
      if (position.step >= totalSteps) throw new CommandError(`The run is finished: all ${totalSteps} steps are done.`);
      throw new CommandError(`Step ${step} is not ahead: the run stands at step ${position.step}. Seek it to go back.`);
    }
    this.#drive(step, 'running');
  }

  #refuseNonFinite(): void {
    if (!this.#nonFinite) return;
    throw new CommandError(
      `From step ${this.#nonFinite.step} on the run holds values that are no numbers. Go back to step ${this.#nonFinite.step - 1}, then change the learning rate.`,
    );
  }

  #begin(work: (job: Job) => Promise<void>): Job {
    const job = { cancelled: false } as { cancelled: boolean; done: Promise<void> };
    this.#job = job;
    job.done = work(job).finally(() => {
      if (this.#job === job) this.#job = null;
    });
    return job;
  }

  /** Trains, or replays, up to a position in slices. */
  #drive(target: number, status: 'running' | 'seeking', phase = 0): void {
    this.#status = status;
    this.#target = target;
    this.#rate = { since: this.#options.now(), step: this.session.position.step, value: null };
    this.#begin(async (job) => {
      while (!job.cancelled && this.session.position.step < target) {
        await this.#slice(job, target);
        if (this.#nonFinite) break;
        await this.#turn();
      }
      // Interrupted, the command that did it says how the run comes to rest.
      if (job.cancelled) return;
      if (status === 'seeking') this.session.seek(target, phase);
      this.#settle();
    }).done.catch(this.#options.fail);
  }

  async #slice(job: Job, target: number): Promise<void> {
    const { session, status } = { session: this.session, status: this.#status };
    const { now } = this.#options;
    const end = now() + SLICE_MS;
    const checkEvery = session.run.gradientCheck.every;
    do {
      const due = !this.#inFlight && now() - this.#lastFrame >= FRAME_MS;
      session.step(due || session.position.step === target - 1);
      if (!this.#lossIsFinite()) {
        this.#nonFinite = session.locateNonFinite();
        return;
      }
      const { step } = session.position;
      if (status === 'running') {
        if (this.#evaluationDue(step)) await this.#evaluate(job);
        if (checkEvery > 0 && step % checkEvery === 0) {
          this.#options.onChecked?.(await this.#runCheck(job));
        }
      }
      if (due) this.#show();
    } while (!job.cancelled && session.position.step < target && now() < end);
    this.#measureRate();
    if (now() - this.#lastRecord >= RECORD_MS) this.#record();
  }

  #lossIsFinite(): boolean {
    const { loss } = this.session;
    return loss === null || Number.isFinite(loss);
  }

  #evaluationDue(step: number): boolean {
    const { batchesPerEpoch } = this.session.model;
    return step % (batchesPerEpoch * evaluationInterval(this.session.run)) === 0;
  }

  async #evaluate(job: Job | null): Promise<void> {
    let end = this.#options.now() + SLICE_MS;
    const evaluating = this.session.evaluating();
    while (!evaluating.next().done) {
      if (job?.cancelled) return;
      if (this.#options.now() < end) continue;
      await this.#turn();
      end = this.#options.now() + SLICE_MS;
    }
  }

  async #runCheck(job: Job): Promise<CheckReport> {
    const { session } = this;
    this.#checkCancelled = false;
    const check = new GradientCheck({
      network: session.network,
      pass: session.passToCheck(),
      step: session.position.step,
      options: session.run.gradientCheck,
    });
    let more = true;
    while (more && !job.cancelled && !this.#checkCancelled) {
      const end = this.#options.now() + SLICE_MS;
      do more = check.advance(CHECK_CHUNK);
      while (more && this.#options.now() < end);
      this.#options.onCheckProgress?.(check.checked, check.entries);
      await this.#turn();
    }
    return check.report();
  }

  async #turn(): Promise<void> {
    this.#options.beat?.(true);
    await this.#options.pause();
    this.#options.beat?.(true);
  }

  #measureRate(): void {
    const elapsed = this.#options.now() - this.#rate.since;
    if (elapsed < 500) return;
    const { step } = this.session.position;
    this.#rate = { since: this.#options.now(), step, value: ((step - this.#rate.step) * 1000) / elapsed };
  }

  /** The run has come to rest: says so, and keeps what it can be restored from. */
  #settle(): void {
    const { session } = this;
    const { step, phase } = session.position;
    // A way back that was cut short stands on a checkpoint, without the tensors of its step: this makes them.
    session.seek(step, phase);
    if (this.#nonFinite && session.shownStep < this.#nonFinite.step) this.#nonFinite = null;
    this.#target = null;
    this.#rate.value = null;
    if (this.#nonFinite) this.#status = 'diverged';
    else if (step >= session.totalSteps) this.#status = 'finished';
    else this.#status = step === 0 && phase === 0 ? 'ready' : 'paused';
    if (!this.#nonFinite && isCheap(session.run, session.model.parameterCount)) session.evaluate();
    this.#record();
    this.#options.beat?.(false);
    this.#show();
  }

  #record(): void {
    if (this.#disposed) return;
    this.#lastRecord = this.#options.now();
    this.#options.onRecord?.(this.session.record());
  }

  /** Emits a frame now, or as soon as the one in flight has arrived. */
  #show(): void {
    if (this.#disposed) return;
    if (this.#inFlight) {
      this.#wanted = true;
      return;
    }
    this.#inFlight = true;
    this.#wanted = false;
    this.#lastFrame = this.#options.now();
    const frame = makeFrame(this.session, {
      sequence: ++this.#sequence,
      status: this.#status,
      target: this.#target,
      probes: this.#probes,
      tensor: this.#tensor,
      nonFinite: this.#nonFinite,
      truncatedTo: this.#truncatedTo,
      stepsPerSecond: this.#rate.value,
    });
    this.#truncatedTo = null;
    const landed = (): void => {
      this.#inFlight = false;
      if (this.#wanted) this.#show();
    };
    this.#options.emit(frame).then(landed, landed);
  }
}
