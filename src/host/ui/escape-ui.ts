// Escapes names and messages for VS Code's own interface, parts of which read `$(bug)` as an icon and
// `[text](command:…)` as a link. The escaped text looks as it was written.
import { escapeControls } from '../../protocol/escape-controls';

/** Has no width. Between `$` and `(`, and between `]` and `(`, it keeps both from being read together. */
const WORD_JOINER = '\u2060';
/** Letters of right-to-left scripts. */
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** Escapes a name, as one line. */
export function escapeUiText(name: string): string {
  const text = escapeMarkers(name.replace(/\r?\n/g, '⏎'));
  // Isolated, because neighboring characters would otherwise change places with it.
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

/** Escapes a message and keeps its lines. */
export const escapeUiLines = (message: string): string => message.split(/\r?\n/).map(escapeUiText).join('\n');

const escapeMarkers = (text: string): string => escapeControls(text).replace(/\$(?=\()|\](?=\()/g, `$&${WORD_JOINER}`);
