// Where the body of a function of a layer begins, in a text that need not be complete.

/** What is skipped as a whole: comments and texts. */
const SKIPPED = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g;

/** Offset of the first thing that a function of the exported object does; null where it cannot be told. */
export function bodyOf(text: string, name: string): number | null {
  const code = text.replace(SKIPPED, (part) => part.replace(/[^\n]/g, ' '));
  const head = new RegExp(`\\b${name}\\s*(?::\\s*(?:async\\s*)?(?:function\\b[^(]*)?)?\\(`).exec(code);
  if (!head) return null;
  let at = head.index + head[0].length;
  for (let open = 1; open > 0; at++) {
    if (at >= code.length) return null;
    if (code[at] === '(') open++;
    else if (code[at] === ')') open--;
  }
  // Past the type of what it gives.
  const begin = /^[^{;]*?=>\s*\{?|^[^{=;]*\{/.exec(code.slice(at));
  if (!begin) return null;
  const first = /\S/.exec(code.slice(at + begin[0].length));
  return first ? at + begin[0].length + first.index : null;
}
