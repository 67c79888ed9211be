// Every command of the extension: what it is called, where it appears, and what it does. package.json's commands, menus
// and keybindings are generated from this table (`npm run generate`), so adding a command is adding an entry here.
import type { CustomRole } from '../../model-spec';
import type { SessionCommand } from '../../protocol/engine';
import type { LectureAction } from '../../protocol/lecture';
import type { OpenRun } from '../run/run-manager';

/** What commands act on; `commands.ts` implements it with the editor. */
export interface CommandContext {
  /**
   * The run of a spec; by default the run in front, else that of the spec in front or of one that the user picks.
   * Undefined if dismissed. @param uri of a spec, from its code lens; anything else is ignored
   */
  activeRun(uri?: unknown): Promise<OpenRun | undefined>;
  /** @param uri of a spec; without one, the spec in front or one that the user picks. */
  openPanel(uri?: unknown): Promise<void>;
  newSpec(): Promise<void>;
  /** Asks what the model is about. @param uri of an empty spec that receives it; by default a new one */
  newModel(uri?: unknown): Promise<void>;
  /** @param file of an example; without one, the user picks */
  openExample(file: unknown): Promise<void>;
  /** @param item of the view of examples */
  restoreExample(item: unknown): Promise<void>;
  newLayer(role: CustomRole): Promise<void>;
  /** @param uri of a spec, together with the name of a layer, or of a layer's file. By default the file in front. */
  debugLayer(uri?: unknown, layer?: unknown): Promise<void>;
  exportReport(run: OpenRun): Promise<unknown>;
  saveWeights(run: OpenRun): Promise<unknown>;
  /** What a lecture of the run is asked for. */
  lecture(run: OpenRun, action: LectureAction): Promise<void>;
  /** @param uri of a lecture; by default the one in front, or one that the user picks */
  playLecture(uri?: unknown): Promise<void>;
  revokePermissions(): Promise<void>;
  /** @param variable of the debugger's menu */
  showVariable(variable: unknown): void;
  /** @param cell of the panel's menu */
  breakOnSignChange(cell: unknown): Promise<void>;
  /** @param argument of the panel's menu */
  whenDidThisStart(argument: unknown): void;
  /** In the debugger: back into the phase that is done. */
  backInto(): Promise<void>;
  /** @param item of Test Explorer, of a spec whose custom layers need permission. */
  allowCustomLayers(item: unknown): Promise<void>;
  showLog(): void;
  /** Each asks for a number that suits the run; undefined if dismissed. */
  readonly prompts: {
    step(run: OpenRun): Promise<number | undefined>;
    epoch(run: OpenRun): Promise<number | undefined>;
    reachedStep(run: OpenRun): Promise<number | undefined>;
    learningRate(run: OpenRun): Promise<number | undefined>;
  };
}

/** Menus of VS Code that commands appear in. The command palette has a property of its own. */
export type MenuId =
  | 'view/title'
  | 'view/item/context'
  | 'editor/title'
  | 'editor/title/context'
  | 'explorer/context'
  | 'testing/item/context'
  | 'debug/variables/context'
  | 'debug/toolBar'
  | 'webview/context';

export interface CommandDescriptor {
  /** Verb and object; an ellipsis where the command asks for something. */
  readonly title: string;
  /** For a place that does not show the category, such as the tooltip of a title button. */
  readonly shortTitle?: string;
  /** A codicon, or a file of the extension. */
  readonly icon?: string;
  /** When the command palette offers it; always by default. */
  readonly palette?: string;
  readonly menus?: Partial<Record<MenuId, { readonly when: string; readonly group: string }>>;
  readonly keybindings?: readonly { readonly key: string; readonly when: string }[];
  readonly run: (context: CommandContext, ...args: unknown[]) => unknown;
}

