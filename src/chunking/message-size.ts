// An upper bound of a message's size in bytes: as JSON with separate typed arrays, or as a structured clone.

/** Bytes of a number with all its digits, and of a short one. */
const [NUMBER, COUNT] = [25, 8];
/** Overhead of an array or object, and of a typed array with its reference to a buffer. */
const [BRACKETS, VIEW] = [4, 160];

export function messageSize(value: unknown): number {
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) < 1e6 && !Object.is(value, -0) ? COUNT : NUMBER;
  if (typeof value === 'string') return textSize(value);
  if (typeof value !== 'object' || value === null) return 6;
  if (ArrayBuffer.isView(value)) return VIEW + value.byteLength;
  let size = BRACKETS;
  if (Array.isArray(value)) for (const each of value) size += 1 + messageSize(each);
  else for (const key in value) size += 2 + textSize(key) + messageSize((value as Record<string, unknown>)[key]);
  return size;
}

/** Two bytes per non-ASCII character; JSON escapes the rarest in six. */
function textSize(text: string): number {
  let size = 8;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    size += code < 32 ? 6 : code === 34 || code === 92 ? 2 : code < 128 ? 1 : 3;
  }
  return size;
}
