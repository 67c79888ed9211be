/** Keeps the beginning and the end of a long name, which distinguish it from others. */
export function truncateMiddle(name: string, maxLength: number): string {
  if (name.length <= maxLength) return name;
  const end = Math.floor((maxLength - 1) / 2);
  return `${name.slice(0, maxLength - 1 - end)}…${name.slice(name.length - end)}`;
}
