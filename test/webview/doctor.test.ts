// The view Doctor: every number is the report's, requests reach the host, each state has its own sentence and action,
// and it fits in every theme.
import { beforeAll, describe, expect, it } from 'vitest';
import { formatExact } from '../../src/presentation/numbers';
import type { DoctorReport } from '../../src/protocol/doctor-report';
import type { PanelDoctor } from '../../src/protocol/panel';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { diagnoseLowRate, doneWith } from './harness/doctor';
import { clickTab, findClippedText } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openOwnPanel, type OwnPanel, type PageOptions, themeNames } from './harness/page';

const browser = useBrowser();
let report: DoctorReport;
beforeAll(async () => {
  report = await diagnoseLowRate();
});

async function show(doctor: PanelDoctor, options: PageOptions = {}): Promise<OwnPanel & { readonly host: FakeHost }> {
  const host = new FakeHost(readExample('circles'));
  const own = await openOwnPanel(browser, host, { height: 1100, ...options });
  await clickTab(own.panel.page, 'doctor');
  await own.panel.send({ type: 'doctor', doctor });
  await own.panel.waitUntilDrawn();
  return { host, ...own };
}

describe('a diagnosis', () => {
  it('lists its findings in order, and applies a fix or shows a line on request', async () => {
    const { panel, host, close } = await show(doneWith(report));
    const items = panel.page.locator('[data-finding]');
    const codes = await items.evaluateAll((all) => all.map((item) => (item as HTMLElement).dataset.finding));
    expect(codes).toEqual(report.findings.map(({ code }) => code));
    const fixable = report.findings.findIndex(({ fix }) => fix !== null);
    expect(fixable).toBeGreaterThanOrEqual(0);
    const { fix, effect } = report.findings[fixable];
    expect(await items.nth(fixable).textContent()).toContain(effect!);
    const apply = items.nth(fixable).locator('[data-action="apply-fix"]');
    expect(await apply.textContent()).toContain(fix!.title);
    await apply.press('Enter');
    const placed = report.findings.findIndex(({ range }) => range !== null);
    await items.nth(placed).locator('[data-action="reveal-finding"]').press('Enter');
    expect([host.callsTo('applyFix'), host.callsTo('revealFinding')]).toEqual([[[fixable]], [[placed]]]);
    await close();
  });

  it('shows what was measured with every digit', async () => {
    const { panel, close } = await show(doneWith(report));
    const { page } = panel;
    for (const summary of await page.locator('.doctor-charts summary').all()) await summary.click();
    const tables = await page
      .locator('.doctor-charts table')
      .evaluateAll((all) =>
        all.map((table) =>
          [...table.querySelectorAll<HTMLElement>('[data-value]')].map(({ dataset }) => dataset.value),
        ),
      );
    const { depth, rangeTest, overfit, initialLoss, zeroedInputs } = report;
    const exact = (values: readonly (number | null)[]) => values.flatMap((value) => value ?? []).map(formatExact);
    expect(tables).toEqual([
      exact(depth.flatMap((layer) => [layer.outputStd, layer.outputGradientNorm, layer.idle, layer.updateRatio])),
      exact(rangeTest.losses),
      exact(overfit.curve.map(({ loss }) => loss)),
    ]);
    const bars = await page
      .locator('.loss-bars [data-value]')
      .evaluateAll((all) => all.map((value) => (value as HTMLElement).dataset.value));
    expect(bars).toEqual(exact([initialLoss.loss, initialLoss.expected, zeroedInputs!.loss, zeroedInputs!.zeroedLoss]));
    await close();
  });

  it('has its charts drawn', async () => {
    const { panel, close } = await show(doneWith(report));
    const colors = await panel.page.locator('.doctor-charts canvas').evaluateAll((all) =>
      all.map((canvas) => {
        const { width, height } = canvas as HTMLCanvasElement;
        const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
        return new Set(new Uint32Array(data.buffer)).size;
      }),
    );
    expect(colors).toHaveLength(3);
    for (const count of colors) expect(count).toBeGreaterThan(20);
    await close();
  });

  it('offers no fix of another spec', async () => {
    const { panel, close } = await show(doneWith(report, true));
    const { page } = panel;
    expect(await page.locator('[data-action="apply-fix"]:not(:disabled)').count()).toBe(0);
    expect(await page.locator('.view [role="status"]').textContent()).toContain('has changed');
    expect(await page.locator('[data-action="doctor-start"].primary').count()).toBe(1);
    await close();
  });

  it('without findings is good only if it trained', async () => {
    const none = { ...report, findings: [] };
    const { panel, close } = await show(doneWith(none));
    expect(await panel.page.locator('.verdict.good').count()).toBe(1);
    await panel.send({ type: 'doctor', doctor: doneWith({ ...none, trial: { ...report.trial, diverged: true } }) });
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('.verdict.bad').count()).toBe(1);
    await close();
  });
});

describe('the state', () => {
  it.each([
    ['idle', { kind: 'idle' }, 'start'],
    ['running', { kind: 'running', stage: 'checking gradients', share: 0.4 }, 'cancel'],
    ['canceled', { kind: 'canceled' }, 'start'],
    ['failed', { kind: 'failed', reason: 'The file data/x.csv is missing. Check the path.' }, 'start'],
  ] as const)('%s has one action', async (_, state, action) => {
    const { panel, host, close } = await show(state);
    const buttons = panel.page.locator('.view [data-action^="doctor-"]');
    expect(await buttons.count()).toBe(1);
    await buttons.press('Enter');
    expect(host.callsTo('doctor')).toEqual([[action]]);
    if (state.kind === 'failed') expect(await panel.page.getByRole('alert').textContent()).toContain(state.reason);
    if (state.kind === 'running') expect(await panel.page.locator('.view progress').getAttribute('value')).toBe('0.4');
    await close();
  });
});

it('opens by command from any view, beside the others where several are open', async () => {
  const host = new FakeHost(readExample('circles'));
  const { panel, close } = await openOwnPanel(browser, host);
  await panel.send({ type: 'showView', view: 'doctor' });
  await panel.page.locator('#view-doctor').waitFor();
  expect(await panel.page.locator('#tab-doctor').getAttribute('aria-selected')).toBe('true');
  await clickTab(panel.page, 'check');
  await panel.page.locator('[data-action="multi-view"]').click();
  await panel.send({ type: 'showView', view: 'doctor' });
  await panel.page.locator('#view-doctor').waitFor();
  expect(await panel.page.locator('#view-check').count()).toBe(1);
  await close();
});

describe.each(themeNames)('in %s', (theme) => {
  it('fits at every width, and the accessibility checker finds nothing', async () => {
    for (const [width, doctor, name] of [
      [1100, doneWith(report), 'done'],
      [320, doneWith(report), 'narrow'],
      [600, { kind: 'idle' }, 'idle'],
      [320, { kind: 'running', stage: 'checking gradients', share: 0.4 }, 'running'],
    ] as const) {
      const { panel, close } = await show(doctor, { theme, width });
      await panel.screenshot(`doctor-${theme}-${name}`);
      expect({ name, cutOff: await findClippedText(panel.page) }).toEqual({ name, cutOff: [] });
      for (const summary of await panel.page.locator('.view summary').all()) await summary.click();
      await panel.waitUntilDrawn();
      expect(await axeViolations(panel.page)).toEqual([]);
      await close();
    }
  });
});
