// The schema of an initializer among the options of a layer: a name, or a name with options.
import * as z from 'zod/mini';
import { initializers, type InitializerKind, type InitializerOptions } from '.';
import { INTERPRETED } from '../option-schemas';
import type { InitializerDefinition } from './initializer';

/** What other libraries call the options of layers that hold initializers. */
export const WEIGHT_INIT_ALIASES = ['kernel_initializer', 'weight_init', 'initializer', 'kernel_init'];
export const BIAS_INIT_ALIASES = ['bias_initializer'];

const initializerKinds = Object.keys(initializers) as InitializerKind[];
const optionsSchema = (kind: InitializerKind) => initializers[kind].options as unknown as z.ZodMiniObject;

const withOptions = initializerKinds.map((kind) => {
  const { summary, aliases } = initializers[kind] as InitializerDefinition;
  return z
    .extend(optionsSchema(kind), { type: z.literal(kind).check(z.describe(summary)) })
    .check(z.meta({ title: kind, description: summary, ...(aliases && { aliases }) }));
});

const kindsWithoutRequiredOptions = initializerKinds.filter(
  (kind) => optionsSchema(kind).safeParse({}, INTERPRETED).success,
) as [InitializerKind, ...InitializerKind[]];

const byName = z.pipe(
  z
    .enum(kindsWithoutRequiredOptions)
    .check(z.meta({ enumDescriptions: kindsWithoutRequiredOptions.map((kind) => initializers[kind].summary) })),
  z.transform(
    (type) => ({ type, ...optionsSchema(type).parse(Object.create(null), INTERPRETED) }) as InitializerOptions,
  ),
);

/** Accepts `"zeros"` and `{ "type": "normal", "std": 0.1 }`; parses to the second form. */
export const initializerOption = (description: string, aliases: readonly string[] = []) =>
  z
    .union([byName, z.discriminatedUnion('type', withOptions as never) as unknown as z.ZodMiniType<InitializerOptions>])
    .check(z.meta({ title: 'initializer', description, aliases }));
