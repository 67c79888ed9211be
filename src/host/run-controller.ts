// One run of one spec: starts its engine process when needed, opens what the text says, keeps what it can
// be restored from, and passes commands on. It knows no editor and no webview; those are given to it.
import { EngineClient, EngineExitError } from '../process/client';
import type { StepsAgain } from '../protocol/debug';
import type { EngineCalls, OpenRequest, SessionCommand } from '../protocol/engine';
import type { Fault } from '../engine/custom/fault';
import { describeFault } from '../process/words';
import type { ProbeId } from '../session/frame';
import type { Answered, Asking, Question } from '../session/questions';
import type { RunRecord } from '../session/record';
import { type Meaning, meaningOf, type Spec } from '../spec';
import { engineVoice } from './engine-voice';
import { codeFolder, LayerFiles, ownLayers } from './layer-files';
import { Newest } from './newest';
import { openRequest } from './open-request';
import { Past } from './past';
import { plainLines } from './plain';
import type { Edit } from './problem-shift';
import type { CodePermission, RunOptions, RunPlace, SpecText } from './run-options';
import { RunProblems } from './run-problems';
import type { StoredRun } from './run-store';
import { messageOf, NOT_NOW } from './run-words';
import { RunView } from './run-view';
import { WideVectorsTrust, withoutWideVectors } from './wide-vectors';
import type { Wish } from './wish';

/** So many deaths of the engine in one run are no accident. */
const MOST_DEATHS = 3;
// A last word from an engine that is well takes a moment; one that is not is not waited for.
const LAST_WORD_MS = 500;

export class RunController {
  readonly view: RunView;
  readonly #problems: RunProblems;
  readonly #past: Past;
  readonly #files = new LayerFiles();
  place: RunPlace;
  readonly #options: RunOptions;
  #source: SpecText;
  #engine: EngineClient | null = null;
  #record: RunRecord | null = null;
  /** Opened once its own layers may run. */
  #waiting: Wish | null = null;
  #deaths = 0;
  readonly #wideVectors = new WideVectorsTrust();
  readonly #wishes: Newest<Wish>;
  #needs: { readonly probes: readonly ProbeId[]; readonly questions: readonly Asking[] } | null = null;
  #disposed = false;

  constructor(options: RunOptions, source: SpecText) {
    this.#options = options;
    this.place = options.place;
    this.#source = source;
    this.view = new RunView(options.place.file, options.tell);
    this.#past = new Past(this.view);
    this.#problems = new RunProblems(this.view, options.found);
    this.#wishes = new Newest((wish) => this.#fulfil(wish), (error) => options.log.error(error instanceof Error ? error : String(error)));
  }

  /** The engine's process, for tests and profilers. */
  get engineProcessId(): number | undefined {
    return this.#engine?.pid;
  }

  /** The text as it was read last. */
  get text(): string {
    return this.#source.text;
  }

  /** The spec as it was read last; undefined where it has errors. */
  get spec(): Spec | undefined {
    return this.#source.spec;
  }

  get running(): boolean {
    const status = this.view.state.kind === 'run' ? this.view.frame?.status : undefined;
    return status === 'running' || status === 'seeking';
  }

