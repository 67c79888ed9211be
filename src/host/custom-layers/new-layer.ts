// Writes the file of a new layer, loss or penalty with its types next to it, and on request adds it to the active spec.
import * as vscode from 'vscode';
import { type CustomRole, editSpec } from '../../model-spec';
import type { SpecChange } from '../../protocol/problem';
import { newLayerTemplate, newLossTemplate, newPenaltyTemplate } from '../templates';
import { fileExists } from '../model-spec/new-spec';
import { escapeUiText } from '../ui/escape-ui';
import { isSpec, type SpecDocuments } from '../model-spec/spec-documents';
import { writeFile } from '../write-file';

/** The engine runs on the same version of Node. */
function supportsTypeScript(): boolean {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  return major > 22 || (major === 22 && minor >= 6);
}

interface NewFile {
  readonly title: string;
  /** Next to the spec. */
  readonly folder: string;
  readonly template: (file: string, typescript: boolean) => string;
}

const NEW_FILES: Readonly<Record<CustomRole, NewFile>> = {
  layer: { title: vscode.l10n.t('New custom layer'), folder: 'layers', template: newLayerTemplate },
  loss: { title: vscode.l10n.t('New custom loss'), folder: 'losses', template: newLossTemplate },
  penalty: { title: vscode.l10n.t('New custom penalty'), folder: 'losses', template: newPenaltyTemplate },
};

/** How to add the file to the spec; null if it should not be added. */
type Placement = (module: string) => vscode.WorkspaceEdit | null;

export class NewLayerCommand {
  readonly #extensionUri: vscode.Uri;
  readonly #documents: SpecDocuments;

  constructor(extension: vscode.Uri, documents: SpecDocuments) {
    this.#extensionUri = extension;
    this.#documents = documents;
  }

  /** @param spec the active spec, whose folder receives the file; undefined for the first folder of the workspace */
  async run(role: CustomRole, spec: vscode.TextDocument | undefined): Promise<void> {
    const { title, folder: name, template } = NEW_FILES[role];
    const specFolder = spec && !spec.isUntitled ? vscode.Uri.joinPath(spec.uri, '..') : undefined;
    const parent = specFolder ?? vscode.workspace.workspaceFolders?.[0]?.uri;
    if (!parent) {
      void vscode.window.showWarningMessage(vscode.l10n.t('Custom code is a file in a folder. Open a folder first.'));
      return;
    }
    const folder = vscode.Uri.joinPath(parent, name);
    const extension = `.${role}.${supportsTypeScript() ? 'ts' : 'mjs'}`;
    const typed = await vscode.window.showInputBox({
      title,
      prompt: vscode.l10n.t('Enter a name. The file in the folder "{0}" has the same name.', name),
      value: 'own',
      validateInput: (text) => validateName(text, vscode.Uri.joinPath(folder, text + extension)),
    });
    if (typed === undefined) return;
    const place = spec && isSpec(spec) ? await this.#promptForPlacement(role, spec) : () => null;
    if (place === undefined) return;
    const file = vscode.Uri.joinPath(folder, typed + extension);
    await this.#writeFiles(folder, file, template);
    const edit = place(`./${name}/${typed}${extension}`);
    if (edit) await vscode.workspace.applyEdit(edit);
    await vscode.window.showTextDocument(file);
  }

  /** Asks where to add the file; undefined if the user dismissed the question. */
  async #promptForPlacement(role: CustomRole, spec: vscode.TextDocument): Promise<Placement | undefined> {
    const analyzed = this.#documents.analysisOf(spec).spec;
    if (!analyzed || analyzed.layers.length === 0) return () => null;
    const { title } = NEW_FILES[role];
    const file = escapeUiText(spec.uri.path.split('/').pop() ?? '');
    const notYet = { label: vscode.l10n.t('Nowhere yet'), place: (): null => null };
    const change =
      (toChange: (module: string) => SpecChange): Placement =>
      (module) =>
        changeSpec(spec, [toChange(module)]);
    const places: Readonly<Record<CustomRole, readonly { readonly label: string; readonly place: Placement }[]>> = {
      layer: analyzed.layers.map(({ name, range }) => ({
        label: vscode.l10n.t('After {0}', escapeUiText(name)),
        place: (module) => insertLayer(spec, range, `{ "type": "custom", "module": ${JSON.stringify(module)} }`),
      })),
      loss: [
        {
          label: vscode.l10n.t('Instead of the loss {0}', escapeUiText(analyzed.loss.type)),
          place: change((module) => ({ path: ['loss'], value: { type: 'custom', module } })),
        },
      ],
      penalty: [
        {
          label: vscode.l10n.t('As the penalty'),
          place: change((module) => ({ path: ['penalty', 'module'], value: module })),
        },
      ],
    };
    const items = [...places[role], notYet];
    return (await vscode.window.showQuickPick(items, { title, placeHolder: vscode.l10n.t('Where in {0}?', file) }))
      ?.place;
  }

  async #writeFiles(folder: vscode.Uri, file: vscode.Uri, template: NewFile['template']): Promise<void> {
    const { fs } = vscode.workspace;
    await fs.createDirectory(folder);
    const types = vscode.Uri.joinPath(folder, 'nablascope.d.ts');
    if (!(await fileExists(types)))
      await fs.copy(vscode.Uri.joinPath(this.#extensionUri, 'media', 'nablascope.d.ts'), types);
    const name = file.path.split('/').pop() ?? '';
    await writeFile(file, new TextEncoder().encode(template(name, name.endsWith('.ts'))));
  }
}

async function validateName(name: string, file: vscode.Uri): Promise<string | undefined> {
  if (!/^[A-Za-z][\w-]*$/.test(name))
    return vscode.l10n.t('Start with a letter, followed by letters, digits, - and _.');
  return (await fileExists(file)) ? vscode.l10n.t('A file with this name already exists.') : undefined;
}

function changeSpec(spec: vscode.TextDocument, changes: readonly SpecChange[]): vscode.WorkspaceEdit {
  const { start, end, text } = editSpec(spec.getText(), changes);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(spec.uri, new vscode.Range(spec.positionAt(start), spec.positionAt(end)), text);
  return edit;
}

/** After a layer of the spec, on its own line if that layer is. */
function insertLayer(
  spec: vscode.TextDocument,
  { start, end }: { readonly start: number; readonly end: number },
  layer: string,
): vscode.WorkspaceEdit {
  const line = spec.lineAt(spec.positionAt(start));
  const startsLine = spec.positionAt(start).character === line.firstNonWhitespaceCharacterIndex;
  const separator = startsLine ? `\n${line.text.slice(0, line.firstNonWhitespaceCharacterIndex)}` : ' ';
  const edit = new vscode.WorkspaceEdit();
  edit.insert(spec.uri, spec.positionAt(end), `,${separator}${layer}`);
  return edit;
}
