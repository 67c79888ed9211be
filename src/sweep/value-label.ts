// A short label for a value of a sweep: `0.1`, `adam`, `linear 50, sigmoid, linear 1`.

const MAX_LENGTH = 60;

/** @returns for a component, its type and option values; the results contain the full value */
export function valueLabel(value: unknown): string {
  const text = formatValue(value);
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text;
}

function formatValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    const exponent = value.toExponential().replace('e+', 'e');
    return exponent.length < String(value).length ? exponent : String(value);
  }
  if (Array.isArray(value)) return value.map(formatValue).join(', ');
  if (typeof value !== 'object' || value === null) return String(value);
  const { type, ...options } = value as Readonly<Record<string, unknown>>;
  if (typeof type === 'string') return [type, ...Object.values(options).map(formatValue)].join(' ');
  return Object.entries(options)
    .map(([key, inner]) => `${key} ${formatValue(inner)}`)
    .join(', ');
}
