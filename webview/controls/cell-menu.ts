// What the context menu of a number offers: VS Code reads it from the element, and passes it to the menu's commands.
import { sinceEntryQuery, sinceLevelQuery } from '../../src/presentation/since-query';
import { entryExpression } from '../../src/presentation/tensor-expressions';
import { unravelIndex } from '../../src/presentation/tensor-index';

/**
 * The value of `data-vscode-context`.
 * @param tensor expression of the tensor @param shape its shape @param index flat index of the entry
 */
export function cellMenu(tensor: string, shape: readonly number[], index: number): string {
  const expression = entryExpression(tensor, unravelIndex(index, shape));
  return JSON.stringify({
    webviewSection: 'cell',
    expression,
    since: { query: sinceEntryQuery(expression), to: null },
    preventDefaultContextMenuItems: true,
  });
}

/**
 * The same for a point of a curve.
 * @param expression that names its value @param step of the point
 */
export const pointMenu = (expression: string, value: number, step: number): string =>
  JSON.stringify({
    webviewSection: 'point',
    expression,
    since: { query: sinceLevelQuery(expression, value), to: step },
    preventDefaultContextMenuItems: true,
  });
