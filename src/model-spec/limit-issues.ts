// Limits a schema's list of issues. zod passes the issues of an inner schema on as the arguments of one call, and more
// than about 100,000 arguments overflow the stack, so a long list of wrong entries would throw.
import type * as z from 'zod/mini';

interface SchemaInternals {
  readonly def: Readonly<Record<string, unknown>>;
  run(payload: z.core.ParsePayload, context: z.core.ParseContextInternal): { readonly issues: unknown[] };
}

const internalsOf = (value: unknown): SchemaInternals | undefined =>
  typeof value === 'object' && value !== null ? (value as { _zod?: SchemaInternals })._zod : undefined;

/** The parts of a schema: members of a union, entries of a list, options of an object. */
function innerSchemas({ def }: SchemaInternals): unknown[] {
  const { shape, element, options, innerType, in: input, out, keyType, valueType, getter } = def;
  return [
    ...(typeof shape === 'object' && shape !== null ? (Object.values(shape) as unknown[]) : []),
    ...(Array.isArray(options) ? (options as unknown[]) : []),
    ...(typeof getter === 'function' ? [(getter as () => unknown)()] : []),
    ...[element, innerType, input, out, keyType, valueType],
  ];
}

/**
 * Changes a schema and all its parts so that no list or object in it reports more than `limit` issues. A part is
 * changed when what contains it first runs: most specs use few of the parts.
 */
export function limitIssues(schema: z.ZodMiniType, limit: number): void {
  const visited = new Set<SchemaInternals>();
  const visit = (value: unknown): void => {
    const internals = internalsOf(value);
    if (!internals || visited.has(internals)) return;
    visited.add(internals);
    const { type } = internals.def;
    const isLimited = type === 'object' || type === 'array' || type === 'record';
    const run = internals.run.bind(internals);
    let hasRun = false;
    internals.run = (payload, context) => {
      if (!hasRun) innerSchemas(internals).forEach(visit);
      hasRun = true;
      const result = run(payload, context);
      if (isLimited && result.issues.length > limit) result.issues.length = limit;
      return result;
    };
  };
  visit(schema);
}
