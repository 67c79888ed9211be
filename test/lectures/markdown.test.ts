import fc from 'fast-check';
import sax from 'sax';
import { describe, expect, it } from 'vitest';
import { markdownToHtml } from '../../src/lectures';

/** Elements and attributes, as an XML parser reads them. It fails for markup that is not well-formed. */
function markupOf(html: string): string[] {
  const found: string[] = [];
  const parser = sax.parser(true);
  parser.onopentag = ({ name, attributes }) =>
    void found.push(name, ...Object.entries(attributes).map(([key, value]) => `${name}.${key}=${String(value)}`));
  parser.onerror = (error) => {
    throw error;
  };
  parser.write(`<all>${html.replace(/<(br|hr)>/g, '<$1/>')}</all>`).close();
  return found.slice(1);
}

const ALLOWED = /^(p|h[1-6]|em|strong|s|code|pre|ul|ol|li|blockquote|br|hr|a)$/;
/** The start of a list, the language of code, where a link leads, and its title. */
const ALLOWED_ATTRIBUTES = /^(ol\.start=\d+|code\.class=language-.*|a\.href=https?:\/\/.*|a\.title=.*)$/is;

describe('Markdown', () => {
  it('becomes headings, lists, emphasis, code and links', () => {
    expect(markdownToHtml('# One\n\n*a* **b** `c`\n\n- d\n\n[e](https://example.org)')).toBe(
      '<h1>One</h1>\n<p><em>a</em> <strong>b</strong> <code>c</code></p>\n<ul>\n<li>d</li>\n</ul>\n<p><a href="https://example.org">e</a></p>\n',
    );
  });

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '![x](https://example.org/x.png)',
    '[x](javascript:alert(1))',
    '[x](command:workbench.action.quit)',
    '[x](data:text/html;base64,PHNjcmlwdD4=)',
    '[x](  JaVaScRiPt:alert(1))',
    '[x](&#106;avascript:alert(1))',
    '<javascript:alert(1)>',
    '[x](https://example.org "\\" onclick=alert(1) x=\\"")',
    '[x][y]\n\n[y]: javascript:alert(1)',
    '```"><script>alert(1)</script>\n```',
    '<!-- --><iframe src="https://example.org">',
    '`<b onclick=alert(1)>`',
  ])('is safe: %s', (text) => {
    for (const each of markupOf(markdownToHtml(text)))
      expect(each).toMatch(each.includes('.') ? ALLOWED_ATTRIBUTES : ALLOWED);
  });

  it('is safe for any mixture of its parts', () => {
    const part = fc.constantFrom(
      ...['<', '>', '"', "'", '`', '[', ']', '(', ')', '!', '\n', ' ', '&', ':', '|', '-', '#', '\\', '*', '='],
      ...['<script>', 'onerror=', 'javascript:', 'https://a', '&#x6a;', 'a', '<img src=x ', '<!--', ']]>', '| - |'],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        for (const each of markupOf(markdownToHtml(parts.join(''))))
          expect(each).toMatch(each.includes('.') ? ALLOWED_ATTRIBUTES : ALLOWED);
      }),
      { numRuns: 2000 },
    );
  });
});
