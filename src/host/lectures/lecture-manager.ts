// Records and plays lectures: one of each for a run. The lecture file is the only state of a recording, so it can be
// edited at any time.
import * as vscode from 'vscode';
import { emptyLecture, type Lecture, markdownToHtml, parseLecture, resolveStop, writeStop } from '../../lectures';
import type { LectureAction, PanelLecture } from '../../protocol/panel';
import type { ResolvedStop } from '../../protocol/lecture';
import type { Position } from '../../protocol/position';
import type { Problem } from '../../protocol/problem';
import type { StepGraph } from '../../protocol/queries';
import { viewTitles } from '../../protocol/views';
import { lectureHtml, type LectureReportStop } from '../../report/lecture-html';
import { createSpecEdit } from '../model-spec/spec-edits';
import { fileExists } from '../model-spec/new-spec';
import { findWorkspaceFiles } from '../model-spec/spec-documents';
import { specNameOf } from '../panel/panel';
import { saveWithDialog } from '../panel/save-file';
import { otherColumn, showInSpec } from '../panel/show-in-spec';
import type { OpenRun, RunManager } from '../run/run-manager';
import { UNAVAILABLE_REASON } from '../run/run-messages';
import { escapeUiText } from '../ui/escape-ui';
import { writeFile } from '../write-file';
import { isLecture, LECTURE_SUFFIX, type LectureDocuments } from './lecture-documents';

const MAX_LISTED_LECTURES = 200;

interface Playing {
  readonly uri: vscode.Uri;
  readonly lecture: Lecture;
  readonly index: number;
  readonly visit: number;
  readonly goingTo: number | null;
}

interface RunLecture {
  recording: vscode.Uri | null;
  /** Stops in the file when one was added last. */
  stops: number;
  playing: Playing | null;
}

/** Where a run's lecture stood, to go on after the window was reloaded. */
interface StoredPlaying {
  readonly lecture: string;
  readonly index: number;
}

export interface LectureManagerOptions {
  readonly documents: LectureDocuments;
  readonly runs: RunManager;
  readonly state: vscode.Memento;
  /** Version of the extension. */
  readonly version: string;
  readonly onError: (error: unknown) => void;
}

const storageKey = ({ uri }: OpenRun): string => `lecture ${uri.toString()}`;
const fileNameOf = (uri: vscode.Uri): string => uri.path.split('/').pop() ?? '';
const isSamePosition = (a: Position, b: Position): boolean => a.step === b.step && a.phase === b.phase;

export class LectureManager implements vscode.Disposable {
  readonly #options: LectureManagerOptions;
  readonly #lectures = new WeakMap<OpenRun, RunLecture>();
  readonly #onDidChange = new vscode.EventEmitter<void>();
  readonly #subscriptions: readonly vscode.Disposable[];

  /** A recording or a lecture was started or ended. */
  readonly onDidChange = this.#onDidChange.event;

