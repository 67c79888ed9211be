// The schema of an initializer inside another unit's options: a name, or a name with options.
import * as z from 'zod/mini';
import { initializers, type InitializerKind, type InitializerOptions } from '.';

const kinds = Object.keys(initializers) as InitializerKind[];
const optionsOf = (kind: InitializerKind) => initializers[kind].options as unknown as z.ZodMiniObject;

const withOptions = kinds.map((kind) =>
  z
    .extend(optionsOf(kind), { type: z.literal(kind).check(z.describe(initializers[kind].summary)) })
    .check(z.meta({ title: kind, description: initializers[kind].summary })),
);

// A bare name serves where nothing has to be said.
const bare = kinds.filter((kind) => optionsOf(kind).safeParse({}).success) as [InitializerKind, ...InitializerKind[]];

const byName = z.pipe(
  z.enum(bare).check(z.meta({ enumDescriptions: bare.map((kind) => initializers[kind].summary) })),
  z.transform((type) => ({ type, ...optionsOf(type).parse({}) }) as InitializerOptions),
);

/** Accepts `"zeros"` and `{ "type": "normal", "std": 0.1 }`; gives the second form. */
export const initializer = (description: string) =>
  z
    .union([byName, z.discriminatedUnion('type', withOptions as never) as unknown as z.ZodMiniType<InitializerOptions>])
    .check(z.meta({ title: 'initializer', description }));
