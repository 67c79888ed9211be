// One run of one spec: starts its engine process when needed, opens what the text says, keeps what it can
// be restored from, and passes commands on. It knows no editor and no webview; those are given to it.
import { EngineClient, EngineExitError } from '../process/client';
import type { EngineCalls, SessionCommand } from '../protocol/engine';
import type { ProbeId } from '../session/frame';
import type { Answered, Question } from '../session/questions';
import type { RunRecord } from '../session/record';
import { type Meaning, meaningOf, type Problem, type Spec } from '../spec';
import { engineVoice } from './engine-voice';
import { type Edit, shiftProblems } from './problem-shift';
import type { RunOptions, RunPlace, SpecText } from './run-options';
import type { StoredRun } from './run-store';
import { messageOf, NOT_NOW } from './run-words';
import { RunView } from './run-view';

/** What to open next. */
interface Wish {
  readonly source: SpecText;
  /** The text of the editor when this was wished for. */
  readonly asOf: SpecText;
  /** Go on from here. */
  readonly kept: StoredRun | null;
  /** Said when the run has begun. */
  readonly say: string | null;
  /** Set it running then. */
  readonly run: boolean;
}

/** A text that was opened, or tried. */
interface Opened {
  readonly meaning: Meaning;
  readonly problems: readonly Problem[];
}

/** So many deaths of the engine in one run are no accident. */
const MOST_DEATHS = 3;
// A last word from an engine that is well takes a moment; one that is not is not waited for.
const LAST_WORD_MS = 500;

export class RunController {
  readonly view: RunView;
  place: RunPlace;
  readonly #options: RunOptions;
  #source: SpecText;
  #engine: EngineClient | null = null;
  /** The spec of the run that is shown. */
  #opened: Opened | null = null;
  /** The spec that was tried last and could not run. */
  #refused: Opened | null = null;
  #record: RunRecord | null = null;
  #deaths = 0;
  #wish: Wish | null = null;
  #working: Promise<void> | null = null;
  #needs: { readonly probes: readonly ProbeId[]; readonly questions: readonly Question[] } | null = null;
  #disposed = false;

  constructor(options: RunOptions, source: SpecText) {
    this.#options = options;
    this.place = options.place;
    this.#source = source;
    this.view = new RunView(options.place.file, options.tell);
  }

  /** The engine's process, for tests and profilers. */
  get engineProcessId(): number | undefined {
    return this.#engine?.pid;
  }

  /** The text as it was read last. */
  get text(): string {
    return this.#source.text;
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
    const same = run !== null && this.#isOf(run.record.text, spec);
    if (run && !same) {
      this.view.notice('info', 'The run kept from before is of another version of this spec. A new run begins.');
    }
    const { step } = run?.record.position ?? { step: 0 };
    const say = same && step > 0 ? `The run goes on where it was left, at step ${step}.` : null;
    await this.#request({ source: this.#source, kept: same ? run : null, say, run: false });
  }

  /** The text is being edited; what was found in it moves along. */
  edited(edits: readonly Edit[]): void {
    const moved = (opened: Opened | null): Opened | null =>
      opened && { ...opened, problems: shiftProblems(opened.problems, edits) };
    this.#opened = moved(this.#opened);
    this.#refused = moved(this.#refused);
  }

  /** The text was edited, and read again. */
  textChanged(source: SpecText): void {
    this.#source = source;
    const { spec } = source;
    if (spec && this.view.state.kind !== 'stopped') {
      const meaning = meaningOf(spec);
      if (meaning.whole === this.#opened?.meaning.whole) {
        this.#refused = null;
        this.#wish = null;
      } else if (meaning.whole !== this.#refused?.meaning.whole) {
        void this.#openChanged(source, meaning);
      }
    }
    this.#showProblems();
  }

  /** Runs a command of the session; what it cannot do is said in the panel. */
  async command(command: SessionCommand): Promise<void> {
    await this.#call((calls) => calls.command(command));
  }

