// Debugs custom layers: a separate process replays the current step, and VS Code's JavaScript debugger attaches to it.
// The run does not wait, and there are no time limits.
import path from 'node:path';
import * as vscode from 'vscode';
import { ProcessClient } from '../../process/process-client';
import { describeFault } from '../../process/exit-cause';
import type { DebugCalls, DebugEvents, ReplayRequest, ReplayResponse } from '../../protocol/debug';
import { findFunctionBody } from './function-body';
import { customLayerFilesOf } from './layer-files';
import { escapeUiText } from '../ui/escape-ui';
import type { Log } from '../run/run-options';
import { toErrorMessage } from '../run/run-messages';
import type { OpenRun } from '../run/run-manager';

type Client = ProcessClient<DebugCalls, DebugEvents>;

export class LayerDebugger implements vscode.Disposable {
  readonly #distFolder: string;
  readonly #log: Log;
  readonly #clients = new Map<OpenRun, Client>();
  /** Debug sessions by process id. */
  readonly #sessions = new Map<unknown, vscode.DebugSession>();
  readonly #subscriptions: readonly vscode.Disposable[];

  /** @param dist the folder of the bundles */
  constructor(dist: string, log: Log) {
    this.#distFolder = dist;
    this.#log = log;
    this.#subscriptions = [
      vscode.debug.onDidStartDebugSession((session) => {
        const { nablascope } = session.configuration;
        if (nablascope !== undefined && !session.parentSession) this.#sessions.set(nablascope, session);
      }),
      vscode.debug.onDidTerminateDebugSession(({ configuration }) => {
        this.#sessions.delete(configuration.nablascope);
        // Detaching the debugger ends the process.
        for (const [run, client] of this.#clients)
          if (client.pid === configuration.nablascope) void this.#stop(run, client);
      }),
    ];
  }

  /** Resolves when the step is done or the debugger was stopped. @param name of the layer in the spec */
  async debug(run: OpenRun, name: string): Promise<void> {
    const { controller } = run;
    const { view } = controller;
    const layer = customLayerFilesOf(controller).find((candidate) => candidate.name === name);
    const request = layer
      ? await controller.createReplayRequest()
      : vscode.l10n.t('The spec has no custom layer "{0}".', name);
    if (!layer || typeof request === 'string') {
      view.notify('warning', String(request));
      return;
    }
    await this.#ensureBreakpoint(vscode.Uri.file(layer.file));
    const done = await this.#replay(run, name, request);
    if (done) this.#showResult(run, done);
  }

  /**
   * Debugs the phase of a layer that comes next in the run, which is not changed. Stops at the first line of its code.
   * @param signal stops the debugger
   * @returns false if the layer has no code for it
   */
  async stepInto(run: OpenRun, name: string, phase: 'forward' | 'backward', signal: AbortSignal): Promise<boolean> {
    const { controller } = run;
    const layer = customLayerFilesOf(controller).find((candidate) => candidate.name === name);
    const start = layer && (await findStart(vscode.Uri.file(layer.file), phase));
    if (!start) return false;
    const request = await controller.createReplayRequest();
    if (typeof request === 'string') throw new Error(request);
    const isSet = sourceBreakpoints().some(
      ({ enabled, location }) =>
        enabled &&
        location.uri.toString() === start.uri.toString() &&
        location.range.start.line === start.range.start.line,
    );
    const added = isSet ? [] : [new vscode.SourceBreakpoint(start)];
    vscode.debug.addBreakpoints(added);
    try {
      const done = await this.#replay(run, name, { ...request, onlyNextPhase: true }, signal);
      if (done && done.kind !== 'done') this.#showResult(run, done);
    } finally {
      vscode.debug.removeBreakpoints(added);
    }
    return true;
  }

