// The name that a problem proposes in its words.

/** A name that is shown other than it is written cannot be taken from the words. */
const suggestion = /Did you mean ("(?!.*\[U\+)[^"\\\n\u2060\u2068]+")\?/u;

/** The known name in a problem's words, quotes included. */
export const suggestionOf = (message: string): string | undefined => suggestion.exec(message)?.[1];
