// Steps for screenshot.mjs: takes the pictures of the walkthrough, in the theme that MODE names:
//   MODE=dark node scripts/screenshot.mjs --theme "Default Dark Modern" --size 1000x640 --open digits.nabla.json \
//     --command "Nablascope: Open Panel" --do scripts/walkthrough-pictures.mjs
//   MODE=light … --theme "Default Light Modern" …
import path from 'node:path';
import { openFile, openView, train } from './screenshot-examples.mjs';
import { root } from './vscode-server.mjs';

const mode = process.env.MODE ?? 'dark';

/** Of the panel alone: pictures of the whole window take twice the space. */
const clip = { x: 524, y: 36, width: 472, height: 572 };

export default async ({ page, panel, command }) => {
  const picture = async (name) => {
    await page.mouse.move(300, 560);
    await page.waitForTimeout(1500); // charts are drawn a moment after the last frame
    await page.screenshot({ path: path.join(root, 'media', 'walkthrough', `${name}-${mode}.png`), clip });
  };
  const open = async (file) => {
    await command('View: Close All Editors');
    await openFile(page, file);
    await command('Nablascope: Open Panel');
    await panel.locator('[data-layer]').first().waitFor({ timeout: 60_000 });
  };
  await command('View: Toggle Primary Side Bar Visibility');
  await open('digits.nabla.json');
  await train(panel);
  await openView(panel, 'Loss');
  await picture('open');

  await open('one-neuron.nabla.json');
  for (let i = 0; i < 6; i++) await command('Nablascope: Step One Phase');
  await openView(panel, 'Network');
  await picture('step');
};