  constructor(options: LectureManagerOptions) {
    this.#options = options;
    const { runs, onError } = options;
    this.#subscriptions = [
      this.#onDidChange,
      runs.onDidLoadPage((run) => {
        this.#resume(run).then(undefined, onError);
      }),
      runs.onDidReceiveLectureRequest(({ run, action }) => {
        this.handle(run, action).then(undefined, onError);
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Undefined for a run without a lecture. */
  isActive(run: OpenRun | undefined, kind: 'recording' | 'playing'): boolean {
    return run !== undefined && this.#of(run)[kind] !== null;
  }

  async handle(run: OpenRun, action: LectureAction): Promise<void> {
    const { playing, recording } = this.#of(run);
    switch (action) {
      case 'next':
        return this.#move(run, (playing?.index ?? 0) + 1);
      case 'back':
        return this.#move(run, (playing?.index ?? 0) - 1);
      case 'first':
        return this.#move(run, 0);
      case 'last':
        return this.#move(run, (playing?.lecture.stops.length ?? 1) - 1);
      case 'close':
        return this.#close(run);
      case 'play':
        return this.playOne(run);
      case 'record':
        return this.record(run);
      case 'addStop':
        return this.addStop(run);
      case 'finish':
        return this.finish(run);
      case 'openFile': {
        const uri = recording ?? playing?.uri;
        return uri && showInSpec(uri, run.panel.viewColumn, new vscode.Range(0, 0, 0, 0));
      }
      case 'export':
        await this.export(run);
    }
  }

  /** Creates the file of a new lecture beside the spec; stops are added to it. */
  async record(run: OpenRun): Promise<void> {
    const { view } = run.controller;
    if (!view.model || view.state.kind !== 'run') {
      view.notify('warning', UNAVAILABLE_REASON[view.state.kind]);
      return;
    }
    if (run.uri.scheme === 'untitled') {
      view.notify('warning', vscode.l10n.t('A lecture is a file beside its spec. Save the spec first.'));
      return;
    }
    const uri = await unusedLecture(run.uri);
    await writeFile(uri, Buffer.from(emptyLecture(view.model.name, fileNameOf(run.uri))));
    Object.assign(this.#of(run), { recording: uri, stops: 0, playing: null } satisfies RunLecture);
    run.panel.reveal();
    this.#publish(run);
    await this.#warnOfManualChanges(run);
  }

  /** Appends what the panel shows to the lecture. @param text in Markdown; asked for by default */
  async addStop(run: OpenRun, text?: string): Promise<void> {
    const own = this.#of(run);
    const { view } = run.controller;
    if (!own.recording) {
      view.notify(
        'warning',
        vscode.l10n.t('No lecture is being recorded. Run "Nablascope: Start Recording Lecture" first.'),
      );
      return;
    }
    const { frame, model } = view;
    const selection = await run.panel.requestSelection();
    if (!frame || !model || !selection || !Object.hasOwn(viewTitles, selection.view)) {
      view.notify('warning', vscode.l10n.t('The panel shows no step. Open it, then add the stop.'));
      return;
    }
    if (frame.status === 'running' || frame.status === 'seeking') {
      view.notify('warning', vscode.l10n.t('The run is moving. Pause it, then add the stop.'));
      return;
    }
    const words =
      text ??
      (await vscode.window.showInputBox({
        prompt: vscode.l10n.t('What do you say here? In Markdown; you can edit it in the file later.'),
        ignoreFocusOut: true,
      }));
    if (words === undefined) return;
    const document = await vscode.workspace.openTextDocument(own.recording);
    const { lecture } = parseLecture(document.getText());
    if (!lecture) {
      view.notify(
        'error',
        vscode.l10n.t('{0} has problems. Fix them, then add the stop again.', fileNameOf(own.recording)),
      );
      return;
    }
    const value = writeStop(model, frame.position, selection, words);
    const { edit } = createSpecEdit(document, [{ path: ['stops', lecture.stops.length], value, insert: true }]);
    if (!(await vscode.workspace.applyEdit(edit)) || !(await document.save())) {
      view.notify('error', vscode.l10n.t('{0} cannot be written.', fileNameOf(own.recording)));
      return;
    }
    own.stops = lecture.stops.length + 1;
    this.#publish(run);
    await this.#warnOfManualChanges(run);
  }

  /** Ends the recording, and shows its file. */
  async finish(run: OpenRun): Promise<void> {
    const own = this.#of(run);
    const { recording } = own;
    if (!recording) return;
    own.recording = null;
    this.#publish(run);
    await showInSpec(recording, run.panel.viewColumn, new vscode.Range(0, 0, 0, 0));
    run.controller.view.notify('info', vscode.l10n.t('Saved: {0}', vscode.workspace.asRelativePath(recording)));
  }

  /** Plays a lecture of this run, which is asked for if there are several. */
  async playOne(run: OpenRun): Promise<void> {
    const uri = await this.#pick(run);
    if (uri) await this.play(uri);
    else if (uri === null)
      run.controller.view.notify(
        'info',
        vscode.l10n.t('This spec has no lecture. Run "Nablascope: Start Recording Lecture".'),
      );
  }

  /** @param uri of a lecture; by default that in front, else one that is picked */
  async playFile(uri: unknown): Promise<void> {
    const inFront = vscode.window.activeTextEditor?.document.uri;
    if (uri instanceof vscode.Uri && isLecture({ uri })) await this.play(uri);
    else if (inFront && isLecture({ uri: inFront })) await this.play(inFront);
    else {
      const picked = await this.#pick(this.#options.runs.active);
      if (picked) await this.play(picked);
      else if (picked === null)
        void vscode.window.showInformationMessage(vscode.l10n.t('There is no lecture in this workspace.'));
    }
  }

  /** Opens the run of a lecture, and goes to its first stop. */
  async play(uri: vscode.Uri): Promise<void> {
    const { documents, runs } = this.#options;
    const document = await vscode.workspace.openTextDocument(uri);
    const first = await documents.read(document);
    if (!first.lecture || !first.spec) return showProblems(document, first.problems);
    const run = await runs.open(first.spec);
    if (!run.controller.view.model) {
      run.controller.view.notify('warning', UNAVAILABLE_REASON[run.controller.view.state.kind]);
      return;
    }
    // With the run, what it has is known.
    const { lecture, problems } = await documents.read(document);
    if (!lecture) return showProblems(document, problems);
    if (lecture.stops.length === 0) {
      run.controller.view.notify('info', vscode.l10n.t('{0} has no stop yet.', fileNameOf(uri)));
      return;
    }
    const own = this.#of(run);
    // Its highlighted terms are marked there.
    await vscode.window.showTextDocument(first.spec, {
      viewColumn: otherColumn(run.panel.viewColumn),
      preserveFocus: true,
      preview: false,
    });
    run.panel.reveal();
    own.recording = null;
    own.playing = { uri, lecture, index: 0, visit: own.playing?.visit ?? 0, goingTo: null };
    run.panel.postUpdate({ type: 'present' });
    await this.#move(run, 0);
    await this.#warnOfManualChanges(run);
  }

  /** Writes the lecture with pictures as one HTML file. The panel goes through its stops. */
  async export(run: OpenRun): Promise<vscode.Uri | undefined> {
    const { playing } = this.#of(run);
    const { controller, panel } = run;
    const { view } = controller;
    if (!playing) {
      view.notify('warning', vscode.l10n.t('Play a lecture first: its stops are shown while they are exported.'));
      return undefined;
    }
    panel.reveal();
    const stops: LectureReportStop[] = [];
    for (const [i, { title, text }] of playing.lecture.stops.entries()) {
      const stop = await this.#goTo(run, i);
      if (!stop) {
        view.notify('error', vscode.l10n.t('Stop {0} was not reached, so the lecture was not exported.', i + 1));
        return undefined;
      }
      const pictures = await panel.requestPictures(stop.position);
      const answer = await controller.query({ type: 'step_graph', sample: stop.sample });
      const { frame } = view;
      if (!frame || !pictures || !isSamePosition(frame.position, stop.position)) {
        view.notify('error', vscode.l10n.t('The panel must stay open and idle while the lecture is exported.'));
        return undefined;
      }
      const isAnswered = typeof answer !== 'string' && isSamePosition(answer.position, stop.position);
      stops.push({
        title,
        safeHtml: markdownToHtml(text),
        position: stop.position,
        loss: frame.loss,
        batchSamples: frame.batchPosition.samples,
        highlight: stop.highlight,
        pictures,
        graph: isAnswered ? (answer.value as StepGraph | null) : null,
      });
    }
    await this.#goTo(run, playing.index);
    if (!view.model) return undefined;
    const { title: name } = playing.lecture;
    const page = lectureHtml({
      title: name,
      file: fileNameOf(playing.uri),
      specFile: controller.location.file,
      specText: controller.analysis.text,
      version: this.#options.version,
      model: view.model,
      stops,
    });
    return saveWithDialog(run.uri, view, { kind: 'html', title: 'lecture', content: Buffer.from(page, 'utf8') });
  }

  async #move(run: OpenRun, index: number): Promise<void> {
    const { playing } = this.#of(run);
    if (!playing || index < 0 || index >= playing.lecture.stops.length) return;
    await this.#goTo(run, index);
  }

  /** @returns the stop, once the run is there; null if it is not reached, or another stop was asked for meanwhile */
  async #goTo(run: OpenRun, index: number): Promise<ResolvedStop | null> {
    const own = this.#of(run);
    const { model } = run.controller.view;
    if (!own.playing || !model) return null;
    const stop = resolveStop(own.playing.lecture.stops[index]!, model);
    if (!stop) return null;
    const visit = own.playing.visit + 1;
    const { step, phase } = stop.position;
    own.playing = { ...own.playing, index, visit, goingTo: phase > 0 ? step + 1 : step };
    this.#publish(run);
    await run.controller.command({ type: 'seek', step, phase, train: true });
    // Another stop may have been asked for while the run moved.
    if (own.playing?.visit !== visit) return null;
    own.playing = { ...own.playing, goingTo: null };
    this.#publish(run);
    const record = await run.controller.captureRecord();
    return record && isSamePosition(record.position, stop.position) ? stop : null;
  }

  #close(run: OpenRun): void {
    this.#of(run).playing = null;
    this.#publish(run);
  }

  /** Numbers of a run that was changed by hand are not those of the spec, which is all that a lecture holds. */
  async #warnOfManualChanges({ controller }: OpenRun): Promise<void> {
    const record = await controller.captureRecord();
    if (record && record.changes.length > 0)
      controller.view.notify(
        'warning',
        vscode.l10n.t(
          'This run was changed by hand, which a lecture does not record. Reset the run for the numbers of its spec.',
        ),
      );
  }

