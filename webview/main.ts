// Starts the panel in its page and joins it to the extension's messages.
import '@vscode/codicons/dist/codicon.css';
import './styles/panel.css';
import './styles/layers.css';
import './styles/views.css';
import './styles/narrow.css';
import { pack, unpack } from '../src/protocol/channel';
import { joining } from '../src/parts/parts';
import type { SentToPanel, ToPanel } from '../src/protocol/panel';
import { App, type Host } from './app';

declare function acquireVsCodeApi(): { postMessage(message: unknown): void; getState(): unknown; setState(state: unknown): void };

const root = document.getElementById('panel');
if (!root) throw new Error('The page has no element with the id "panel".');
const editor = acquireVsCodeApi();
const host: Host = {
  postMessage: (message) => editor.postMessage(pack(message)),
  getState: () => editor.getState(),
  setState: (state) => editor.setState(state),
};
const app = new App(root, host);
const receive = joining((message: ToPanel) => app.receive(message));
window.addEventListener('message', ({ data }: MessageEvent<unknown>) => void receive(unpack<SentToPanel>(data)));
