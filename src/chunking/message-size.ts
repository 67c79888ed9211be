// An upper bound of a message's size in bytes: as JSON with separate typed arrays, or as a structured clone.

/** Bytes of a number with all its digits, and of an integer below a million. */
const [NUMBER, SHORT_INTEGER] = [25, 8];
/** Overhead of an array or object, and of a typed array with its reference to a buffer. */
const [BRACKETS, VIEW] = [4, 160];

export function messageSize(value: unknown): number {
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) < 1e6 && !Object.is(value, -0) ? SHORT_INTEGER : NUMBER;
  if (typeof value === 'string') return textSize(value);
  if (typeof value !== 'object' || value === null) return 6;
  if (ArrayBuffer.isView(value)) return VIEW + value.byteLength;
  let size = BRACKETS;
  if (Array.isArray(value)) for (const each of value) size += 1 + messageSize(each);
  else for (const key in value) size += 2 + textSize(key) + messageSize((value as Record<string, unknown>)[key]);
  return size;
}

/**
 * JSON takes at most 6 bytes for a control character or half of a surrogate pair, 2 for a quote or backslash, 1 for
 * other ASCII, and 3 for the rest. A structured clone takes 2 for every unit of a text that has one above 255.
 */
function textSize(text: string): number {
  let json = 0;
  let isWide = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) isWide = true;
    if (code < 32 || (code >= 0xd800 && code < 0xe000)) json += 6;
    else json += code === 34 || code === 92 ? 2 : code < 128 ? 1 : 3;
  }
  return 8 + Math.max(json, isWide ? 2 * text.length : 0);
}