  /** After the page or the window was reloaded. */
  async #resume(run: OpenRun): Promise<void> {
    const own = this.#of(run);
    const stored = this.#options.state.get<StoredPlaying>(storageKey(run));
    if (!own.playing && stored && run.controller.view.model) {
      const document = await vscode.workspace
        .openTextDocument(vscode.Uri.parse(stored.lecture))
        .then(undefined, () => null);
      const { lecture } = document ? await this.#options.documents.read(document) : {};
      if (document && lecture?.stops[stored.index])
        own.playing = { uri: document.uri, lecture, index: stored.index, visit: 0, goingTo: null };
    }
    this.#publish(run);
  }

  /** Null if there is none; undefined if none was picked. @param run whose lectures come first */
  async #pick(run: OpenRun | undefined): Promise<vscode.Uri | null | undefined> {
    const files = await findWorkspaceFiles(LECTURE_SUFFIX, MAX_LISTED_LECTURES);
    const read = await Promise.all(
      files.map(async (uri) => ({
        uri,
        spec: (await this.#options.documents.read(await vscode.workspace.openTextDocument(uri))).spec?.uri.toString(),
      })),
    );
    const own = run ? read.filter(({ spec }) => spec === run.uri.toString()) : read;
    if (own.length < 2) return own[0]?.uri ?? null;
    const items = own.map(({ uri }) => ({ label: escapeUiText(vscode.workspace.asRelativePath(uri)), uri }));
    return (await vscode.window.showQuickPick(items, { placeHolder: vscode.l10n.t('Select a lecture to play') }))?.uri;
  }

  #of(run: OpenRun): RunLecture {
    let own = this.#lectures.get(run);
    if (!own) this.#lectures.set(run, (own = { recording: null, stops: 0, playing: null }));
    return own;
  }

  #publish(run: OpenRun): void {
    const { recording, stops, playing } = this.#of(run);
    const stored: StoredPlaying | undefined = playing
      ? { lecture: playing.uri.toString(), index: playing.index }
      : undefined;
    void this.#options.state.update(storageKey(run), stored);
    run.panel.postUpdate({
      type: 'lecture',
      lecture: {
        recording: recording && { file: fileNameOf(recording), stops },
        playing: playing && toShown(playing, run),
      },
    });
    this.#onDidChange.fire();
  }
}

