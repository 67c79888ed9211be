// How a thread reads files in TypeScript.
/** Older versions of Node remove types from TypeScript only with a flag. */
export const typeStrippingFlags = (): string[] => {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  const needsFlag = (major === 22 && minor >= 6 && minor < 18) || (major === 23 && minor < 6);
  return needsFlag ? ['--experimental-strip-types'] : [];
};
