// The JSON schema of a spec, made from the schema that validates: for editors, for the messages that say what
// was expected, and for docs/spec.md.
import * as z from 'zod/mini';
import { specSchema } from './schema';

/** What is read of a JSON schema here. */
export interface JsonSchema {
  $schema?: string;
  title?: string;
  description?: string;
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  const?: unknown;
  enum?: unknown[];
  enumDescriptions?: string[];
  default?: unknown;
  defaultSnippets?: object[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  /** What VS Code lets pass in a file under this schema. */
  allowComments?: boolean;
  allowTrailingCommas?: boolean;
}

/** A default as people write it: a unit without options by its name. */
function written(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  return entries.length === 1 && entries[0][0] === 'type' ? entries[0][1] : value;
}

/** One flat list of alternatives, which editors complete better than unions in unions. */
const flattened = (schema: JsonSchema): JsonSchema[] =>
  [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((branch) =>
    branch.anyOf || branch.oneOf ? flattened(branch) : [branch],
  );

/** The schema of a spec's text, before defaults are filled in. */
export function jsonSchema(): JsonSchema {
  return z.toJSONSchema(specSchema, {
    io: 'input',
    target: 'draft-7',
    override({ zodSchema, jsonSchema: raw }) {
      const schema = raw as JsonSchema;
      const { def } = zodSchema._zod;
      if (def.type === 'default') schema.default = written(def.defaultValue);
      if (schema.anyOf || schema.oneOf) {
        schema.anyOf = flattened(schema);
        delete schema.oneOf;
      }
      // The largest safe integer is a limit of the number format, not one to tell people about.
      if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
    },
  }) as JsonSchema;
}

/** The same for editors: hovers show descriptions only, so defaults are told there. */
export function editorSchema(): JsonSchema {
  const tell = (schema: JsonSchema): JsonSchema => ({
    ...schema,
    ...(schema.default !== undefined && {
      description: [schema.description, `Default: ${JSON.stringify(schema.default)}.`].filter(Boolean).join(' '),
    }),
    ...(schema.anyOf && { anyOf: schema.anyOf.map(tell) }),
    ...(schema.items && { items: tell(schema.items) }),
    ...(schema.properties && {
      properties: Object.fromEntries(Object.entries(schema.properties).map(([key, value]) => [key, tell(value)])),
    }),
  });
  return { ...tell(jsonSchema()), allowComments: true, allowTrailingCommas: true };
}

const typeOf = (value: unknown): JsonSchema['type'] | 'null' => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as JsonSchema['type'];
};

export const accepts = (schema: JsonSchema, value: unknown): boolean => {
  const type = typeOf(value);
  return schema.type === type || (schema.type === 'integer' && type === 'number');
};

/** The alternative of `schema` that `value` was meant for. */
export function alternative(schema: JsonSchema, value: unknown): JsonSchema {
  if (!schema.anyOf) return schema;
  const fitting = schema.anyOf.filter((branch) => accepts(branch, value));
  const type = typeOf(value) === 'object' ? (value as { type?: unknown }).type : undefined;
  return fitting.find((branch) => branch.properties?.type?.const === type) ?? fitting[0] ?? schema;
}

/** The schema of the value at `path` inside `value`; undefined where nothing is known. */
export function schemaAt(root: JsonSchema, value: unknown, path: readonly PropertyKey[]): JsonSchema | undefined {
  let schema: JsonSchema | undefined = root;
  let here = value;
  for (const key of path) {
    if (!schema) return undefined;
    const chosen: JsonSchema = alternative(schema, here);
    schema = typeof key === 'number' ? chosen.items : ownProperty(chosen.properties, String(key));
    here = ownProperty(here, key);
  }
  return schema;
}

/** A property, but not one of the prototype. */
export function ownProperty<T>(object: Readonly<Record<string, T>> | undefined, key: string): T | undefined;
export function ownProperty(object: unknown, key: PropertyKey): unknown;
export function ownProperty(object: unknown, key: PropertyKey): unknown {
  if (typeof object !== 'object' || object === null || !Object.hasOwn(object, key)) return undefined;
  return (object as Record<PropertyKey, unknown>)[key];
}

/** What media/nabla.schema.json holds. */
export const schemaText = (): string => `${JSON.stringify(editorSchema(), null, 2)}\n`;
