// How many bytes a message takes on its way, at most: as JSON with typed arrays beside it, or as a structured clone.

/** A number written out with all of its digits, and one that has few. */
const [NUMBER, COUNT] = [25, 8];
/** What an array or an object says of itself; a typed array also which part of which buffer it is. */
const [BRACKETS, VIEW] = [4, 160];

export function sizeOf(value: unknown): number {
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 1e6 && !Object.is(value, -0) ? COUNT : NUMBER;
  if (typeof value === 'string') return sizeOfText(value);
  if (typeof value !== 'object' || value === null) return 6;
  if (ArrayBuffer.isView(value)) return VIEW + value.byteLength;
  let size = BRACKETS;
  if (Array.isArray(value)) for (const each of value) size += 1 + sizeOf(each);
  else for (const key in value) size += 2 + sizeOfText(key) + sizeOf((value as Record<string, unknown>)[key]);
  return size;
}

/** Two bytes a character that is not plain; JSON escapes the rarest in six. */
function sizeOfText(text: string): number {
  let size = 8;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    size += code < 32 ? 6 : code === 34 || code === 92 ? 2 : code < 128 ? 1 : 3;
  }
  return size;
}
