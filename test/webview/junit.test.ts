// JUnit XML as a browser's own XML parser sees it, which knows every rule of well-formedness.
import { expect, it } from 'vitest';
import { junitText } from '../../src/cli/junit';
import { useBrowser } from './chromium';

const browser = useBrowser();

it('is XML for Chromium, with every character of a name that XML can hold', async () => {
  const names = [
    'a<b>&"c"\'', ']]>', '<!-- -->', '&#0;', 'tab\tline\nreturn\r', '😀 ∇ é', 'half \ud800 pair \udc00',
    ...Array.from({ length: 160 }, (_, code) => `x${String.fromCharCode(code)}y`), '\ufffe\uffff\ufdd0',
  ];
  const documents = names.map((name) =>
    junitText({ file: name, seconds: 1, cases: [{ className: name, name, outcome: 'failed', message: name, type: name }] }),
  );
  const { page } = await browser.newPage();
  const seen = await page.evaluate((texts) => texts.map((text) => {
    const parsed = new DOMParser().parseFromString(text, 'text/xml');
    const error = parsed.querySelector('parsererror')?.textContent ?? null;
    return { error, name: parsed.querySelector('testcase')?.getAttribute('name'), message: parsed.querySelector('failure')?.textContent };
  }), documents);
  names.forEach((name, i) => {
    // eslint-disable-next-line no-control-regex
    const kept = name.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd').replace(/\p{Cs}/gu, '\ufffd');
    expect(seen[i]).toEqual({ error: null, name: kept, message: kept });
  });
});