/** Context keys that `ContextKeys` keeps up to date; conditions below refer to them. */
export const contextKeys = {
  /** A spec is in front, or a panel was. */
  hasTarget: 'nablascope.hasTarget',
  hasRun: 'nablascope.hasRun',
  running: 'nablascope.running',
  checking: 'nablascope.checking',
  restorable: 'nablascope.restorable',
  stopped: 'nablascope.stopped',
  panelActive: 'nablascope.panelActive',
  /** A spec is in an editor, so that its margin takes breakpoints. */
  specVisible: 'nablascope.specVisible',
  /** A JSON file that is no spec is in front: F5 is not about it. */
  otherJson: 'nablascope.otherJson',
  /** A lecture of the run in front is being recorded, or played. */
  recordingLecture: 'nablascope.recordingLecture',
  playingLecture: 'nablascope.playingLecture',
  hasPermissions: 'nablascope.hasPermissions',
  /** An object whose keys are the ids of the Test Explorer items of specs whose custom layers need permission. */
  blockedSpecs: 'nablascope.blockedSpecs',
  /** An object whose keys are the files of the layers of open runs. */
  layerFiles: 'nablascope.layerFiles',
} as const;

const { hasTarget, running, checking, restorable, stopped, hasRun, hasPermissions, blockedSpecs, layerFiles } =
  contextKeys;
const { recordingLecture, playingLecture } = contextKeys;

const specFile = 'resourceFilename =~ /\\.nabla\\.json$/';
const lectureFile = 'resourceFilename =~ /\\.lecture\\.json$/';
const panelInFront = "activeWebviewPanelId == 'nablascope.panel'";
/** Keys reach the panel while it is the active editor, unless the focus is in another part of the window. */
const panelFocused = `${panelInFront} && !terminalFocus && !sideBarFocus && !panelFocus && !auxiliaryBarFocus`;
const stoppedInDebugger = "debugType == 'nablascope' && debugState == 'stopped'";
const notRunning = `${hasTarget} && !${running}`;

/** Passes the command on to the session of the active run. */
const sessionCommand =
  (command: SessionCommand): CommandDescriptor['run'] =>
  async (context, uri) =>
    (await context.activeRun(uri))?.controller.command(command);

/** The same for a command with a number: the caller's, or one that the user is asked for. */
const sessionCommandWithNumber =
  (prompt: keyof CommandContext['prompts'], command: (value: number) => SessionCommand): CommandDescriptor['run'] =>
  async (context, argument) => {
    const run = await context.activeRun();
    if (!run) return;
    const value = typeof argument === 'number' ? argument : await context.prompts[prompt](run);
    if (value !== undefined) await run.controller.command(command(value));
  };

const onRun =
  (action: (run: OpenRun, context: CommandContext) => unknown): CommandDescriptor['run'] =>
  async (context, uri) => {
    const run = await context.activeRun(uri);
    if (run) await action(run, context);
  };

const onLecture = (action: LectureAction): CommandDescriptor['run'] =>
  onRun((run, context) => context.lecture(run, action));

