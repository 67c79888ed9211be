// Drives a session for whoever watches: takes commands one after the other, trains in short slices so that the next command
// is heard, and hands out frames, one in flight at a time. Clock and event loop are given to it, so that it runs the same anywhere.
import type { CheckReport } from '../gradcheck/report';
import { Bursts, quietSteps } from './bursts';
import { checkGradients } from './check-job';
import { CommandError, type SessionCommand } from './command';
import type { Drive, Job } from './drive';
import { evaluationInterval, isCheap } from './evaluation';
import { forwardWorkOf } from './whole-step';
import type { Frame, NonFinite, ProbeId, RunStatus } from './frame';
import { FrameGate } from './frame-gate';
import { type HandedOver, handOver } from './hand-over';
import { makeFrame, sampleReadings } from './make-frame';
import { asFault } from '../engine/custom/fault';
import { Looking } from './looking';
import { locateNonFinite } from './non-finite';
import { Pace } from './pace';
import type { Answered, Asking, Question } from './questions';
import { WaitingQuestions } from './questions/waiting';
import type { RunRecord } from './record';
import { refuseAtEnd, refuseNonFinite, refuseSeek, refuseTarget } from './refusals';
import type { RunnerOptions } from './runner-options';
import type { TrainingSession } from './session';
import { Turns } from './turns';
import { ViewTurns } from './view-turns';

const SLICE_MS = 8;
const RECORD_MS = 2000;
// Readings over a whole run, beside those of the frames: a fast run is over before there are many of these.
const SAMPLES = 512;

