// The JSON schema of a spec, made from the schema that validates: for the messages that say what was expected, for
// docs/spec.md, and for editors.
import * as z from 'zod/mini';
import { specSchema } from './schema';

/** What is read of a JSON schema here. A block of layers holds layers: following `items` leads in a circle. */
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
  /** Of a map: what its values are. */
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

/** Puts what a reference refers to in its place, so that readers meet none. */
function linked({ definitions = {}, ...root }: JsonSchema & { definitions?: Record<string, JsonSchema> }): JsonSchema {
  const targetOf = (value: { $ref?: string; allOf?: { $ref?: string }[] }): unknown => {
    const name = (value.$ref ?? value.allOf?.[0].$ref)?.split('/').at(-1);
    return name === undefined ? value : definitions[name];
  };
  const done = new Set<object>();
  const follow = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const target = targetOf(value) as Record<string, unknown>;
    if (done.has(target)) return target;
    done.add(target);
    for (const [key, inner] of Object.entries(target)) target[key] = follow(inner);
    return target;
  };
  return follow(root) as JsonSchema;
}

function makeJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(specSchema, {
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
  });
  return linked(schema as JsonSchema);
}

const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => (made ??= make());
};

/** The schema of a spec's text, before defaults are filled in. Made when first asked for: it takes some milliseconds. */
export const jsonSchema = once(makeJsonSchema);

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
    const { additionalProperties: others, items, properties } = chosen;
    schema = typeof key === 'number' ? items : (ownProperty(properties, String(key)) ?? (typeof others === 'object' ? others : undefined));
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
