// Escapes text from files and specs before it is shown: in a terminal, control characters would take effect.

/** Control characters, bidirectional marks, and invisible characters. */
const CONTROLS =
  /[\p{Cc}\u00AD\u061C\u200B\u200E\u200F\u2028-\u202E\u2060\u2066-\u2069\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]|\p{Surrogate}/gu;

/** The text on one line, with each such character as its code point: `[U+001B]`. */
export const escapeControls = (text: string): string =>
  text.replace(
    CONTROLS,
    (character) => `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
  );
