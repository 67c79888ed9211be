// JUnit XML in a browser's XML parser, which knows every rule of well-formedness.
import { expect, it } from 'vitest';
import { toJUnitXml } from '../../src/cli/junit';
import { useBrowser } from './chromium';

const browser = useBrowser();

it('is valid XML for Chromium, with every character of a name that XML allows', async () => {
  const names = [
    'a<b>&"c"\'',
    ']]>',
    '<!-- -->',
    '&#0;',
    'tab\tline\nreturn\r',
    '😀 ∇ é',
    'half \ud800 pair \udc00',
    ...Array.from({ length: 160 }, (_, code) => `x${String.fromCharCode(code)}y`),
    '\ufffe\uffff\ufdd0',
  ];
  const documents = names.map((name) =>
    toJUnitXml({
      file: name,
      seconds: 1,
      cases: [{ className: name, name, outcome: 'failed', message: name, type: name }],
    }),
  );
  const { page } = await browser.newPage();
  const seen = await page.evaluate(
    (texts) =>
      texts.map((text) => {
        const parsed = new DOMParser().parseFromString(text, 'text/xml');
        const error = parsed.querySelector('parsererror')?.textContent ?? null;
        return {
          error,
          name: parsed.querySelector('testcase')?.getAttribute('name'),
          message: parsed.querySelector('failure')?.textContent,
        };
      }),
    documents,
  );
  names.forEach((name, i) => {
    const kept = name
      // eslint-disable-next-line no-control-regex
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/\p{Cs}/gu, '\ufffd');
    expect(seen[i]).toEqual({ error: null, name: kept, message: kept });
  });
});