export class Runner {
  readonly session: TrainingSession;
  readonly #options: RunnerOptions;
  #status: RunStatus = 'ready';
  #driving: Drive | null = null;
  #nonFinite: NonFinite | null = null;
  #probes: ReadonlySet<ProbeId> = new Set(['activations', 'gradients', 'updates']);
  readonly #views: ViewTurns;
  readonly #asked = new WaitingQuestions();
  readonly #turns = new Turns(() => this.#settle());
  #truncatedTo: number | null = null;
  #lastRecord = -Infinity;
  readonly #pace: Pace;
  readonly #bursts: Bursts;
  readonly #looking: Looking;
  readonly #gate: FrameGate;
  #checkCancelled = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.session = options.session;
    this.#views = new ViewTurns(options.now);
    this.#pace = new Pace(options.now);
    this.#bursts = new Bursts(options.now);
    this.#looking = new Looking(options.now);
    this.#gate = new FrameGate(options.now, (sequence) => this.#frame(sequence), options.emit);
    const { failure } = this.session;
    if (failure) options.onFault?.(failure.fault);
    this.#settle(failure !== null);
  }

  get status(): RunStatus {
    return this.#status;
  }

  /** Carries out a command; commands are taken in turn, and each ends what runs before it. */
  command(command: SessionCommand): Promise<void> {
    if (command.type === 'setLearningRate') return this.#turns.take(() => void (this.session.setLearningRate(command.lr) && this.#changed()), false);
    if (command.type === 'setSpeed') {
      return this.#turns.take(() => this.#pace.setLimit(command.stepsPerSecond, this.session.position.step), false);
    }
    return this.#turns.take(() => this.#execute(command), true);
  }

  /** What frames are to hold from now on. @param questions a list a view: at full speed views take turns */
  need(probes: readonly ProbeId[], questions: readonly Asking[]): void {
    this.#probes = new Set(probes);
    this.#views.set(questions);
    if (!this.#driving) this.#gate.show();
  }

  /** Answers at once where it rests; while it trains, at the end of the next step. */
  ask(question: Question): Promise<Answered> {
    const answered = this.#asked.ask(this.session, question);
    if (!this.#driving) this.#asked.answer();
    return answered;
  }

  /** Checks every gradient at this position; training in progress waits, and goes on afterwards. */
  async check(): Promise<CheckReport> {
    let report: CheckReport | undefined;
    await this.#turns.take(async () => {
      const drive = this.#driving;
      const job = this.#turns.begin(async (current) => {
        await this.#guarded(async () => (report = await this.#runCheck(current)));
      });
      await job.done;
      if (drive?.status === 'running' && !job.cancelled) this.#drive(drive);
      else this.#settle();
    }, true);
    if (!report) throw new CommandError('The check could not be done.');
    return report;
  }

  cancelCheck(): void {
    this.#checkCancelled = true;
  }

  record(): RunRecord {
    return this.session.record();
  }

  /** For a runner with other code of the layers; a run in progress goes on afterwards. */
  async handOver(): Promise<HandedOver> {
    let handed: HandedOver = { record: this.session.record(), going: null };
    await this.#turns.take(() => {
      const drive = this.#driving?.status === 'running' ? this.#driving : null;
      const going = drive && (drive.paced ? { type: 'run' } as const : { type: 'runToStep', step: drive.target } as const);
      handed = { record: handOver(this.session), going };
      if (drive) this.#drive(drive);
    }, true);
    return handed;
  }

  /** Ends all work; nothing is emitted afterwards. */
  async dispose(): Promise<void> {
    this.#gate.close();
    await this.#turns.close();
    this.#asked.answer();
  }

  async #execute(command: Exclude<SessionCommand, { type: 'setLearningRate' | 'setSpeed' }>): Promise<void> {
    const { session } = this;
    const { step } = session.position;
    switch (command.type) {
      case 'step':
        return this.#forward(() => session.step(true));
      case 'stepPhase':
        return this.#forward(() => session.stepPhase());
      case 'backPhase':
        return this.#go(() => session.backPhase());
      case 'backStep':
        return this.#go(() => session.backStep());
      case 'run':
        return this.#runTo(session.totalSteps, true);
      case 'pause':
        return this.#settle();
      case 'runToStep':
        return this.#runTo(command.step);
      case 'runToEpoch':
        return this.#runTo(command.epoch * session.model.batchesPerEpoch);
      case 'seek':
        return this.#seek(command.step, command.phase);
      case 'fork':
        return this.#changeAt(command.step, () => {
          if (command.lr !== null) session.setLearningRate(command.lr);
          if (command.seed !== null) session.setSeed(command.seed);
        });
      case 'setWeights':
        return this.#changeAt(step, () => session.setWeights(command.weights));
      case 'reset':
        session.reset();
        this.#truncatedTo = -1;
        return this.#settle();
      default:
        throw new CommandError(`There is no command ${String((command as { type: unknown }).type)} at step ${step}.`);
    }
  }

  /** Later steps no longer hold. */
  #changed(): void {
    this.#truncate(this.session.shownStep);
    this.#gate.show();
    this.#record();
  }

  /** Short ways are gone at once; on long ones the panel shows how far it is. */
  async #seek(step: number, phase = 0): Promise<void> {
    refuseSeek(this.session, step, phase);
    this.session.rewind(step, phase);
    this.#drive({ target: step, status: 'seeking', phase });
    await this.#turns.job?.done;
  }

  /** Changes the run by hand at the end of a step, if it gets there. */
  async #changeAt(step: number, change: () => void): Promise<void> {
    await this.#seek(step);
    const { position } = this.session;
    if (position.step !== step || position.phase > 0) return;
    refuseNonFinite(this.#nonFinite);
    change();
    this.#truncate(this.session.shownStep);
    this.#settle();
  }

  #diverged(): void {
    this.#nonFinite = locateNonFinite(this.session);
    if (this.#nonFinite) this.#truncate(this.session.shownStep);
  }

  #truncate(step: number): void {
    this.#truncatedTo = Math.min(step, this.#truncatedTo ?? step);
  }

  #forward(work: () => void): Promise<void> {
    refuseNonFinite(this.#nonFinite);
    refuseAtEnd(this.session);
    return this.#go(() => {
      work();
      if (!this.#lossIsFinite() || this.session.inspect()) this.#diverged();
    });
  }

  async #go(work: () => void): Promise<void> {
    this.#settle(!(await this.#guarded(work)));
  }

  /** @returns false where a layer of the user's own failed, which is told. */
  async #guarded(work: () => unknown): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#tell(error);
      return false;
    }
  }

  #tell(error: unknown): void {
    this.#options.onFault?.(asFault(error).fault);
  }

  #runTo(step: number, paced = false): void {
    refuseNonFinite(this.#nonFinite);
    refuseTarget(this.session, step);
    this.#drive({ target: step, status: 'running', paced });
  }

  /** Trains, or replays, up to a position in slices. */
  #drive(drive: Drive): void {
    const { target, status, phase = 0 } = drive;
    const { session } = this;
    this.#status = status;
    this.#driving = drive;
    this.#pace.start(session.position.step);
    this.#turns.begin(async (job) => {
      const went = await this.#guarded(async () => {
        while (!job.cancelled && session.position.step < target) {
          await this.#slice(job, drive);
          if (this.#nonFinite) break;
          await this.#turn(drive.paced ? this.#pace.wait(session.position.step) : 0);
        }
        if (!job.cancelled && status === 'seeking') session.seek(target, phase);
      });
      // Interrupted, the command that did it says how the run comes to rest.
      if (!job.cancelled || !went) this.#settle(!went);
    }).done.catch(this.#options.fail);
  }

  async #slice(job: Job, { target, status, paced }: Drive): Promise<void> {
    const { session } = this;
    const { now } = this.#options;
    const end = now() + SLICE_MS;
    const running = status === 'running';
    const sampleEvery = this.#probes.size > 0 ? Math.ceil(session.totalSteps / SAMPLES) : Infinity;
    const checkEvery = (running && session.run.gradientCheck.every) || Infinity;
    const evaluateEvery = running ? session.model.batchesPerEpoch * evaluationInterval(session.run) : Infinity;
    const train = (most: number): number => {
      const done = session.train(most);
      return this.#lossIsFinite() ? done : 0;
    };
    while (!job.cancelled && session.position.step < target && now() < end) {
      if (paced && this.#pace.wait(session.position.step) > 0) break;
      const next = session.position.step + 1;
      const due = this.#gate.due && this.#looking.affordable;
      const asked = this.#asked.any;
      const quiet = due || asked || (paced && this.#pace.limited) ? 0 : quietSteps(next - 1, target, [sampleEvery, checkEvery, evaluateEvery]);
      if (quiet > 0) {
        if (this.#bursts.run(quiet, train)) continue;
        this.#diverged();
        return;
      }
      const sampled = next % sampleEvery === 0 && this.#looking.affordable;
      let start = now();
      session.step((due && this.#watched) || sampled || asked || next === target);
      if (!this.#lossIsFinite()) {
        this.#diverged();
        return;
      }
      if (sampled) sampleReadings(session, this.#probes);
      if (due || sampled) this.#looking.pay(now() - start - this.#bursts.usual);
      if (asked) this.#asked.answer();
      if (next % evaluateEvery === 0) await this.#evaluate(job);
      if (next % checkEvery === 0) this.#options.onChecked?.(await this.#runCheck(job));
      if (!due) continue;
      start = now();
      this.#gate.show();
      this.#looking.pay(now() - start);
    }
    this.#pace.measure(session.position.step);
    if (now() - this.#lastRecord >= RECORD_MS) this.#record();
  }

  /** Whether a view shows anything of a step but its loss. */
  get #watched(): boolean {
    return this.#probes.size > 0 || this.#views.count > 0;
  }

  #lossIsFinite(): boolean {
    const { loss } = this.session;
    return loss === null || Number.isFinite(loss);
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

  #runCheck(job: Job): Promise<CheckReport> {
    this.#checkCancelled = false;
    return checkGradients(this.session, {
      cancelled: () => job.cancelled || this.#checkCancelled,
      now: this.#options.now,
      turn: () => this.#turn(),
      progress: this.#options.onCheckProgress,
    });
  }

  async #turn(milliseconds = 0): Promise<void> {
    this.#options.beat?.(true);
    await this.#options.pause(milliseconds);
    this.#options.beat?.(true);
  }

  /** The run has come to rest: says so, and keeps what it can be restored from. @param failed in a layer of the user's own. */
  #settle(failed = false): void {
    const { session } = this;
    if (!failed) this.#round();
    const { step, phase } = session.position;
    if (this.#nonFinite && session.shownStep < this.#nonFinite.step) this.#nonFinite = null;
    this.#driving = null;
    this.#pace.rate = null;
    if (this.#nonFinite) this.#status = 'diverged';
    else if (step >= session.totalSteps) this.#status = 'finished';
    else this.#status = step === 0 && phase === 0 ? 'ready' : 'paused';
    this.#record();
    this.#options.beat?.(false);
    this.#asked.answer();
    this.#gate.show();
  }

  /** Makes what is missing to show where it rests. */
  #round(): void {
    const { session } = this;
    try {
      session.complete();
      if (!this.#nonFinite && isCheap(session.run, forwardWorkOf(session.model.layers))) session.evaluate();
    } catch (error) {
      this.#tell(error);
    }
  }

  #record(): void {
    if (this.#turns.closed) return;
    this.#lastRecord = this.#options.now();
    this.#options.onRecord?.(this.session.record());
  }

  #frame(sequence: number): Frame {
    const truncatedTo = this.#truncatedTo;
    this.#truncatedTo = null;
    const drive = this.#driving;
    const fast = drive !== null && !(drive.paced && this.#pace.limited);
    return makeFrame(this.session, {
      sequence, truncatedTo,
      status: this.#status,
      target: drive?.target ?? null,
      probes: this.#probes,
      views: this.#views, all: !fast,
      nonFinite: this.#nonFinite,
      stepsPerSecond: this.#pace.rate,
    });
  }
}