  /** Opens the spec, going on with the run that was kept of it. */
  async start(): Promise<void> {
    const loaded = await this.#options.store.load(this.place.uri);
    if (this.#disposed) return;
    this.#showProblems();
    const { spec } = this.#source;
    if (!spec) {
      this.view.setState({ kind: 'problems' });
      return;
    }
    if (loaded.kind === 'damaged') {
      this.view.notice('warning', 'What was kept of the last run is damaged and was left aside. A new run begins.');
    }
    const run = loaded.kind === 'found' ? loaded.run : null;
    // The record holds the text that it was of; parsing it again costs less than keeping its meaning in step.
    const was = run && this.#options.read(run.record.text).spec;
    const same = was && meaningOf(was).whole === meaningOf(spec).whole;
    if (run && !same) {
      this.view.notice('info', 'The run kept from before is of another version of this spec. A new run begins.');
    }
    const { step } = run?.record.position ?? { step: 0 };
    const say = same && step > 0 ? `The run goes on where it was left, at step ${step}.` : null;
    await this.#request({ source: this.#source, kept: same ? run : null, say });
  }

  /** The text is being edited; what was found in it moves along. */
  edited(edits: readonly Edit[]): void {
    this.#problems.edited(edits);
  }

  /** The text was edited, and read again. */
  textChanged(source: SpecText): void {
    this.#source = source;
    const { spec } = source;
    if (spec && this.view.state.kind !== 'stopped') {
      const meaning = meaningOf(spec);
      if (meaning.whole === this.#problems.opened?.meaning.whole) {
        // Of the same meaning, a file of it could not be loaded: that stays.
        if (this.#problems.refused?.meaning.whole !== meaning.whole) this.#problems.refused = null;
        this.#wishes.drop();
        this.#waiting = null;
        if (this.view.state.kind === 'code') this.view.setState({ kind: 'run' });
      } else if (meaning.whole !== this.#problems.refused?.meaning.whole) {
        void this.#openChanged(source, meaning);
      }
    }
    this.#showProblems();
  }

  /** Runs a command of the session; what it cannot do is said in the panel. */
  async command(command: SessionCommand): Promise<void> {
    // The panel tells its speed by itself; what a layer did is not over for that.
    if (command.type !== 'setSpeed') this.#problems.setFault(null, this.#source);
    await this.#past.keep(command, () => this.record());
    await this.#call((calls) => calls.command(command));
  }

  /** Takes back the last change of the run by hand: it goes on where it stood before. */
  async undo(): Promise<void> {
    const before = this.#past.take();
    if (before) await this.#request({ source: this.#source, kept: before.run, say: `Undone: ${before.what}.` });
  }

  /** More, or less, of the user's own code may run than before. */
  async permissionChanged(): Promise<void> {
    if (this.#waiting) await this.#request(this.#waiting);
    else if (this.#problems.opened && this.spec && ownLayers(this.spec).length > 0 && this.#permission !== 'allowed') {
      await this.#engine?.dispose();
      this.#engine = null;
      await this.#request({ source: this.#source, kept: this.#record && this.#kept(this.#record) });
    }
  }

  /** A file was saved. Where layers of the user's own are made of it, their new code takes over, with the weights where their shapes allow. */
  async fileChanged(file: string): Promise<void> {
    // What is being opened may have read the file as it was.
    await this.#wishes.idle();
    const { kind } = this.view.state;
    if (!this.spec || !(await this.#files.changed(file, this.spec, this.place))) return;
    if (kind === 'problems') return this.#request({ source: this.#source });
    const engine = this.#engine;
    if (!engine || !this.#problems.opened || kind !== 'run') return;
    const { meaning } = this.#problems.opened;
    const result = await engine.calls.reload();
    if (engine !== this.#engine) return;
    this.#problems.take({ meaning, problems: result.problems }, result.ok);
    if (result.ok) {
      this.view.begin(result.model, result.restarted ? null : { history: this.view.history.data(), frontier: result.frontier }, false);
      if (result.restarted) this.view.notice('info', result.restarted);
      if (this.#needs) await engine.calls.need(this.#needs.probes, this.#needs.questions);
    }
    this.#showProblems();
  }

  async need(probes: readonly ProbeId[], questions: readonly Asking[]): Promise<void> {
    this.#needs = { probes, questions };
    if (this.view.state.kind === 'run') await this.#call((calls) => calls.need(probes, questions));
  }

  /** @returns a sentence where it cannot be answered. */
  async ask(question: Question): Promise<Answered | string> {
    if (!this.#engine || this.view.state.kind !== 'run') return NOT_NOW[this.view.state.kind];
    return this.#engine.calls.ask(question).catch(messageOf);
  }

  async check(): Promise<void> {
    if (this.view.checking) return;
    const { model } = this.view;
    this.view.setChecking({ checked: 0, entries: model?.parameterCount ?? 0, counts: { pass: 0, wrong: 0, kink: 0, below_noise: 0 }, explaining: false });
    await this.#call(async (calls) => {
      const report = await calls.check();
      // Another run may have begun meanwhile.
      if (this.view.model === model) this.view.setCheck(report);
    });
    this.view.setChecking(null);
  }

  cancelCheck = (): Promise<void> => this.#call((calls) => calls.cancelCheck());

  /** After the engine died: a new one goes on from the last record. */
  async restore(how: Partial<Pick<Wish, 'say' | 'run'>> = {}): Promise<void> {
    const { state } = this.view;
    if (state.kind !== 'stopped' || !state.restorable || !this.#record) return;
    const record = this.#record;
    const source = record.text === this.#source.text ? this.#source : this.#options.read(record.text);
    await this.#request({ source, kept: this.#kept(record), ...how });
  }

  /** A new run of the text as it stands. */
  async startOver(): Promise<void> {
    if (this.#source.spec) await this.#request({ source: this.#source });
    else this.view.notice('warning', NOT_NOW.problems);
  }

  /** Where the run stands, bit for bit; null where none is. */
  async record(): Promise<RunRecord | null> {
    return (await this.#engine?.calls.record()) ?? null;
  }

  /** What it takes to do the step that is shown again elsewhere; a sentence where there is none. */
  async stepsAgain(): Promise<StepsAgain | string> {
    const { kind } = this.view.state;
    if (kind === 'loading' || kind === 'code' || (kind === 'problems' && !this.spec)) return NOT_NOW[kind];
    // What the engine died of comes some steps after what was kept of the run.
    const [from, steps] = kind === 'stopped' ? [this.#record, Infinity] : [(await this.#engine?.calls.handOver())?.record ?? null, 1];
    return { open: this.#openRequest(from?.text ?? this.text), from, steps };
  }

  /** The document was saved elsewhere; the run goes on there. */
  async moveTo(place: RunPlace): Promise<void> {
    const before = this.place.uri;
    this.place = place;
    this.view.file = place.file;
    if (this.#record) this.#options.store.keep(place.uri, ((record) => () => this.#kept(record))(this.#record));
    await this.#options.store.forget(before);
  }

  /** Keeps the run on disk and ends its engine. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#wishes.drop();
    const { store } = this.#options;
    const late = new Promise<null>((resolve) => void setTimeout(resolve, LAST_WORD_MS, null));
    const record = await Promise.race([this.record().catch(() => null), late]);
    if (record) store.keep(this.place.uri, () => this.#kept(record));
    await this.#engine?.dispose();
    this.#engine = null;
    await store.flush(this.place.uri);
  }

  /** @returns when nothing is left to be opened. */
  #request({ source, kept = null, say = null, run = false }: Pick<Wish, 'source'> & Partial<Wish>): Promise<void> {
    // What is still being read is not wanted any more.
    if (this.#wishes.busy) this.#engine?.calls.cancelOpen().catch(() => undefined);
    return this.#wishes.want({ source, asOf: this.#source, kept, say, run });
  }

  async #fulfil(wish: Wish): Promise<void> {
    if (this.#disposed) return;
    try {
      await this.#open(wish);
    } catch (error) {
      // The end of the process says itself what happened.
      if (!(error instanceof EngineExitError)) this.#couldNotOpen(wish, error);
    }
    if (!this.#wishes.waiting && !this.#disposed && wish.asOf !== this.#source) this.textChanged(this.#source);
  }

  async #open(wish: Wish): Promise<void> {
    const { source, kept } = wish;
    if (!source.spec) return;
    const own = ownLayers(source.spec).map(({ name }) => name);
    const permission = this.#permission;
    this.#waiting = own.length > 0 && permission !== 'allowed' ? wish : null;
    if (this.#waiting) {
      this.view.setState({ kind: 'code', trusted: permission !== 'untrusted', folder: codeFolder(this.place), layers: own });
      return;
    }
    if (own.length > 0) await this.#files.read(source.spec, this.place);
    if (this.#disposed) return;
    const engine = (this.#engine ??= this.#startEngine());
    if (this.view.state.kind !== 'run') this.view.setState({ kind: 'loading', text: 'Loading the spec and its data …' });
    const record = kept ? { ...kept.record, text: source.text } : undefined;
    const result = await engine.calls.open({ ...this.#openRequest(source.text), record });
    if (this.#disposed || engine !== this.#engine) return;
    if (!result.ok && result.cancelled) return;
    this.#problems.take({ meaning: meaningOf(source.spec), problems: result.problems }, result.ok);
    if (!result.ok) {
      this.view.setState(this.view.model ? { kind: 'run' } : { kind: 'problems' });
      this.#showProblems();
      return;
    }
    if (!kept) {
      this.#past.clear();
      this.#deaths = 0;
      this.#record = null;
    }
    this.view.begin(result.model, kept && { history: kept.history, frontier: result.frontier });
    this.#showProblems();
    if (wish.say) this.view.notice('info', wish.say);
    if (this.#needs) await engine.calls.need(this.#needs.probes, this.#needs.questions);
    if (wish.run) await this.command({ type: 'run' });
  }

  readonly #openRequest = (text: string): OpenRequest => this.#wideVectors.request(openRequest(text, this.place, this.#options));

  #couldNotOpen(wish: Wish, error: unknown): void {
    this.#options.log.error(error instanceof Error ? error : String(error));
    if (wish.kept) {
      this.view.notice('warning', `The run could not be restored: ${messageOf(error)} A new run begins.`);
      if (!this.#wishes.waiting) void this.#wishes.want({ ...wish, kept: null, say: null });
      return;
    }
    this.view.notice('error', `The run could not be built: ${messageOf(error)}`);
    this.view.setState(this.view.model ? { kind: 'run' } : { kind: 'problems' });
  }

  /** Another spec: a new run, or the same one with another end. */
  async #openChanged(source: SpecText, meaning: Meaning): Promise<void> {
    const run = this.running;
    const { opened } = this.#problems;
    if (meaning.trajectory === opened?.meaning.trajectory) {
      const record = await this.record().catch(() => null);
      const end = (source.spec?.epochs ?? 0) * (this.view.model?.batchesPerEpoch ?? 0);
      if (source !== this.#source) return;
      if (record && record.frontier <= end) {
        const say = 'The spec changed in what leaves every step as it was: the run goes on.';
        await this.#request({ source, kept: this.#kept(record), say, run });
        return;
      }
    }
    await this.#request({ source, say: opened && 'The spec changed: a new run began.', run });
  }

  #startEngine(): EngineClient {
    const { engineFile, log } = this.#options;
    const engine: EngineClient = new EngineClient({
      file: engineFile,
      host: engineVoice({
        ...this.#options,
        view: this.view,
        current: () => engine === this.#engine && !this.#disposed,
        fault: (fault) => {
          this.view.notice('error', describeFault(fault));
          this.#problems.setFault(fault, this.#source);
        },
        keep: (record) => {
          this.#record = record;
          this.#options.store.keep(this.place.uri, () => this.#kept(record));
        },
        triesWideVectors: () => this.#wideVectors.tried(),
      }),
      onExit: (reason, fault) => this.#engineEnded(engine, reason, fault),
      onOutput: (text) => log.info(`engine: ${text.trimEnd()}`),
    });
    log.info(`engine process ${engine.pid} started for ${this.place.uri}`);
    return engine;
  }

  #engineEnded(engine: EngineClient, reason: string, fault: Fault | null): void {
    if (engine !== this.#engine || this.#disposed) return;
    this.#engine = null;
    this.#deaths++;
    this.#options.log.error(plainLines(reason));
    const step = this.#record?.position.step ?? 0;
    const run = this.running && this.view.frame?.target === this.view.model?.totalSteps;
    const suspect = this.#wideVectors.ended(fault);
    const again = this.#deaths < MOST_DEATHS;
    const restorable = again && this.#record !== null;
    const words = again ? reason : `${reason} It is the third time in this run, so it is not restored once more.`;
    if (this.view.checking) this.view.setChecking(null);
    this.view.setState({ kind: 'stopped', reason: words, restorable, step });
    this.#problems.setFault(fault, this.#source);
    if (suspect) void this.restore({ say: `${reason} ${withoutWideVectors(step)}`, run });
  }

  /** Asks the engine; an error that is not its end is said as a notice. */
  async #call(work: (calls: EngineCalls) => Promise<void>): Promise<void> {
    const engine = this.#engine;
    if (!engine || this.view.state.kind !== 'run') {
      this.view.notice('warning', NOT_NOW[this.view.state.kind]);
      return;
    }
    try {
      await work(engine.calls);
    } catch (error) {
      if (error instanceof EngineExitError || engine !== this.#engine) return;
      this.view.notice('warning', messageOf(error));
    }
  }

  readonly #kept = (record: RunRecord): StoredRun => ({ record, history: this.view.history.data() });

  readonly #showProblems = (): void => this.#problems.show(this.#source);

  get #permission(): CodePermission {
    return this.#options.permission(codeFolder(this.place));
  }
}
