// The tools for agents through VS Code's own API for language model tools.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { agentTools, languageModelToolId } from '../../../src/agent-tools';
import { activateExtension } from '../support/extension';

// What is used of an API that is newer than the types.
interface LanguageModels {
  readonly tools: readonly { readonly name: string }[];
  invokeTool(
    name: string,
    options: { readonly input: object; readonly toolInvocationToken: undefined },
  ): Thenable<{ readonly content: readonly { readonly value?: string }[] }>;
}

describe('language model tools', () => {
  const languageModels = (vscode as unknown as { readonly lm?: Partial<LanguageModels> }).lm;
  const invoke = async (name: string, input: object): Promise<Record<string, unknown>> => {
    const { content } = await languageModels!.invokeTool!(languageModelToolId(name), {
      input,
      toolInvocationToken: undefined,
    });
    return JSON.parse(content.map(({ value = '' }) => value).join('')) as Record<string, unknown>;
  };

  before(async function () {
    // Before VS Code 1.95.
    if (!languageModels?.invokeTool) this.skip();
    await activateExtension();
  });

  it('are offered by the editor', () => {
    const names = languageModels!.tools!.map(({ name }) => name);
    assert.deepEqual(
      agentTools.map(({ name }) => languageModelToolId(name)).filter((name) => !names.includes(name)),
      [],
    );
  });

  it('answer', async () => {
    const found = await invoke('query_run', { spec: 'circles.nabla.json', query: 'step, loss where step <= 3', to: 5 });
    assert.deepEqual(
      (found.rows as readonly (readonly number[])[]).map(([step]) => step),
      [1, 2, 3],
    );
  });

  it('fail with what to do, for a spec that does not exist and for inputs that do not fit', async () => {
    await assert.rejects(() => invoke('check_gradients', { spec: 'missing.nabla.json' }), /missing\.nabla\.json/);
    await assert.rejects(() => invoke('check_gradients', { spec: 5 }));
  });
});
