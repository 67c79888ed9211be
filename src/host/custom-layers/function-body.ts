// Finds the body of a layer's function in a text that may be incomplete.

/** Skipped as a whole: comments and strings. */
const COMMENTS_AND_STRINGS = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g;

/** Offset of the first statement of a function of the exported object; null if it is not found. */
export function findFunctionBody(text: string, name: string): number | null {
  const code = text.replace(COMMENTS_AND_STRINGS, (part) => part.replace(/[^\n]/g, ' '));
  const signature = new RegExp(`\\b${name}\\s*(?::\\s*(?:async\\s*)?(?:function\\b[^(]*)?)?\\(`).exec(code);
  if (!signature) return null;
  let offset = signature.index + signature[0].length;
  for (let depth = 1; depth > 0; offset++) {
    if (offset >= code.length) return null;
    if (code[offset] === '(') depth++;
    else if (code[offset] === ')') depth--;
  }
  // Skips the return type.
  const bodyStart = /^[^{;]*?=>\s*\{?|^[^{=;]*\{/.exec(code.slice(offset));
  if (!bodyStart) return null;
  const first = /\S/.exec(code.slice(offset + bodyStart[0].length));
  return first ? offset + bodyStart[0].length + first.index : null;
}