  /** @returns null if the debugger was stopped, or failed, which was shown */
  async #replay(
    run: OpenRun,
    name: string,
    request: ReplayRequest,
    signal?: AbortSignal,
  ): Promise<ReplayResponse | null> {
    const { view, location } = run.controller;
    const previous = this.#clients.get(run);
    if (previous) await this.#stop(run, previous);
    if (signal?.aborted === true) return null;
    const client: Client = new ProcessClient<DebugCalls, DebugEvents>({
      file: path.join(this.#distFolder, 'debug-process.js'),
      // Breakpoints use the paths that the editor knows.
      nodeArguments: ['--preserve-symlinks'],
      events: {
        listening: async (port) => {
          const isAttached = await this.#attach(client, port, name, location.root ?? location.folder);
          if (isAttached || this.#clients.get(run) !== client) return;
          view.notify(
            'error',
            vscode.l10n.t(
              'The JavaScript debugger could not attach. The extension "JavaScript Debugger", which is part of VS Code, may be disabled.',
            ),
          );
          await this.#stop(run, client);
        },
      },
      onExit: (reason) => {
        this.#clients.delete(run);
        view.notify('error', vscode.l10n.t('Debugging ended: {0}', reason));
      },
      onOutput: (text) => this.#log.info(`debugging ${escapeUiText(name)}: ${text.trimEnd()}`),
    });
    this.#clients.set(run, client);
    const stop = (): void => void this.#stop(run, client);
    signal?.addEventListener('abort', stop);
    try {
      return await client.calls.replaySteps(request);
    } catch (error) {
      if (this.#clients.get(run) === client) view.notify('error', toErrorMessage(error));
      return null;
    } finally {
      signal?.removeEventListener('abort', stop);
      await this.#stop(run, client);
    }
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    for (const [run, client] of this.#clients) void this.#stop(run, client);
  }

  async #stop(run: OpenRun, client: Client): Promise<void> {
    if (this.#clients.get(run) === client) this.#clients.delete(run);
    // Stops the debug session too, since the debugger may not notice at once that its process has ended.
    const session = this.#sessions.get(client.pid);
    if (session) await vscode.debug.stopDebugging(session);
    await client.dispose();
  }

  #attach(client: Client, port: number, name: string, root: string): Thenable<boolean> {
    return vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(vscode.Uri.file(root)), {
      type: 'node',
      request: 'attach',
      name: vscode.l10n.t('Debug {0}', escapeUiText(name)),
      address: '127.0.0.1',
      port,
      continueOnAttach: true,
      autoAttachChildProcesses: false,
      skipFiles: ['<node_internals>/**', `${this.#distFolder}/**`],
      nablascope: client.pid,
    });
  }

  /** Sets a breakpoint at the start of `forward` if the file has none, since the debugger would not stop otherwise. */
  async #ensureBreakpoint(file: vscode.Uri): Promise<void> {
    if (sourceBreakpoints().some(({ location }) => location.uri.toString() === file.toString())) return;
    const start = await findStart(file, 'forward');
    if (start) vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(start)]);
  }

  #showResult({ controller: { view } }: OpenRun, done: ReplayResponse): void {
    switch (done.kind) {
      case 'done':
        return view.notify(
          'info',
          vscode.l10n.t('Step {0} was replayed under the debugger. The run is unchanged.', done.step),
        );
      case 'fault':
        return view.notify('error', describeFault(done.fault));
      case 'problems':
        return view.notify('error', done.problems.map(({ message, remedy }) => `${message} ${remedy}`).join(' '));
      default:
        done satisfies never;
    }
  }
}

const sourceBreakpoints = (): vscode.SourceBreakpoint[] =>
  vscode.debug.breakpoints.filter((each) => each instanceof vscode.SourceBreakpoint);

/** The first statement of a function of a layer's file; null if it has none. */
async function findStart(file: vscode.Uri, name: 'forward' | 'backward'): Promise<vscode.Location | null> {
  const document = await vscode.workspace.openTextDocument(file);
  const offset = findFunctionBody(document.getText(), name);
  return offset === null ? null : new vscode.Location(file, document.positionAt(offset));
}
