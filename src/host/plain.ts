// Names and messages on their way into VS Code's own interface. Some places there make icons of `$(bug)`, links of
// `[text](command:…)`, or colours of control codes; and marks that turn text turn what stands beside them. As `plain` has
// them they are text everywhere, and look as they were written.

/** Between `$` and `(`, and the like: has no width, joins no words, and keeps both from being read as one. */
const APART = '\u2060';
/** Letters that are written from right to left. */
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\u061C\u200F]/u;

/** A name, on one line. */
export function plain(name: string): string {
  const text = shown(name.replace(/\r?\n/g, '⏎'));
  // Signs beside such letters would change places with them.
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

/** A message, which keeps its lines. */
export const plainLines = (message: string): string => message.split(/\r?\n/).map(plain).join('\n');

/** What controls, turns, hides or is no text by its number, as editors show it. */
const shown = (text: string): string =>
  text
    .replace(/[\p{Cc}\u200B\u2028\u2029\u2060\u202A-\u202E\u2066-\u2069\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]|\p{Surrogate}/gu, (mark) => `[U+${(mark.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`)
    .replace(/\$(?=\()|\](?=\()/g, `$&${APART}`);
