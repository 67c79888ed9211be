// A value of a sweep, short enough for a table: `0.1`, `adam`, `linear 50, sigmoid, linear 1`.

const LONGEST = 60;

/** @returns for a unit its type and what its options say; the whole value is in the results. */
export function labelOf(value: unknown): string {
  const text = written(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function written(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    const exponent = value.toExponential().replace('e+', 'e');
    return exponent.length < String(value).length ? exponent : String(value);
  }
  if (Array.isArray(value)) return value.map(written).join(', ');
  if (typeof value !== 'object' || value === null) return String(value);
  const { type, ...options } = value as Readonly<Record<string, unknown>>;
  if (typeof type === 'string') return [type, ...Object.values(options).map(written)].join(' ');
  return Object.entries(options).map(([key, inner]) => `${key} ${written(inner)}`).join(', ');
}
