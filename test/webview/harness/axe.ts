// Violations found by the accessibility checker, as text for a failing test.
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return results.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(
      (node) =>
        `${id}: ${help}\n  ${node.html}\n  ${node.any
          .concat(node.all, node.none)
          .map(({ message }) => message)
          .join('; ')}`,
    ),
  );
}
