// HTML templates: everything inserted is escaped, unless it was made by such a template.

export class Html {
  constructor(readonly text: string) {}
}

type HtmlPart = string | number | Html | null | readonly HtmlPart[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that HTML does not allow, such as NUL and unpaired surrogates, become U+FFFD. */
export const escapeText = (text: string): string =>
  text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    // eslint-disable-next-line no-control-regex -- these are what is looked for
    .replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!);

function renderPart(part: HtmlPart): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  return typeof part === 'string' || typeof part === 'number'
    ? escapeText(String(part))
    : part.map(renderPart).join('');
}

export const html = (texts: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html =>
  new Html(texts.reduce((all, text, i) => all + renderPart(parts[i - 1] ?? null) + text));

/** Isolates a user-defined name, so that bidirectional marks in it do not affect the surrounding text. */
export const isolate = (text: string): Html => html`<bdi>${text}</bdi>`;
