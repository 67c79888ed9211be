// Starts the panel in its page and connects it to the extension host.
import '@vscode/codicons/dist/codicon.css';
import './styles/panel.css';
import './styles/layers.css';
import './styles/views.css';
import './styles/stage.css';
import './styles/narrow.css';
import { createBirpc } from 'birpc';
import { createAssembler } from '../src/chunking/chunks';
import type { Frame, PageCalls, PanelRequests } from '../src/protocol/panel';
import { panelSerialization } from '../src/protocol/panel-channel';
import { App } from './app';

declare function acquireVsCodeApi(): {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
};

/** Requests whose outcome arrives as an update of the panel, so the page waits for no answer. */
const REQUESTS_WITHOUT_ANSWER = [
  'ready',
  'subscribe',
  'command',
  'check',
  'cancelCheck',
  'sweep',
  'doctor',
  'applyFix',
  'applyQuickFix',
  'revealFinding',
  'selectLayer',
  'revealProblem',
  'revealDiagnosis',
  'debugLayer',
  'undo',
  'restore',
  'startOver',
  'allowCode',
  'manageTrust',
  'copyText',
  'saveFile',
  'lecture',
  'highlight',
] as const satisfies readonly (keyof PanelRequests)[];

const root = document.getElementById('panel');
if (!root) throw new Error('The page has no element with the id "panel".');
const vscode = acquireVsCodeApi();

const calls: PageCalls = {
  update: (update) => app.update(update),
  frame: createAssembler((frame: Frame) => app.showFrame(frame)),
  selection: () => Promise.resolve(app.selection()),
  pictures: (position) => app.pictures(position),
};
const extension = createBirpc<PanelRequests, PageCalls>(calls, {
  post: (message: unknown) => vscode.postMessage(message),
  on: (listener) => {
    const receive = createAssembler((message: object) => listener(message));
    window.addEventListener('message', ({ data }: MessageEvent<object>) => void receive(data));
  },
  ...panelSerialization,
  eventNames: [...REQUESTS_WITHOUT_ANSWER],
  bind: 'functions',
  // The extension host answers every query: with a result, or with why there is none.
  timeout: -1,
});
const app: App = new App(root, extension, vscode);
