// What the context menu of a number offers: VS Code reads it from the element, and passes it to the menu's commands.
import { entryExpression } from '../../src/presentation/tensor-expressions';
import { unravelIndex } from '../../src/presentation/tensor-index';

/**
 * The value of `data-vscode-context`.
 * @param tensor expression of the tensor @param shape its shape @param index flat index of the entry
 */
export const cellMenu = (tensor: string, shape: readonly number[], index: number): string =>
  JSON.stringify({
    webviewSection: 'cell',
    expression: entryExpression(tensor, unravelIndex(index, shape)),
    preventDefaultContextMenuItems: true,
  });
