// The schema of one component of a family, such as a layer: `"tanh"`, or `{ "type": "linear", "out_features": 4 }`.
// The family's table alone decides which components exist.
import * as z from 'zod/mini';
import { INTERPRETED } from '../engine/option-schemas';

/** What the entries of all tables have in common: layers, losses, optimizers, datasets and so on. */
export interface ComponentDefinition {
  readonly kind: string;
  readonly summary: string;
  /** Names that other libraries and textbooks use, for "Did you mean …?". */
  readonly aliases?: readonly string[];
  readonly options: z.ZodMiniType;
}

/** A parsed component: its type and its options, with every default filled in. */
export type ParsedComponent<Kind extends string, Extra> = { readonly type: Kind } & Extra &
  Readonly<Record<string, unknown>>;

/** The kinds without required options: their name is enough. */
const kindsWithoutRequiredOptions = (schemas: Readonly<Record<string, z.ZodMiniType>>): string[] =>
  Object.entries(schemas).flatMap(([type, schema]) => (schema.safeParse({ type }, INTERPRETED).success ? [type] : []));

/**
 * @param family the family's name in messages: `layer`
 * @param extra keys that every component of the family takes besides its own options
 */
export function componentSchema<Kind extends string, Extra>(
  family: string,
  description: string,
  table: Readonly<Record<Kind, ComponentDefinition>>,
  extra: (kind: Kind) => Record<string, z.ZodMiniType>,
  snippets: readonly object[] = [],
): z.ZodMiniType<ParsedComponent<Kind, Extra>> {
  const kinds = Object.keys(table) as Kind[];
  const schemas = Object.fromEntries(
    kinds.map((kind) => {
      const { summary, options, aliases } = table[kind];
      const type = z.literal(kind).check(z.describe(summary));
      const schema = z.safeExtend(options as z.ZodMiniObject, { type, ...extra(kind) });
      return [kind, schema.check(z.meta({ title: kind, description: summary, ...(aliases && { aliases }) }))];
    }),
  ) as unknown as Record<Kind, z.ZodMiniObject>;
  const shorthandKinds = kindsWithoutRequiredOptions(schemas) as [Kind, ...Kind[]];
  const names = z
    .enum(shorthandKinds)
    .check(z.meta({ enumDescriptions: shorthandKinds.map((kind) => table[kind].summary) }));
  const byName = z.pipe(
    names,
    // Without a prototype, as all values of a spec are.
    z.transform((type: Kind) =>
      schemas[type].parse(Object.assign(Object.create(null) as object, { type }), INTERPRETED),
    ),
  );
  const byType = z.discriminatedUnion('type', Object.values(schemas) as never);
  return z
    .union([byName, byType])
    .check(
      z.meta({ title: family, description, ...(snippets.length > 0 && { defaultSnippets: snippets }) }),
    ) as unknown as z.ZodMiniType<ParsedComponent<Kind, Extra>>;
}
