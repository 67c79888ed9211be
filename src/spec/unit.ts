// The schema of one unit out of a family's table: `"tanh"`, or `{ "type": "linear", "out_features": 4 }`.
// The table alone decides what is known; nothing is listed here.
import * as z from 'zod/mini';

/** What the tables of layers, losses, optimizers and datasets have in common. */
export interface UnitDefinition {
  readonly kind: string;
  readonly summary: string;
  readonly options: z.ZodMiniType;
}

/** A unit as it is parsed: its type, and its options with every default filled in. */
export type ParsedUnit<Kind extends string, Extra> = { readonly type: Kind } & Extra & Readonly<Record<string, unknown>>;

/** The kinds that need no option, so that their bare name will do. */
const bareKinds = (schemas: Readonly<Record<string, z.ZodMiniType>>): string[] =>
  Object.keys(schemas).filter((type) => schemas[type].safeParse({ type }).success);

/**
 * @param family what a unit is called in messages: `layer`
 * @param extra keys that every unit of the family takes beside its own options
 */
export function unit<Kind extends string, Extra>(
  family: string,
  description: string,
  table: Readonly<Record<Kind, UnitDefinition>>,
  extra: (kind: Kind) => Record<string, z.ZodMiniType>,
  snippets: readonly object[] = [],
): z.ZodMiniType<ParsedUnit<Kind, Extra>> {
  const kinds = Object.keys(table) as Kind[];
  const schemas = Object.fromEntries(
    kinds.map((kind) => {
      const { summary, options } = table[kind];
      const type = z.literal(kind).check(z.describe(summary));
      const schema = z.safeExtend(options as z.ZodMiniObject, { type, ...extra(kind) });
      return [kind, schema.check(z.meta({ title: kind, description: summary }))];
    }),
  ) as unknown as Record<Kind, z.ZodMiniObject>;
  const bare = bareKinds(schemas) as [Kind, ...Kind[]];
  const names = z.enum(bare).check(z.meta({ enumDescriptions: bare.map((kind) => table[kind].summary) }));
  const byName = z.pipe(names, z.transform((type: Kind) => schemas[type].parse({ type })));
  const byType = z.discriminatedUnion('type', Object.values(schemas) as never);
  return z
    .union([byName, byType])
    .check(
      z.meta({ title: family, description, ...(snippets.length > 0 && { defaultSnippets: snippets }) }),
    ) as unknown as z.ZodMiniType<ParsedUnit<Kind, Extra>>;
}
