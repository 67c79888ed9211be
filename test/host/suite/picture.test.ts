// Pictures of the real panel in the real window, in every kind of theme and at two widths, to be looked at;
// workbench-dark.png is the README's: `npm run picture` puts it to docs/panel.png.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { setTheme } from '../support/extension';
import { requireOutside } from '../support/outside';
import { closeAll, command, openRun, untilStep } from '../support/runs';

const themes = { dark: 'Default Dark Modern', light: 'Default Light Modern', 'high-contrast': 'Default High Contrast', 'high-contrast-light': 'Default High Contrast Light' };

describe('pictures', () => {
  after(async () => {
    await setTheme('Default Dark Modern');
    await vscode.commands.executeCommand('workbench.action.closeSidebar');
    await closeAll();
  });

  it('are taken of a run in four themes and at two widths', async function () {
    const outside = requireOutside(this);
    const { uri } = await openRun('circles.nabla.json');
    // What other tests left open would stand in the picture.
    for (const what of ['workbench.action.closeSidebar', 'workbench.action.closePanel', 'notifications.clearAll']) await vscode.commands.executeCommand(what);
    await outside.panelWait('[data-layer]');
    await command('runToStep', 360);
    await untilStep(uri, 360);
    for (const [name, theme] of Object.entries(themes)) {
      await setTheme(theme);
      await outside.resize(1440, 900);
      // The theme has reached the page when its body says so.
      await outside.panelWait(`body[data-vscode-theme-kind="${kindOf(name)}"] .state p`, { text: 'Step 360' });
      await outside.panelWait('[data-drawn="done"]', { state: 'attached' });
      await outside.screenshot(`workbench-${name}`);
      await outside.resize(1000, 700);
      await outside.panelWait('[data-drawn="done"]', { state: 'attached' });
      await outside.screenshot(`workbench-${name}-narrow`);
    }
    await outside.resize(1400, 900);
    assert.deepEqual(await outside.problemsSeen(), []);
  });
});

function kindOf(name: string): string {
  if (name === 'high-contrast') return 'vscode-high-contrast';
  return name === 'high-contrast-light' ? 'vscode-high-contrast-light' : `vscode-${name}`;
}
