// The runner's half of the bridge: lets the suite inside the extension host act as a user, through Playwright. The
// suite's half, with the contract, is test/host/support/workbench-driver.ts. Listens only on the loopback interface,
// and answers only clients that know the run's token.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { panelFrame, panelOf, runCommand } from './workbench.mjs';
import { root } from './vscode-server.mjs';

export const screenshotFolder = path.join(root, 'test', 'screenshots');

const timeoutMs = 120_000;

/**
 * The calls a suite can make. Each gets the page and its parameters and returns plain data.
 * @type {Record<string, (page: import('playwright-core').Page, parameters: any, seen: { problems: string[] }) =>
 *   Promise<unknown>>}
 */
const calls = {
  async screenshot(page, { name, of }) {
    fs.mkdirSync(screenshotFolder, { recursive: true });
    const file = path.join(screenshotFolder, `${name.replace(/[^\w.-]+/g, '-')}.png`);
    if (of === 'panel') await panelOf(page).locator('body').screenshot({ path: file, timeout: timeoutMs });
    else await page.screenshot({ path: file, timeout: timeoutMs });
    return file;
  },
  async panelText(page, { selector }) {
    return panelOf(page).locator(selector).first().innerText({ timeout: timeoutMs });
  },
  async panelTexts(page, { selector }) {
    await panelOf(page).locator('body').waitFor({ timeout: timeoutMs });
    return panelOf(page).locator(selector).allInnerTexts();
  },
  async panelCount(page, { selector }) {
    await panelOf(page).locator('body').waitFor({ timeout: timeoutMs });
    return panelOf(page).locator(selector).count();
  },
  async panelWait(page, { selector, text, state }) {
    let locator = panelOf(page).locator(selector);
    if (text !== undefined) locator = locator.filter({ hasText: text });
    await locator.first().waitFor({ state: state ?? 'visible', timeout: timeoutMs });
  },
  async panelEval(page, { expression }) {
    return (await panelFrame(page)).evaluate(expression);
  },
  async clickInPanel(page, { selector }) {
    await panelOf(page).locator(selector).first().click({ timeout: timeoutMs });
  },
  async hoverInPanel(page, { selector }) {
    await panelOf(page).locator(selector).first().hover({ timeout: timeoutMs });
  },
  async fillInPanel(page, { selector, text }) {
    await panelOf(page).locator(selector).first().fill(text, { timeout: timeoutMs });
  },
  async pressInPanel(page, { key, selector }) {
    await panelOf(page)
      .locator(selector ?? 'body')
      .first()
      .press(key, { timeout: timeoutMs });
  },
  async accessibilityOfPanel(page) {
    const frame = await panelFrame(page);
    const axe = fs.readFileSync(path.join(root, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');
    await frame.evaluate(axe);
    const { violations } = await frame.evaluate(() => globalThis.axe.run());
    return violations.map(({ id, impact, help, nodes }) => ({
      id,
      impact,
      help,
      nodes: nodes.map((node) => node.html),
    }));
  },
  async problemsSeen(_page, _parameters, seen) {
    return seen.problems.splice(0);
  },
  async press(page, { key }) {
    await page.keyboard.press(key);
  },
  async type(page, { text }) {
    await page.keyboard.type(text);
  },
  async click(page, { selector, button }) {
    await page.locator(selector).first().click({ timeout: timeoutMs, button });
  },
  async clickMargin(page, { text }) {
    const line = page.locator('.editor-instance .view-line', { hasText: text }).first();
    await line.waitFor({ timeout: timeoutMs });
    // Lenses and icons of tests arrive later and move the line. The hint that the editor shows beside it says that a
    // click there sets a breakpoint.
    for (const deadline = Date.now() + timeoutMs; ;) {
      const beside = await line.boundingBox();
      const numbers = await page.locator('.editor-instance .line-numbers').first().boundingBox();
      if (!beside || !numbers) throw new Error(`The line with ${text} is not shown.`);
      // Between the icons of tests, if there are any, and the numbers of the lines.
      const [x, y] = [numbers.x - 6, beside.y + beside.height / 2];
      await page.mouse.move(x - 1, y);
      await page.mouse.move(x, y);
      const hints = await page
        .locator('.editor-instance .codicon-debug-hint')
        .evaluateAll((all) => all.map((each) => each.getBoundingClientRect().top));
      const again = await line.boundingBox();
      if (again?.y === beside.y && hints.some((top) => Math.abs(top - beside.y) < beside.height / 2)) {
        await page.mouse.click(x, y);
        return;
      }
      if (Date.now() > deadline) {
        const there = await page.evaluate(
          ([left, top]) => globalThis.document.elementFromPoint(left, top)?.outerHTML.slice(0, 200),
          [x, y],
        );
        throw new Error(`The margin beside ${text} shows no hint of a breakpoint, but ${there} at ${x}, ${y}.`);
      }
      // A hover that covers the margin ends here.
      await page.mouse.move(beside.x + beside.width / 2, y);
    }
  },
  async texts(page, { selector }) {
    return page.locator(selector).allInnerTexts();
  },
  async afterTexts(page, { selector }) {
    return page.locator(selector).evaluateAll((all) =>
      all.flatMap((element) => {
        const { content } = globalThis.getComputedStyle(element, '::after');
        return content === 'none' || content === 'normal' ? [] : [content];
      }),
    );
  },
  async wait(page, { selector, text, state }) {
    let locator = page.locator(selector);
    if (text !== undefined) locator = locator.filter({ hasText: text });
    await locator.first().waitFor({ state: state ?? 'visible', timeout: timeoutMs });
  },
  async command(page, { title }) {
    await runCommand(page, title);
  },
  async resize(page, { width, height }) {
    await page.setViewportSize({ width, height });
  },
  async emulate(page, media) {
    await page.emulateMedia(media);
  },
};

/**
 * Starts the bridge.
 * @param {(event: { type: string } & Record<string, unknown>) => unknown} onReport the suite's own reports: begin,
 *   pass, fail, skip, end; the suite waits for what it returns
 */
export async function startBridge(onReport) {
  const token = randomBytes(16).toString('hex');
  /** @type {{ problems: string[] }} */
  const seen = { problems: [] };
  let page;

  const answer = async ({ call, parameters }) => {
    if (call === 'report') {
      await onReport(parameters);
      return undefined;
    }
    const run = Object.hasOwn(calls, call) ? calls[call] : undefined;
    if (!run) throw new Error(`The bridge knows no call "${call}".`);
    if (!page) throw new Error('No window is open yet.');
    return run(page, parameters ?? {}, seen);
  };

  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const send = (status, data) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(data));
      };
      if (request.method !== 'POST' || request.headers.authorization !== `Bearer ${token}`) {
        send(403, { error: 'Not for you.' });
        return;
      }
      Promise.resolve()
        .then(() => answer(JSON.parse(body)))
        .then(
          (value) => send(200, { value }),
          (error) => send(200, { error: error.message }),
        );
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());

  return {
    env: { NABLASCOPE_BRIDGE: `http://127.0.0.1:${port}/`, NABLASCOPE_BRIDGE_TOKEN: token },
    /** Binds the bridge to a window; errors in the panel's frames are kept for `problemsSeen`. */
    watch(nextPage) {
      page = nextPage;
      page.on('console', (message) => {
        const { url } = message.location();
        if (message.type() === 'error' && /extensionId=nablascope|nablascope|webview/.test(url)) {
          seen.problems.push(message.text());
        }
      });
      page.on('pageerror', (error) => seen.problems.push(String(error.stack ?? error)));
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
