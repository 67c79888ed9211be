// Messages between host and panel are sent as JSON with separate typed arrays, and JSON has no NaN, infinity or -0.
// Both ends encode such numbers, so that a NaN loss arrives as NaN.

/** Represents a number that JSON cannot. */
interface PackedNumber {
  readonly $number: 'NaN' | 'Infinity' | '-Infinity' | '-0';
}

/** @returns the message with such numbers replaced; the same object if there are none */
export function packNumbers(message: unknown): unknown {
  return mapLeaves(message, (value) => {
    if (typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))) return value;
    return { $number: Object.is(value, -0) ? '-0' : String(value) };
  });
}

export function unpackNumbers(message: unknown): unknown {
  return mapLeaves(message, (value) => (isPackedNumber(value) ? Number(value.$number) : value));
}

function isPackedNumber(value: unknown): value is PackedNumber {
  return typeof value === 'object' && value !== null && '$number' in value;
}

/** Replaces values from the leaves up. Parts without replaced values, and typed arrays, are not copied. */
function mapLeaves(value: unknown, transform: (value: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return transform(value);
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const mapped = mapLeaves(value[i], transform);
      if (!Object.is(mapped, value[i])) (copy ??= [...(value as unknown[])])[i] = mapped;
    }
    return copy ?? value;
  }
  let copy: Record<string, unknown> | undefined;
  for (const [key, entry] of Object.entries(value)) {
    const mapped = mapLeaves(entry, transform);
    if (!Object.is(mapped, entry)) (copy ??= { ...value })[key] = mapped;
  }
  return transform(copy ?? value);
}
