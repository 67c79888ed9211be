// The panel asks a question where it arises, and a click opens its answer.
import { expect, it } from 'vitest';
import { useBrowser } from './chromium';
import { FakeHost, readExample } from './harness/host';
import { openPanel } from './harness/page';

const browser = useBrowser();

it('Loss asks about the first loss, overfitting and the two modes', async () => {
  const host = new FakeHost(readExample('digits-whitened'));
  const panel = await openPanel(browser, host, { storedState: { view: 'learn' } });
  const { page } = panel;
  const links = page.locator('#view-learn [data-question]');
  await expect.poll(() => links.count()).toBe(3);
  expect(await links.evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset.question))).toEqual([
    'first-loss',
    'overfitting',
    'train-and-test-code',
  ]);
  await links.first().click();
  await expect.poll(() => host.callsTo('openAnswer')).toEqual([['first-loss']]);
  expect(panel.problems).toEqual([]);
  await host.dispose();
  await page.close();
});

it('Step asks about the layer or the loss of the phase', async () => {
  const host = new FakeHost(readExample('circles-probabilities'));
  const panel = await openPanel(browser, host, { storedState: { view: 'step' } });
  const { page } = panel;
  const asked: Record<string, string | null> = {};
  for (const phase of host.session?.model.phases ?? []) {
    await page.keyboard.press('F11');
    const { length } = Object.keys(asked);
    await host.waitForFrame(({ position }) => position.step > 0 || position.phase === length + 1);
    await panel.waitUntilDrawn();
    const link = page.locator('#view-step [data-question]');
    asked['layer' in phase ? `${phase.kind} ${phase.layer}` : phase.kind] =
      (await link.count()) === 0 ? null : await link.getAttribute('data-question');
  }
  expect(asked).toEqual({
    zero_grad: 'zero-gradients',
    'forward 0': 'why-activations',
    'forward 1': 'activations-and-depth',
    'forward 2': 'why-activations',
    'forward 3': 'softmax-sharpens',
    loss: 'first-loss',
    loss_backward: 'fused-loss',
    'backward 3': 'softmax-sharpens',
    'backward 2': 'why-activations',
    'backward 1': 'activations-and-depth',
    'backward 0': 'why-activations',
    update: null,
  });
  expect(panel.problems).toEqual([]);
  await host.dispose();
  await page.close();
});
