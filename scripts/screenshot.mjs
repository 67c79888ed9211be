// Takes a picture of the real panel in a real VS Code window, in a chosen theme and size, to be looked at:
//   node scripts/screenshot.mjs --open circles.nabla.json --command "Nablascope: Open Panel" --theme "Dark Modern" \
//     --size 1400x900 --do steps.mjs --out panel.png
// steps.mjs: `export default async ({ page, panel, frame, command, shot }) => { await panel.getByText('Step').click();
// }` Other options: --folder (default examples), --extension (default this project), --no-build, --settings '{...}',
// --language de.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { launchChromium } from './chromium.mjs';
import { cacheFolder, quietSettings, root, startServer, temporaryFolder, writeUserSettings } from './vscode-server.mjs';
import { clearNotifications, openWindow, panelFrame, panelOf, runCommand } from './workbench.mjs';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: path.join(root, 'examples') },
    open: { type: 'string' },
    command: { type: 'string', multiple: true, default: [] },
    theme: { type: 'string', default: 'Dark Modern' },
    size: { type: 'string', default: '1400x900' },
    settings: { type: 'string', default: '{}' },
    language: { type: 'string' },
    do: { type: 'string' },
    out: { type: 'string', default: path.join(cacheFolder, 'screenshot.png') },
    extension: { type: 'string', default: root },
    'no-build': { type: 'boolean', default: false },
  },
});

const [width, height] = values.size.split('x').map(Number);
const file = values.open && path.resolve(values.folder, values.open);
if (file && !fs.existsSync(file)) throw new Error(`There is no ${file}.`);

if (!values['no-build'] && values.extension === root) {
  const { build, exitOnBuildError } = await import('./build.mjs');
  await build().catch(exitOnBuildError);
}

const dataFolder = temporaryFolder('screenshot');
writeUserSettings(dataFolder, {
  ...quietSettings,
  'workbench.colorTheme': values.theme,
  // The browser's own scheme would win over the theme.
  'window.autoDetectColorScheme': false,
  'window.autoDetectHighContrast': false,
  ...JSON.parse(values.settings),
});
const server = await startServer({ dataFolder });
const browser = await launchChromium();
try {
  const { page } = await openWindow({
    browser,
    server,
    folder: path.resolve(values.folder),
    extension: path.resolve(values.extension),
    file,
    language: values.language,
    size: { width, height },
  });
  page.on('pageerror', (error) => console.log(`page error: ${error.message}`));
  page.on('console', (message) => {
    const from = message.location().url;
    if (message.type() === 'error' && /extensionId=nablascope|nablascope|fake\.html/.test(from)) {
      console.log(`panel console: ${message.text()}`);
    }
  });
  if (file) await page.locator('.editor-instance .view-line').first().waitFor({ timeout: 120_000 });

  const command = (title) => runCommand(page, title);
  for (const title of values.command) await command(title);
  const panel = panelOf(page);
  if (values.command.length > 0) await panel.locator('body').waitFor({ timeout: 120_000 });
  const shot = async (out) => {
    await clearNotifications(page);
    await page.screenshot({ path: out });
    console.log(out);
  };
  if (values.do) {
    const steps = await import(pathToFileURL(path.resolve(values.do)).href);
    await steps.default({ page, panel, frame: () => panelFrame(page), command, shot });
  }
  await shot(path.resolve(values.out));
} finally {
  await browser.close();
  await server.stop();
  fs.rmSync(dataFolder, { recursive: true, force: true });
}