  async need(probes: readonly ProbeId[], questions: readonly Question[]): Promise<void> {
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
    this.view.setChecking({ checked: 0, entries: model?.parameterCount ?? 0 });
    await this.#call(async (calls) => {
      const report = await calls.check();
      // Another run may have begun meanwhile.
      if (this.view.model === model) this.view.setCheck(report);
    });
    this.view.setChecking(null);
  }

  async cancelCheck(): Promise<void> {
    await this.#call((calls) => calls.cancelCheck());
  }

  /** After the engine died: a new one goes on from the last record. */
  async restore(): Promise<void> {
    const { state } = this.view;
    if (state.kind !== 'stopped' || !state.restorable || !this.#record) return;
    const record = this.#record;
    const source = record.text === this.#source.text ? this.#source : this.#options.read(record.text);
    await this.#request({ source, kept: this.#kept(record), say: null, run: false });
  }

  /** A new run of the text as it stands. */
  async startOver(): Promise<void> {
    if (!this.#source.spec) {
      this.view.notice('warning', 'The spec has problems; solve them first.');
      return;
    }
    await this.#request({ source: this.#source, kept: null, say: null, run: false });
  }

  /** Where the run stands, bit for bit; null where none is. */
  async record(): Promise<RunRecord | null> {
    return (await this.#engine?.calls.record()) ?? null;
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
    this.#wish = null;
    const { store } = this.#options;
    const late = new Promise<null>((resolve) => void setTimeout(resolve, LAST_WORD_MS, null));
    const record = await Promise.race([this.record().catch(() => null), late]);
    if (record) store.keep(this.place.uri, () => this.#kept(record));
    await this.#engine?.dispose();
    this.#engine = null;
    await store.flush(this.place.uri);
  }

  /** @returns when nothing is left to be opened. */
  #request(wish: Omit<Wish, 'asOf'>): Promise<void> {
    this.#wish = { ...wish, asOf: this.#source };
    // What is still being read is not wanted any more.
    if (this.#working) this.#engine?.calls.cancelOpen().catch(() => undefined);
    this.#working ??= this.#work()
      .catch((error: unknown) => this.#options.log.error(error instanceof Error ? error : String(error)))
      .finally(() => {
        this.#working = null;
      });
    return this.#working;
  }

  async #work(): Promise<void> {
    while (this.#wish && !this.#disposed) {
      const wish = this.#wish;
      this.#wish = null;
      try {
        await this.#open(wish);
      } catch (error) {
        // The end of the process says itself what happened.
        if (!(error instanceof EngineExitError)) this.#couldNotOpen(wish, error);
      }
      if (!this.#wish && wish.asOf !== this.#source) this.textChanged(this.#source);
    }
  }

  async #open(wish: Wish): Promise<void> {
    const { source, kept } = wish;
    if (!source.spec) return;
    this.#engine ??= this.#startEngine();
    const engine = this.#engine;
    if (this.view.state.kind !== 'run') this.view.setState({ kind: 'loading', text: 'Loading the spec and its data …' });
    const { folder, root } = this.place;
    const result = await engine.calls.open({
      text: source.text,
      folder,
      root,
      allowed: this.#options.dataFolders(),
      checkpointBudget: this.#options.checkpointBudget(),
      wideVectors: this.#options.wideVectors(),
      record: kept ? { ...kept.record, text: source.text } : undefined,
    });
    if (this.#disposed || engine !== this.#engine) return;
    const opened = { meaning: meaningOf(source.spec), problems: result.problems };
    if (!result.ok && result.cancelled) return;
    if (!result.ok) {
      this.#refused = opened;
      this.view.setState(this.view.model ? { kind: 'run' } : { kind: 'problems' });
      this.#showProblems();
      return;
    }
    this.#opened = opened;
    this.#refused = null;
    if (!kept) {
      this.#deaths = 0;
      this.#record = null;
    }
    this.view.begin(result.model, kept);
    this.#showProblems();
    if (wish.say) this.view.notice('info', wish.say);
    if (this.#needs) await engine.calls.need(this.#needs.probes, this.#needs.questions);
    if (wish.run) await this.command({ type: 'run' });
  }

  #couldNotOpen(wish: Wish, error: unknown): void {
    this.#options.log.error(error instanceof Error ? error : String(error));
    if (wish.kept) {
      this.view.notice('warning', `The run could not be restored: ${messageOf(error)} A new run begins.`);
      this.#wish ??= { ...wish, kept: null, say: null };
      return;
    }
    this.view.notice('error', `The run could not be built: ${messageOf(error)}`);
    this.view.setState(this.view.model ? { kind: 'run' } : { kind: 'problems' });
  }

  /** Another spec: a new run, or the same one with another end. */
  async #openChanged(source: SpecText, meaning: Meaning): Promise<void> {
    const run = this.running;
    if (!this.#opened) {
      await this.#request({ source, kept: null, say: null, run });
      return;
    }
    if (meaning.trajectory === this.#opened.meaning.trajectory) {
      const record = await this.record().catch(() => null);
      const end = (source.spec?.epochs ?? 0) * (this.view.model?.batchesPerEpoch ?? 0);
      if (source !== this.#source) return;
      if (record && record.frontier <= end) {
        const say = 'The spec changed in what leaves every step as it was: the run goes on.';
        await this.#request({ source, kept: this.#kept(record), say, run });
        return;
      }
    }
    await this.#request({ source, kept: null, say: 'The spec changed: a new run began.', run });
  }

  #startEngine(): EngineClient {
    const { engineFile, log } = this.#options;
    const engine: EngineClient = new EngineClient({
      file: engineFile,
      host: engineVoice({
        ...this.#options,
        view: this.view,
        current: () => engine === this.#engine && !this.#disposed,
        keep: (record) => {
          this.#record = record;
          this.#options.store.keep(this.place.uri, () => this.#kept(record));
        },
      }),
      onExit: (reason) => this.#engineEnded(engine, reason),
      onOutput: (text) => log.info(`engine: ${text.trimEnd()}`),
    });
    log.info(`engine process ${engine.pid} started for ${this.place.uri}`);
    return engine;
  }

  #engineEnded(engine: EngineClient, reason: string): void {
    if (engine !== this.#engine || this.#disposed) return;
    this.#engine = null;
    this.#deaths++;
    this.#options.log.error(reason);
    const step = this.#record?.position.step ?? 0;
    const again = this.#deaths < MOST_DEATHS;
    const restorable = again && this.#record !== null;
    const words = again ? reason : `${reason} It is the third time in this run, so it is not restored once more.`;
    if (this.view.checking) this.view.setChecking(null);
    this.view.setState({ kind: 'stopped', reason: words, restorable, step });
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

  #kept(record: RunRecord): StoredRun {
    return { record, history: this.view.history.data() };
  }

  #isOf(text: string, spec: Spec): boolean {
    const other = this.#options.read(text).spec;
    return other !== undefined && meaningOf(other).whole === meaningOf(spec).whole;
  }

  #showProblems(): void {
    const { text, spec, problems } = this.#source;
    const opened = this.#ofThisText(spec);
    const found = problems.length > 0 ? [] : (opened?.problems ?? []);
    this.#options.found(found);
    this.view.setProblems(text, problems.length > 0 ? problems : found);
  }

  /** What opening the present text found, if it was opened. */
  #ofThisText(spec: Spec | undefined): Opened | null {
    if (!spec) return null;
    const { whole } = meaningOf(spec);
    return [this.#refused, this.#opened].find((opened) => opened?.meaning.whole === whole) ?? null;
  }
}
