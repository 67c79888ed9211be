// A short label for a value of a sweep: `0.1`, `adam`, `linear 50, sigmoid, linear 1`.

const MAX_LENGTH = 60;

/** @returns for a component, its type and option values; the results contain the full value */
export function valueLabel(value: unknown): string {
  return shorten(formatValue(value));
}

const shorten = (text: string): string => (text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text);

/** Words that all labels start with hide how they differ, where there is little room. */
const MAX_COMMON_LENGTH = 16;

/** @returns labels of the values of one option, without a long beginning that all of them share */
export function distinctLabels(values: readonly unknown[]): string[] {
  const texts = values.map(formatValue);
  const words = texts.map((text) => text.split(' '));
  const differs = words[0]!.findIndex((word, i) => words.some((each) => each[i] !== word || i === each.length - 1));
  const common = words[0]!.slice(0, differs).join(' ');
  return texts.map((text) => shorten(common.length > MAX_COMMON_LENGTH ? `…${text.slice(common.length)}` : text));
}

function formatValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    const exponent = value.toExponential().replace('e+', 'e');
    return exponent.length < String(value).length ? exponent : String(value);
  }
  if (Array.isArray(value)) return value.length > 0 ? value.map(formatValue).join(', ') : 'none';
  if (typeof value !== 'object' || value === null) return String(value);
  const { type, ...options } = value as Readonly<Record<string, unknown>>;
  if (typeof type === 'string') return [type, ...Object.values(options).map(formatValue)].join(' ');
  return Object.entries(options)
    .map(([key, inner]) => `${key} ${formatValue(inner)}`)
    .join(', ');
}
