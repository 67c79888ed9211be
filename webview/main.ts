// Starts the panel in its page and joins it to the extension's messages.
import '@vscode/codicons/dist/codicon.css';
import './panel.css';
import { unpack } from '../src/protocol/channel';
import type { ToPanel } from '../src/protocol/panel';
import { App, type Host } from './app';

declare function acquireVsCodeApi(): Host;

const root = document.getElementById('panel');
if (!root) throw new Error('The page has no element with the id "panel".');
const app = new App(root, acquireVsCodeApi());
window.addEventListener('message', (event: MessageEvent<unknown>) => app.receive(unpack<ToPanel>(event.data)));
