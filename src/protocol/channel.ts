// Messages between host and panel travel as JSON with typed arrays beside it, and JSON has no NaN, no
// infinity and no -0. Both ends pack and unpack, so that a loss that became NaN arrives as NaN.

/** Stands for a number that JSON cannot write. */
interface PackedNumber {
  readonly $number: 'NaN' | 'Infinity' | '-Infinity' | '-0';
}

/** @returns the message with such numbers replaced; the message itself where it has none. */
export function pack(message: unknown): unknown {
  return map(message, (value) => {
    if (typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))) return value;
    return { $number: Object.is(value, -0) ? '-0' : String(value) } as PackedNumber;
  });
}

export function unpack<Message>(message: unknown): Message {
  return map(message, (value) => (isPackedNumber(value) ? Number(value.$number) : value)) as Message;
}

function isPackedNumber(value: unknown): value is PackedNumber {
  return typeof value === 'object' && value !== null && '$number' in value;
}

/** Replaces values from the leaves up; what holds no replaced value is not copied, typed arrays never are. */
function map(value: unknown, replace: (value: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return replace(value);
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const mapped = map(value[i], replace);
      if (!Object.is(mapped, value[i])) (copy ??= [...(value as unknown[])])[i] = mapped;
    }
    return copy ?? value;
  }
  let copy: Record<string, unknown> | undefined;
  for (const [key, entry] of Object.entries(value)) {
    const mapped = map(entry, replace);
    if (!Object.is(mapped, entry)) (copy ??= { ...value })[key] = mapped;
  }
  return replace(copy ?? value);
}
