// Writes the file of a new layer, with its types beside it, and puts it into the spec in front where that is wanted.
import * as vscode from 'vscode';
import { newLayerText } from './new-layer-text';
import { exists } from './new-spec';
import { plain } from './plain';
import { isSpec, type SpecDocuments } from './spec-documents';

/** The engine runs on the same Node as this. */
function readsTypeScript(): boolean {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 6);
}

export class NewLayer {
  readonly #extension: vscode.Uri;
  readonly #documents: SpecDocuments;

  constructor(extension: vscode.Uri, documents: SpecDocuments) {
    this.#extension = extension;
    this.#documents = documents;
  }

  /** @param spec in front, whose folder it is written to; undefined for the first folder of the workspace. */
  async open(spec: vscode.TextDocument | undefined): Promise<void> {
    const saved = spec && !spec.isUntitled ? vscode.Uri.joinPath(spec.uri, '..') : undefined;
    const folder = saved ?? vscode.workspace.workspaceFolders?.[0]?.uri;
    if (!folder) {
      void vscode.window.showWarningMessage('A layer is a file in a folder. Open a folder first.');
      return;
    }
    const layers = vscode.Uri.joinPath(folder, 'layers');
    const ending = readsTypeScript() ? '.layer.ts' : '.layer.mjs';
    const name = await vscode.window.showInputBox({
      title: 'New custom layer', prompt: 'Its name, which is also that of its file in the folder "layers".', value: 'own',
      validateInput: (typed) => this.#complaint(typed, vscode.Uri.joinPath(layers, typed + ending)),
    });
    if (name === undefined) return;
    const place = spec && isSpec(spec) ? await this.#askPlace(spec) : 'nowhere';
    if (place === undefined) return;
    const file = vscode.Uri.joinPath(layers, name + ending);
    await this.#write(layers, file);
    if (spec && place !== 'nowhere') await insert(spec, place, `{ "type": "custom", "module": "./layers/${name}${ending}" }`);
    await vscode.window.showTextDocument(file);
  }

  async #complaint(name: string, file: vscode.Uri): Promise<string | undefined> {
    if (!/^[A-Za-z][\w-]*$/.test(name)) return 'Begin with a letter; then letters, digits, - and _.';
    return (await exists(file)) ? 'There is a layer of this name already.' : undefined;
  }

  /** Which layer it is to follow; undefined where the question was left. */
  async #askPlace(spec: vscode.TextDocument): Promise<{ readonly end: number; readonly start: number } | 'nowhere' | undefined> {
    const layers = this.#documents.sourceOf(spec).spec?.layers ?? [];
    if (layers.length === 0) return 'nowhere';
    const items = [
      ...layers.map(({ name, range }) => ({ label: `After ${plain(name)}`, place: range })),
      { label: 'Nowhere yet', place: 'nowhere' as const },
    ];
    const file = plain(spec.uri.path.split('/').pop() ?? '');
    return (await vscode.window.showQuickPick(items, { title: 'New custom layer', placeHolder: `Where in ${file}?` }))?.place;
  }

  async #write(folder: vscode.Uri, file: vscode.Uri): Promise<void> {
    const { fs } = vscode.workspace;
    await fs.createDirectory(folder);
    const types = vscode.Uri.joinPath(folder, 'nablascope.d.ts');
    if (!(await exists(types))) await fs.copy(vscode.Uri.joinPath(this.#extension, 'media', 'nablascope.d.ts'), types);
    const name = file.path.split('/').pop() ?? '';
    await fs.writeFile(file, new TextEncoder().encode(newLayerText(name, name.endsWith('.ts'))));
  }
}

/** Behind a layer of the spec, on a line of its own where that one has one. */
async function insert(spec: vscode.TextDocument, { start, end }: { readonly start: number; readonly end: number }, layer: string): Promise<void> {
  const line = spec.lineAt(spec.positionAt(start));
  const alone = spec.positionAt(start).character === line.firstNonWhitespaceCharacterIndex;
  const gap = alone ? `\n${line.text.slice(0, line.firstNonWhitespaceCharacterIndex)}` : ' ';
  const edit = new vscode.WorkspaceEdit();
  edit.insert(spec.uri, spec.positionAt(end), `,${gap}${layer}`);
  await vscode.workspace.applyEdit(edit);
}
