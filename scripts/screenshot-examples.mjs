// Steps for screenshot.mjs: opens all examples one after the other in one window, and takes a picture of each view that
// the example's comment or an answer names. Some views are shown after the first step, the others after training.
//   SHOTS=out/examples ONLY=circles,svm node scripts/screenshot.mjs --open circles.nabla.json \
//     --command "Nablascope: Open Panel" --do scripts/screenshot-examples.mjs
// ONLY may also name a view: `ONLY=all-convolution:Output map`.
import fs from 'node:fs';
import path from 'node:path';
import { cacheFolder, root } from './vscode-server.mjs';

/** Milliseconds until the picture is taken even if training or a measurement goes on. */
const TRAINING_TIME = 20_000;
const MEASURING_TIME = 60_000;

const folder = process.env.SHOTS ?? path.join(cacheFolder, 'examples');

/** The views that show more after the first step than at the end. */
const AFTER_FIRST_STEP = ['Shapes', 'Data', 'Step', 'Gradients', 'Activations', 'Check', 'Cost', 'Sweep'];

/** The button that starts what the view shows, and what it has when that is done. */
const MEASURED = {
  Check: ['check', '[data-outcome]'],
  Cost: ['cost-measure', '[role="status"]:has-text("Measured:")'],
  Doctor: ['doctor-start', '.doctor-findings, .verdict'],
  Sweep: ['sweep-start', '[data-action="sweep-fresh"]'],
};

/** Each example with the views that its comment names, as in "view Fit", and those that answers name. */
function namedViews() {
  const questions = path.join(root, 'docs', 'questions');
  const found = new Map();
  for (const file of fs.readdirSync(path.join(root, 'examples')).sort()) {
    if (!file.endsWith('.nabla.json')) continue;
    const text = fs.readFileSync(path.join(root, 'examples', file), 'utf8');
    const comment = text.slice(0, text.indexOf('\n{')).replaceAll('\n// ', ' ');
    const views = [...comment.matchAll(/\bviews? ([A-Z][a-z]+(?: if| map)?)(?: and ([A-Z][a-z]+(?: if| map)?))?/g)]
      .flatMap(([, ...each]) => each)
      .filter((view) => view !== undefined);
    found.set(file.replace('.nabla.json', ''), new Set(views));
  }
  for (const file of fs.readdirSync(questions)) {
    const { questions: all } = JSON.parse(fs.readFileSync(path.join(questions, file), 'utf8'));
    for (const { see } of all) for (const { example, view } of see) if (example && view) found.get(example).add(view);
  }
  return found;
}

export default async ({ page, panel, command, shot }) => {
  fs.mkdirSync(folder, { recursive: true });
  const all = namedViews();
  const wanted = process.env.ONLY
    ? process.env.ONLY.split(',')
        .map((each) => each.split(':'))
        .map(([name, view]) => [name, view ? [view] : [...all.get(name)]])
    : [...all];
  for (const [name, views] of wanted) {
    const take = async (view) => {
      await openView(panel, view);
      await page.waitForTimeout(1500); // charts are drawn a moment after the last frame
      await shot(path.join(folder, `${name}-${view.toLowerCase().replace(' ', '-')}.png`));
    };
    try {
      await command('View: Close All Editors');
      await page.locator('iframe.webview').first().waitFor({ state: 'detached' });
      await openFile(page, `${name}.nabla.json`);
      await command('Nablascope: Open Panel');
      await allowCode(page, panel);
      await panel.locator('[data-layer]').first().waitFor({ timeout: 60_000 });
      const first = views.filter((view) => AFTER_FIRST_STEP.includes(view));
      const last = views.filter((view) => !AFTER_FIRST_STEP.includes(view));
      await panel.locator('[data-action="step"]').first().click();
      for (const view of first) await take(view);
      if (last.length > 0) await train(panel);
      for (const view of last) await take(view);
    } catch (error) {
      console.log(`${name}: ${error.message.split('\n')[0]}`);
      await shot(path.join(folder, `${name}-failed.png`));
    }
  }
};

export async function openFile(page, name) {
  await page.keyboard.press('ControlOrMeta+p');
  const input = page.locator('.quick-input-widget input.input');
  await input.waitFor();
  await input.fill(name);
  // The whole name: "circles" is a part of other names. The rows move while the list fills.
  const row = page.locator(`.quick-input-list .monaco-list-row[aria-label^="${name}"]`).first();
  await row.waitFor();
  await page.waitForTimeout(500);
  await row.click();
  await page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
}

async function allowCode(page, panel) {
  const ask = panel.locator('[data-action="allowCode"]').filter({ visible: true });
  await ask.or(panel.locator('[data-layer]')).first().waitFor({ timeout: 60_000 });
  if ((await ask.count()) === 0) return;
  await ask.first().click();
  await page.locator('.monaco-dialog-box').getByRole('button', { name: 'Allow' }).click();
}

/** Runs to the end, or as far as the time allows. */
export async function train(panel) {
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
export async function openView(panel, title) {
  const click = (element) => element.click();
  for (const workspace of await panel.locator('.workspaces button').all()) {
    await workspace.evaluate(click);
    const tab = panel.locator('[role="tab"]').filter({ hasText: new RegExp(`^\\s*${title}\\s*$`) });
    if ((await tab.count()) === 0) continue;
    await tab.evaluate(click);
    const [action, done] = MEASURED[title] ?? [];
    const start = panel.locator(`[data-action="${action}"]`).first();
    if (!action || !(await start.isVisible())) return;
    await start.click();
    await panel
      .locator(done)
      .first()
      .waitFor({ timeout: MEASURING_TIME })
      .catch(() => undefined);
    return;
  }
  throw new Error(`no view ${title}`);
}