function toShown({ uri, lecture, index, visit, goingTo }: Playing, run: OpenRun): PanelLecture['playing'] {
  const { title: name } = lecture;
  const stop = lecture.stops[index]!;
  const { title } = stop;
  const { model } = run.controller.view;
  const resolved = model && resolveStop(stop, model);
  return {
    file: fileNameOf(uri),
    title: name,
    visit,
    stop: {
      index,
      count: lecture.stops.length,
      title,
      html: markdownToHtml(stop.text),
      position: resolved?.position ?? { step: stop.step, phase: 0 },
      selection: resolved ?? { view: stop.view, layer: null, sample: stop.sample, highlight: null },
      goingTo,
    },
  };
}

/** `circles.lecture.json`, or with a number. */
async function unusedLecture(spec: vscode.Uri): Promise<vscode.Uri> {
  for (let number = 1; ; number++) {
    const name = `${specNameOf(spec)}${number === 1 ? '' : `-${number}`}${LECTURE_SUFFIX}`;
    const uri = vscode.Uri.joinPath(spec, '..', name);
    if (!(await fileExists(uri))) return uri;
  }
}

/** Shows the first problem at its place. */
async function showProblems(document: vscode.TextDocument, problems: readonly Problem[]): Promise<void> {
  const [first] = problems;
  if (!first) return;
  const selection = new vscode.Range(document.positionAt(first.start), document.positionAt(first.end));
  await vscode.window.showTextDocument(document, { selection });
  void vscode.window.showErrorMessage(escapeUiText(`${fileNameOf(document.uri)}: ${first.message} ${first.remedy}`));
}
