// Steps for screenshot.mjs: opens the examples of the courses one after the other in one window, trains each, and takes
// a picture of the view that its answer names first:
//   SHOTS=out/examples ONLY=circles,svm node scripts/screenshot.mjs --open circles.nabla.json \
//     --command "Nablascope: Open Panel" --do scripts/screenshot-examples.mjs
// ONLY may also name a view: `ONLY=all-convolution:Output map`. Without it, all examples that the answers name.
import fs from 'node:fs';
import path from 'node:path';
import { cacheFolder, root } from './vscode-server.mjs';

/** Milliseconds until the picture is taken even if training goes on. */
const TRAINING_TIME = 20_000;

const folder = process.env.SHOTS ?? path.join(cacheFolder, 'examples');

/** Each example with the view that the first answer about it names. */
function namedViews() {
  const questions = path.join(root, 'docs', 'questions');
  const found = new Map();
  for (const file of fs.readdirSync(questions)) {
    const { questions: all } = JSON.parse(fs.readFileSync(path.join(questions, file), 'utf8'));
    for (const { see } of all)
      for (const { example, view } of see) if (example && view && !found.has(example)) found.set(example, view);
  }
  for (const [example] of found) {
    const text = fs.readFileSync(path.join(root, 'examples', `${example}.nabla.json`), 'utf8');
    const [, view] = /\bview ([A-Z][a-z]+(?: if| map)?)/.exec(text.slice(0, text.indexOf('\n{'))) ?? [];
    if (view) found.set(example, view);
  }
  return found;
}

export default async ({ page, panel, command, shot }) => {
  fs.mkdirSync(folder, { recursive: true });
  const all = namedViews();
  const wanted = process.env.ONLY
    ? process.env.ONLY.split(',')
        .map((each) => each.split(':'))
        .map(([name, view]) => [name, view ?? all.get(name) ?? 'Loss'])
    : [...all];
  for (const [name, view] of wanted) {
    try {
      await command('View: Close All Editors');
      await openFile(page, `${name}.nabla.json`);
      await command('Nablascope: Open Panel');
      await allowCode(page, panel);
      await panel.locator('[data-layer]').first().waitFor({ timeout: 60_000 });
      await train(panel);
      await openView(panel, view);
      await page.waitForTimeout(1500); // charts are drawn a moment after the last frame
      await shot(path.join(folder, `${name}.png`));
    } catch (error) {
      console.log(`${name}: ${error.message.split('\n')[0]}`);
      await shot(path.join(folder, `${name}-failed.png`));
    }
  }
};

async function openFile(page, name) {
  await page.keyboard.press('ControlOrMeta+p');
  const input = page.locator('.quick-input-widget input.input');
  await input.waitFor();
  await input.fill(name);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().click();
  await page.locator('.editor-instance .view-line').first().waitFor();
}

async function allowCode(page, panel) {
  const ask = panel.locator('[data-action="allowCode"]').first();
  await Promise.race([
    ask.waitFor({ timeout: 60_000 }).catch(() => undefined),
    panel.locator('[data-layer]').first().waitFor({ timeout: 60_000 }),
  ]);
  if (!(await ask.isVisible())) return;
  await ask.click();
  await page.locator('.monaco-dialog-box').getByRole('button', { name: 'Allow' }).click();
}

/** Runs to the end, or as far as the time allows. */
async function train(panel) {
  await panel.locator('[data-action="toggleRun"]').first().click();
  await panel
    .locator(
      '.state:is([data-state^="finished"], [data-state="not_learned"], [data-state="diverged"], [data-state="wrong_gradients"])',
    )
    .first()
    .waitFor({ timeout: TRAINING_TIME })
    .catch(() => undefined);
}

/** Also where workspaces and tabs are menus, in a narrow panel. */
async function openView(panel, title) {
  const click = (element) => element.click();
  for (const workspace of await panel.locator('.workspaces button').all()) {
    await workspace.evaluate(click);
    const tab = panel.locator('[role="tab"]').filter({ hasText: new RegExp(`^\\s*${title}\\s*$`) });
    if ((await tab.count()) === 0) continue;
    await tab.evaluate(click);
    const start = panel.locator(
      { Sweep: '[data-action="sweep-start"]', Check: '[data-action="check"]' }[title] ?? 'none',
    );
    if (await start.first().isVisible()) await start.first().click();
    return;
  }
  throw new Error(`no view ${title}`);
}
