// HTML made of text: whatever is put into a template is plain text, unless it was made by one itself.

export class Html {
  constructor(readonly text: string) {}
}

type Part = string | number | Html | null | readonly Part[];

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Also what HTML has no place for, such as NUL and half of a character, becomes the sign for an unknown one. */
export const escapeText = (text: string): string =>
  text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    // eslint-disable-next-line no-control-regex -- these are what is looked for
    .replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (character) => entities[character]);

function textOf(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  return typeof part === 'string' || typeof part === 'number' ? escapeText(String(part)) : part.map(textOf).join('');
}

export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(texts.reduce((all, text, i) => all + textOf(parts[i - 1] ?? null) + text));

/** A name that somebody gave, kept apart: marks in it that turn text do not reach what stands around it. */
export const name = (text: string): Html => html`<bdi>${text}</bdi>`;
