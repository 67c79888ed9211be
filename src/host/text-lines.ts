// Offsets of a text as people count: lines and columns from 1.

/** Line and column of every offset, each found in one pass over the text; offsets may come in any order. */
export function placesOf(text: string, offsets: readonly number[]): { readonly line: number; readonly column: number }[] {
  const order = offsets.map((offset, i) => ({ offset, i })).sort((a, b) => a.offset - b.offset);
  const places = new Array<{ line: number; column: number }>(offsets.length);
  let line = 1;
  let start = 0;
  for (const { offset, i } of order) {
    for (let end = text.indexOf('\n', start); end >= 0 && end < offset; end = text.indexOf('\n', start)) {
      line++;
      start = end + 1;
    }
    places[i] = { line, column: offset - start + 1 };
  }
  return places;
}
