// Numbers beside the lines of a spec while its run is stopped in the debugger.
import * as vscode from 'vscode';
import type { InlineValues } from '../../debugger';
import { isSpec } from '../model-spec/spec-documents';
import { DEBUG_TYPE } from './debug-type';

export const registerInlineValues = (): vscode.Disposable =>
  vscode.languages.registerInlineValuesProvider({ pattern: '**/*.nabla.json' }, { provideInlineValues });

async function provideInlineValues(
  document: vscode.TextDocument,
  { start, end }: vscode.Range,
): Promise<vscode.InlineValue[]> {
  const session = vscode.debug.activeDebugSession;
  if (session?.type !== DEBUG_TYPE || !isSpec(document)) return [];
  const { values } = (await session.customRequest('inlineValues', {
    startLine: start.line + 1,
    endLine: end.line + 1,
  })) as InlineValues;
  return values.map(({ line, text }) => new vscode.InlineValueText(document.lineAt(line - 1).range, text));
}
