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

function makeJsonSchema(): JsonSchema {
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

const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => (made ??= make());
};

/** The schema of a spec's text, before defaults are filled in. Made when first asked for: it takes some milliseconds. */
export const jsonSchema = once(makeJsonSchema);

type JsonType = NonNullable<JsonSchema['type']>;

/** A schema as editors read it. */
type EditorSchema = Omit<JsonSchema, 'type' | 'anyOf' | 'items' | 'properties'> & {
  type?: string | string[];
  anyOf?: EditorSchema[];
  items?: EditorSchema;
  properties?: Record<string, EditorSchema>;
  markdownDescription?: string;
  /** What VS Code lets pass in a file under this schema. */
  allowComments?: boolean;
  allowTrailingCommas?: boolean;
};

// Without "boolean" and "null": an editor offers true, false and null wherever they are listed.
const OTHER_TYPES: readonly JsonType[] = ['number', 'string', 'object', 'array'];

/** Lets any type pass, and still tells which one is meant: the first. */
const anyType = (type: JsonType): string[] => [type, ...OTHER_TYPES.filter((other) => other !== type)];

/** What a hover shows: the description, and the default, which hovers leave out by themselves. */
function told({ title, description, default: value, defaultSnippets, enumDescriptions }: JsonSchema): EditorSchema {
  const text = [description, value !== undefined && `Default: ${JSON.stringify(value)}.`].filter(Boolean).join(' ');
  return {
    ...(title !== undefined && { title }),
    ...(text && { description: text }),
    // Plain descriptions are shown with their backticks.
    ...(text.includes('`') && { markdownDescription: text }),
    ...(value !== undefined && { default: value }),
    ...(defaultSnippets && { defaultSnippets }),
    ...(enumDescriptions && { enumDescriptions }),
  };
}

const mapped = (properties: Readonly<Record<string, JsonSchema>>): Record<string, EditorSchema> =>
  Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, lenient(value)]));

/** An alternative: strict in its type and its name, by which an editor knows which one is meant. */
function branch(schema: JsonSchema): EditorSchema {
  const { type, properties, enum: names, const: only } = schema;
  if (names || only !== undefined) return { type, ...(names ? { enum: names } : { const: only }), ...told(schema) };
  if (!properties) return { ...lenient(schema), type };
  const { type: kind, ...options } = properties;
  return { type, ...told(schema), properties: { ...(kind && { type: branch(kind) }), ...mapped(options) } };
}

/** The same schema with nothing in it that could fail. */
function lenient(schema: JsonSchema): EditorSchema {
  const { type, anyOf, items, properties, enum: names } = schema;
  if (anyOf) return { ...told(schema), anyOf: [...anyOf.map(branch), {}] };
  if (names) return { ...told({ ...schema, enumDescriptions: undefined }), anyOf: [branch({ type, enum: names }), {}] };
  return {
    ...(type && { type: anyType(type) }),
    ...told(schema),
    ...(items && { items: lenient(items) }),
    ...(properties && { properties: mapped(properties) }),
  };
}

/**
 * The schema for editors: for completion and hover only. It lets everything pass, because the extension itself
 * says what is wrong, in better words; with a strict one every problem would be shown twice.
 */
export const editorSchema = (): EditorSchema => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  ...lenient(jsonSchema()),
  allowComments: true,
  allowTrailingCommas: true,
});

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

/** What media/nabla.schema.json holds. */
export const schemaText = (): string => `${JSON.stringify(editorSchema(), null, 2)}\n`;
