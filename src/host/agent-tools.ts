// The tools for agents as language model tools of VS Code 1.95 and later. Earlier versions have no such API.
import * as vscode from 'vscode';
import { agentTools, languageModelToolId, runTool } from '../agent-tools';
import { dataFolders } from './ui/settings';
import type { CustomLayerPermissions } from './custom-layers/custom-layer-permissions';

// What is used of an API that is newer than the types.
// https://code.visualstudio.com/api/references/vscode-api#lm
interface LanguageModelApi {
  readonly lm?: {
    registerTool?: (name: string, tool: Tool) => vscode.Disposable;
  };
  readonly LanguageModelToolResult?: new (parts: readonly unknown[]) => object;
  readonly LanguageModelTextPart?: new (text: string) => object;
}

interface Tool {
  prepareInvocation(options: { readonly input: unknown }): { readonly invocationMessage: string };
  invoke(options: { readonly input: unknown }, token: vscode.CancellationToken): Promise<object>;
}

/** @param cliFile dist/cli.js */
export function registerAgentTools(cliFile: string, permissions: CustomLayerPermissions): vscode.Disposable {
  const { lm, LanguageModelToolResult, LanguageModelTextPart } = vscode as unknown as LanguageModelApi;
  if (!lm?.registerTool || !LanguageModelToolResult || !LanguageModelTextPart) return { dispose: () => undefined };
  const tools = agentTools.map((tool) =>
    lm.registerTool!(languageModelToolId(tool.name), {
      prepareInvocation: ({ input }) => ({ invocationMessage: `${tool.title}: ${specOf(input)}` }),
      async invoke({ input }, token) {
        const controller = new AbortController();
        const subscription = token.onCancellationRequested(() => controller.abort());
        const folders = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
        try {
          const { isError, text } = await runTool(
            tool,
            input,
            {
              cliFile,
              folders,
              dataFolders: dataFolders(),
              allowsCode: (file) => {
                const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file))?.uri.fsPath;
                return folder !== undefined && permissions.permission(folder) === 'allowed';
              },
              howToAllowCode:
                'Ask the user to open the spec in Nablascope and to allow its custom layers there, if they trust the code.',
            },
            controller.signal,
          );
          // An error is for the model, too: it says what to do.
          if (isError) throw new Error(text);
          return new LanguageModelToolResult([new LanguageModelTextPart(text)]);
        } finally {
          subscription.dispose();
        }
      },
    }),
  );
  return vscode.Disposable.from(...tools);
}

function specOf(input: unknown): string {
  const { spec } = (input ?? {}) as { readonly spec?: unknown };
  return typeof spec === 'string' ? spec : 'a spec';
}
