// The JSON schema of a spec, generated from the validating schema: for messages, docs/spec.md and editors.
import * as z from 'zod/mini';
import { specSchema } from './schema';

/** The parts of a JSON schema that are used. It is cyclic: a block of layers contains layers. */
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
  /** Names that other libraries give this component or option. */
  aliases?: readonly string[];
  /** The same for the names of a choice. */
  valueAliases?: Readonly<Record<string, readonly string[]>>;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  /** For a map: the schema of its values. */
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

/** A default in the short form that people write: a component without options as its name. */
function toShorthand(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const [entry, ...others] = Object.entries(value);
  return others.length === 0 && entry?.[0] === 'type' ? entry[1] : value;
}

/** A flat list of alternatives, which editors complete better than nested unions. */
const flattenAlternatives = (schema: JsonSchema): JsonSchema[] =>
  [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((branch) =>
    branch.anyOf || branch.oneOf ? flattenAlternatives(branch) : [branch],
  );

/** Replaces all references by their targets. */
function inlineReferences({
  definitions = {},
  ...root
}: JsonSchema & { definitions?: Record<string, JsonSchema> }): JsonSchema {
  const targetOf = (value: { $ref?: string; allOf?: { $ref?: string }[] }): unknown => {
    const name = (value.$ref ?? value.allOf?.[0]?.$ref)?.split('/').at(-1);
    return name === undefined ? value : definitions[name];
  };
  const visited = new Set<object>();
  const inline = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const target = targetOf(value) as Record<string, unknown>;
    if (visited.has(target)) return target;
    visited.add(target);
    for (const [key, inner] of Object.entries(target)) target[key] = inline(inner);
    return target;
  };
  return inline(root) as JsonSchema;
}

function buildJsonSchema(of: z.core.$ZodType): JsonSchema {
  const schema = z.toJSONSchema(of, {
    io: 'input',
    target: 'draft-7',
    override({ zodSchema, jsonSchema: raw }) {
      const schema = raw as JsonSchema;
      const { def } = zodSchema._zod;
      if (def.type === 'default') schema.default = toShorthand(def.defaultValue);
      if (schema.anyOf || schema.oneOf) {
        schema.anyOf = flattenAlternatives(schema);
        delete schema.oneOf;
      }
      // The largest safe integer is a limit of the number format, which docs need not mention.
      if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
    },
  });
  return inlineReferences(schema as JsonSchema);
}

const memoize = <T>(compute: () => T): (() => T) => {
  let cached: T | undefined;
  return () => (cached ??= compute());
};

/** The schema of a spec before defaults are filled in. Built on first use, because it takes some milliseconds. */
export const getJsonSchema = memoize(() => buildJsonSchema(specSchema));

/** The same for another kind of file. */
export const toJsonSchema = (schema: z.core.$ZodType): (() => JsonSchema) => memoize(() => buildJsonSchema(schema));

const jsonTypeOf = (value: unknown): JsonSchema['type'] | 'null' => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as JsonSchema['type'];
};

export const acceptsType = (schema: JsonSchema, value: unknown): boolean => {
  const type = jsonTypeOf(value);
  return schema.type === type || (schema.type === 'integer' && type === 'number');
};

/** The alternative of `schema` that `value` most likely follows. */
export function selectAlternative(schema: JsonSchema, value: unknown): JsonSchema {
  if (!schema.anyOf) return schema;
  const candidates = schema.anyOf.filter((branch) => acceptsType(branch, value));
  const type = jsonTypeOf(value) === 'object' ? (value as { type?: unknown }).type : undefined;
  return candidates.find((branch) => branch.properties?.type?.const === type) ?? candidates[0] ?? schema;
}

/** The schema of the value at `path` inside `value`; undefined if there is none. */
export function schemaAt(root: JsonSchema, value: unknown, path: readonly PropertyKey[]): JsonSchema | undefined {
  let schema: JsonSchema | undefined = root;
  let current = value;
  for (const key of path) {
    if (!schema) return undefined;
    const chosen: JsonSchema = selectAlternative(schema, current);
    const { additionalProperties: valueSchema, items, properties } = chosen;
    schema =
      typeof key === 'number'
        ? items
        : (getOwnProperty(properties, String(key)) ?? (typeof valueSchema === 'object' ? valueSchema : undefined));
    current = getOwnProperty(current, key);
  }
  return schema;
}

/** An own property, never one of the prototype. */
export function getOwnProperty<T>(object: Readonly<Record<string, T>> | undefined, key: string): T | undefined;
export function getOwnProperty(object: unknown, key: PropertyKey): unknown;
export function getOwnProperty(object: unknown, key: PropertyKey): unknown {
  if (typeof object !== 'object' || object === null || !Object.hasOwn(object, key)) return undefined;
  return (object as Record<PropertyKey, unknown>)[key];
}
