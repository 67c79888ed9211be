// Debugs layers of the user's own: a process of its own does the step that the panel shows again, and VS Code's
// JavaScript debugger attaches to it. The run waits for nothing, and nobody watches how long it takes.
import path from 'node:path';
import * as vscode from 'vscode';
import { EngineClient } from '../process/client';
import { describeFault } from '../process/words';
import type { DebugCalls, DebugVoice, StepsDone } from '../protocol/debug';
import { bodyOf } from './layer-body';
import { ownFiles } from './layer-files';
import { plain } from './plain';
import type { Log } from './run-options';
import { messageOf } from './run-words';
import type { OpenRun } from './runs';

type Client = EngineClient<DebugCalls, DebugVoice>;

export class LayerDebugger implements vscode.Disposable {
  readonly #dist: string;
  readonly #log: Log;
  readonly #clients = new Map<OpenRun, Client>();
  /** Of what is debugged, by the process's id. */
  readonly #sessions = new Map<unknown, vscode.DebugSession>();
  readonly #subscriptions: readonly vscode.Disposable[];

  /** @param dist the folder of what ships. */
  constructor(dist: string, log: Log) {
    this.#dist = dist;
    this.#log = log;
    this.#subscriptions = [
      vscode.debug.onDidStartDebugSession((session) => {
        const { nablascope } = session.configuration;
        if (nablascope !== undefined && !session.parentSession) this.#sessions.set(nablascope, session);
      }),
      vscode.debug.onDidTerminateDebugSession(({ configuration }) => {
        this.#sessions.delete(configuration.nablascope);
        // Who detaches wants it to end.
        for (const [run, client] of this.#clients) if (client.pid === configuration.nablascope) void this.#end(run, client);
      }),
    ];
  }

  /** Settles when the step is done, or the debugger was ended. @param name of the layer in the spec. */
  async debug(run: OpenRun, name: string): Promise<void> {
    const { controller } = run;
    const { view, place } = controller;
    const layer = ownFiles(controller).find((own) => own.name === name);
    const request = layer ? await controller.stepsAgain() : `The spec has no layer "${name}" of your own.`;
    if (!layer || typeof request === 'string') {
      view.notice('warning', String(request));
      return;
    }
    const before = this.#clients.get(run);
    if (before) await this.#end(run, before);
    await this.#someBreakpoint(vscode.Uri.file(layer.file));
    const client: Client = new EngineClient<DebugCalls, DebugVoice>({
      file: path.join(this.#dist, 'debug-process.js'),
      // Breakpoints are set by the paths that the editor knows.
      nodeArguments: ['--preserve-symlinks'],
      host: {
        listening: async (port) => {
          if (await this.#attach(client, port, name, place.root ?? place.folder)) return;
          view.notice('error', 'The JavaScript debugger could not attach. The extension "JavaScript Debugger", which comes with VS Code, may be switched off.');
          await this.#end(run, client);
        },
      },
      onExit: (reason) => {
        this.#clients.delete(run);
        view.notice('error', `Debugging ended: ${reason}`);
      },
      onOutput: (text) => this.#log.info(`debugging ${plain(name)}: ${text.trimEnd()}`),
    });
    this.#clients.set(run, client);
    try {
      this.#say(run, await client.calls.stepsAgain(request));
    } catch (error) {
      if (this.#clients.get(run) === client) view.notice('error', messageOf(error));
    } finally {
      await this.#end(run, client);
    }
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    for (const [run, client] of this.#clients) void this.#end(run, client);
  }

  async #end(run: OpenRun, client: Client): Promise<void> {
    if (this.#clients.get(run) === client) this.#clients.delete(run);
    // The debugger is told: it may not notice at once that there is nothing left to debug.
    const session = this.#sessions.get(client.pid);
    if (session) await vscode.debug.stopDebugging(session);
    await client.dispose();
  }

  #attach(client: Client, port: number, name: string, root: string): Thenable<boolean> {
    return vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(vscode.Uri.file(root)), {
      type: 'node',
      request: 'attach',
      name: `Layer ${plain(name)}`,
      address: '127.0.0.1',
      port,
      continueOnAttach: true,
      autoAttachChildProcesses: false,
      skipFiles: ['<node_internals>/**', `${this.#dist}/**`],
      nablascope: client.pid,
    });
  }

  /** Without one in the file nothing would be seen: then one is set where `forward` begins. */
  async #someBreakpoint(file: vscode.Uri): Promise<void> {
    const isThere = vscode.debug.breakpoints.some(
      (breakpoint) => breakpoint instanceof vscode.SourceBreakpoint && breakpoint.location.uri.toString() === file.toString(),
    );
    if (isThere) return;
    const document = await vscode.workspace.openTextDocument(file);
    const offset = bodyOf(document.getText(), 'forward');
    if (offset === null) return;
    vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(new vscode.Location(file, document.positionAt(offset)))]);
  }

  #say({ controller: { view } }: OpenRun, done: StepsDone): void {
    switch (done.kind) {
      case 'done':
        return view.notice('info', `Step ${done.step} was done again under the debugger; the run is where it was.`);
      case 'fault':
        return view.notice('error', describeFault(done.fault));
      case 'problems':
        return view.notice('error', done.problems.map(({ message, remedy }) => `${message} ${remedy}`).join(' '));
      default:
        done satisfies never;
    }
  }
}
