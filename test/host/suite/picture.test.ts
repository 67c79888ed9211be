// Screenshots of the real panel in the real window, in every kind of theme and at two widths, for visual inspection.
// workbench-dark.png is used in the README: `npm run readme-screenshot` copies it to docs/panel.png.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { setTheme } from '../support/extension';
import { requireWorkbench } from '../support/workbench-driver';
import { closeAll, command, openRun, waitForStep } from '../support/runs';

const themes = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  'high-contrast': 'Default High Contrast',
  'high-contrast-light': 'Default High Contrast Light',
};

describe('screenshots', () => {
  after(async () => {
    await setTheme('Default Dark Modern');
    await vscode.commands.executeCommand('workbench.action.closeSidebar');
    await closeAll();
  });

  it('are taken of a run in four themes and at two widths', async function () {
    const workbench = requireWorkbench(this);
    const { uri } = await openRun('circles.nabla.json');
    // Closes what other tests left open.
    for (const what of ['workbench.action.closeSidebar', 'workbench.action.closePanel', 'notifications.clearAll'])
      await vscode.commands.executeCommand(what);
    await workbench.panelWait('[data-layer]');
    await command('runToStep', 360);
    await waitForStep(uri, 360);
    for (const [name, theme] of Object.entries(themes)) {
      await setTheme(theme);
      await workbench.resize(1440, 900);
      // The theme has reached the page when its body has its kind.
      await workbench.panelWait(`body[data-vscode-theme-kind="${kindOf(name)}"] .state p`, { text: 'Step 360' });
      await workbench.panelWait('[data-drawn="done"]', { state: 'attached' });
      await workbench.screenshot(`workbench-${name}`);
      await workbench.resize(1000, 700);
      await workbench.panelWait('[data-drawn="done"]', { state: 'attached' });
      await workbench.screenshot(`workbench-${name}-narrow`);
    }
    await workbench.resize(1400, 900);
    assert.deepEqual(await workbench.problemsSeen(), []);
  });
});

function kindOf(name: string): string {
  if (name === 'high-contrast') return 'vscode-high-contrast';
  return name === 'high-contrast-light' ? 'vscode-high-contrast-light' : `vscode-${name}`;
}