/** Commands, keyed by id without the prefix `nablascope.`; users bind keys to ids, so these stay. */
export const commandTable = {
  open: {
    title: 'Open Panel',
    shortTitle: 'Open in Nablascope',
    icon: 'media/panel.svg',
    menus: {
      'editor/title': { when: `${specFile} && !isInDiffEditor`, group: 'navigation' },
      'explorer/context': { when: specFile, group: 'navigation@20' },
      'view/item/context': { when: 'view == nablascope.models && viewItem == spec', group: 'inline' },
    },
    run: (context, uri) => context.openPanel(uri),
  },
  newModel: {
    title: 'New Model…',
    icon: '$(new-file)',
    menus: { 'view/title': { when: 'view == nablascope.models', group: 'navigation' } },
    run: (context, uri) => context.newModel(uri),
  },
  newSpec: { title: 'New Spec', icon: '$(new-file)', run: (context) => context.newSpec() },
  openExample: {
    title: 'Open Example…',
    icon: '$(mortar-board)',
    run: (context, file) => context.openExample(file),
  },
  restoreExample: {
    title: 'Restore Original',
    icon: '$(discard)',
    // It needs the item that it is invoked on.
    palette: 'false',
    menus: { 'view/item/context': { when: 'view == nablascope.examples && viewItem == example', group: 'inline' } },
    run: (context, item) => context.restoreExample(item),
  },
  newLayer: { title: 'New Custom Layer…', icon: '$(new-file)', run: (context) => context.newLayer('layer') },
  newLoss: { title: 'New Custom Loss…', icon: '$(new-file)', run: (context) => context.newLayer('loss') },
  newPenalty: { title: 'New Custom Penalty…', icon: '$(new-file)', run: (context) => context.newLayer('penalty') },
  debugLayer: {
    title: 'Debug Custom Layer',
    icon: '$(debug-alt)',
    palette: `${hasTarget} || resourcePath in ${layerFiles}`,
    menus: {
      'editor/title': { when: `resourcePath in ${layerFiles} && !isInDiffEditor`, group: 'navigation' },
    },
    run: (context, uri, layer) => context.debugLayer(uri, layer),
  },
  showLog: { title: 'Show Log', run: (context) => context.showLog() },
  forgetCodeFolders: {
    title: 'Revoke Permission to Run Custom Layers…',
    palette: hasPermissions,
    run: (context) => context.revokePermissions(),
  },
  allowCustomLayers: {
    title: 'Allow Custom Layers to Run…',
    icon: '$(shield)',
    // It needs the item that it is invoked on.
    palette: 'false',
    menus: { 'testing/item/context': { when: `testId in ${blockedSpecs}`, group: 'inline@0' } },
    run: (context, item) => context.allowCustomLayers(item),
  },
  run: {
    title: 'Run',
    icon: '$(debug-start)',
    palette: notRunning,
    keybindings: [{ key: 'f5', when: `${panelFocused} && !${running}` }],
    run: sessionCommand({ type: 'run' }),
  },
  pause: {
    title: 'Pause',
    icon: '$(debug-pause)',
    palette: running,
    keybindings: [{ key: 'f5', when: `${panelFocused} && ${running}` }],
    run: sessionCommand({ type: 'pause' }),
  },
  step: {
    title: 'Step',
    icon: '$(debug-step-over)',
    palette: hasTarget,
    keybindings: [{ key: 'f10', when: panelFocused }],
    run: sessionCommand({ type: 'step' }),
  },
  stepPhase: {
    title: 'Step One Phase',
    icon: '$(debug-step-into)',
    palette: hasTarget,
    keybindings: [{ key: 'f11', when: panelFocused }],
    run: sessionCommand({ type: 'stepPhase' }),
  },
  backPhase: {
    title: 'Step Back One Phase',
    icon: '$(debug-step-out)',
    palette: hasRun,
    keybindings: [{ key: 'shift+f11', when: panelFocused }],
    run: sessionCommand({ type: 'backPhase' }),
  },
  backStep: {
    title: 'Step Back',
    icon: '$(debug-step-back)',
    palette: hasRun,
    keybindings: [{ key: 'shift+f10', when: panelFocused }],
    run: sessionCommand({ type: 'backStep' }),
  },
  runToStep: {
    title: 'Run to Step…',
    palette: hasTarget,
    run: sessionCommandWithNumber('step', (step) => ({ type: 'runToStep', step })),
  },
  runToEpoch: {
    title: 'Run to End of Epoch…',
    palette: hasTarget,
    run: sessionCommandWithNumber('epoch', (epoch) => ({ type: 'runToEpoch', epoch })),
  },
  seek: {
    title: 'Go to Step…',
    palette: hasRun,
    run: sessionCommandWithNumber('reachedStep', (step) => ({ type: 'seek', step })),
  },
  reset: { title: 'Reset Run', icon: '$(debug-restart)', palette: hasRun, run: sessionCommand({ type: 'reset' }) },
  setLearningRate: {
    title: 'Set Learning Rate…',
    palette: hasTarget,
    run: sessionCommandWithNumber('learningRate', (lr) => ({ type: 'setLearningRate', lr })),
  },
  check: {
    title: 'Check Gradients',
    icon: '$(verified)',
    palette: `${hasTarget} && !${checking}`,
    run: onRun(({ controller }) => controller.check()),
  },
  diagnose: {
    title: 'Diagnose',
    icon: '$(pulse)',
    palette: hasTarget,
    run: onRun(({ panel, doctor }) => {
      panel.reveal();
      panel.postUpdate({ type: 'showView', view: 'doctor' });
      return doctor.start();
    }),
  },
  cancelCheck: {
    title: 'Cancel Gradient Check',
    palette: checking,
    run: onRun(({ controller }) => controller.cancelCheck()),
  },
  exportReport: {
    title: 'Export Report…',
    icon: '$(export)',
    palette: hasTarget,
    menus: { 'editor/title': { when: panelInFront, group: 'navigation' } },
    run: onRun((run, context) => context.exportReport(run)),
  },
  saveWeights: {
    title: 'Save Weights…',
    palette: hasTarget,
    run: onRun((run, context) => context.saveWeights(run)),
  },
  present: {
    title: 'Present',
    icon: '$(screen-full)',
    palette: hasTarget,
    run: onRun(({ panel }) => {
      panel.reveal();
      panel.postUpdate({ type: 'present' });
    }),
  },
  recordLecture: {
    title: 'Start Recording Lecture',
    icon: '$(record)',
    palette: `${hasTarget} && !${recordingLecture}`,
    run: onLecture('record'),
  },
  addLectureStop: {
    title: 'Add Stop to Lecture…',
    icon: '$(add)',
    palette: recordingLecture,
    run: onLecture('addStop'),
  },
  finishLecture: {
    title: 'Finish Recording Lecture',
    icon: '$(check)',
    palette: recordingLecture,
    run: onLecture('finish'),
  },
  playLecture: {
    title: 'Play Lecture…',
    icon: '$(play)',
    menus: {
      'editor/title': { when: `${lectureFile} && !isInDiffEditor`, group: 'navigation' },
      'explorer/context': { when: lectureFile, group: 'navigation@20' },
    },
    run: (context, uri) => context.playLecture(uri),
  },
  nextLectureStop: { title: 'Next Stop of Lecture', palette: playingLecture, run: onLecture('next') },
  previousLectureStop: { title: 'Previous Stop of Lecture', palette: playingLecture, run: onLecture('back') },
  exportLecture: {
    title: 'Export Lecture…',
    icon: '$(export)',
    palette: playingLecture,
    run: onLecture('export'),
  },
  showVariable: {
    title: 'Show in Nablascope',
    palette: 'false',
    menus: { 'debug/variables/context': { when: "debugType == 'nablascope'", group: 'navigation@1' } },
    run: (context, variable) => context.showVariable(variable),
  },
  backInto: {
    title: 'Back Into',
    icon: '$(reply)',
    palette: stoppedInDebugger,
    menus: { 'debug/toolBar': { when: stoppedInDebugger, group: 'navigation@100' } },
    keybindings: [{ key: 'alt+f11', when: stoppedInDebugger }],
    run: (context) => context.backInto(),
  },
  breakOnSignChange: {
    title: 'Break When This Changes Sign',
    palette: 'false',
    menus: {
      'webview/context': { when: "webviewId == 'nablascope.panel' && webviewSection == 'cell'", group: 'navigation@1' },
    },
    run: (context, cell) => context.breakOnSignChange(cell),
  },
  whenDidThisStart: {
    title: 'When Did This Start?',
    palette: 'false',
    menus: {
      'webview/context': {
        when: "webviewId == 'nablascope.panel' && (webviewSection == 'cell' || webviewSection == 'point')",
        group: 'navigation@2',
      },
    },
    run: (context, argument) => context.whenDidThisStart(argument),
  },
  restore: {
    title: 'Restore Run',
    palette: restorable,
    run: onRun(({ controller }) => controller.restore()),
  },
  startOver: {
    title: 'Start Over',
    palette: `${hasRun} || ${stopped}`,
    run: onRun(({ controller }) => controller.startOver()),
  },
} satisfies Record<string, CommandDescriptor>;

export type CommandName = keyof typeof commandTable;

export const commandId = (name: CommandName): string => `nablascope.${name}`;
