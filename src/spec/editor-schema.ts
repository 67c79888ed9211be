// The JSON schema as editors read it, media/nabla.schema.json: for completion and hover only. Made from that of the spec.
import { type JsonSchema, jsonSchema } from './json-schema';

type JsonType = NonNullable<JsonSchema['type']>;

/** A schema as editors read it. */
export type EditorSchema = Omit<JsonSchema, 'type' | 'anyOf' | 'items' | 'properties'> & {
  type?: string | string[];
  anyOf?: EditorSchema[];
  items?: EditorSchema;
  properties?: Record<string, EditorSchema>;
  $ref?: string;
  definitions?: Record<string, EditorSchema>;
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

type Definitions = Map<string, EditorSchema>;

const referTo = (name: string): EditorSchema => ({ $ref: `#/definitions/${name}` });

/** The same schema with nothing in it that could fail. */
class Lenient {
  /** The alternatives of each family of units, by its name. */
  readonly families: Definitions = new Map();

  of(schema: JsonSchema): EditorSchema {
    const { type, anyOf, items, properties, enum: names } = schema;
    if (anyOf) return { ...told(schema), ...(schema.title === undefined ? this.#oneOf(anyOf) : this.#family(schema.title, anyOf)) };
    if (names) return { ...told({ ...schema, enumDescriptions: undefined }), ...this.#oneOf([{ type, enum: names }]) };
    return {
      ...(type && { type: anyType(type) }),
      ...told(schema),
      ...(items && { items: this.of(items) }),
      ...(properties && { properties: this.#mapped(properties) }),
    };
  }

  #oneOf(alternatives: readonly JsonSchema[]): EditorSchema {
    return { anyOf: [...alternatives.map((each) => this.#branch(each)), {}] };
  }

  /** Written once, and first of all its name: a block of layers refers to what it stands in. */
  #family(name: string, alternatives: readonly JsonSchema[]): EditorSchema {
    if (!this.families.has(name)) {
      this.families.set(name, {});
      this.families.set(name, this.#oneOf(alternatives));
    }
    return referTo(name);
  }

  #mapped(properties: Readonly<Record<string, JsonSchema>>): Record<string, EditorSchema> {
    return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, this.of(value)]));
  }

  /** An alternative: strict in its type and its name, by which an editor knows which one is meant. */
  #branch(schema: JsonSchema): EditorSchema {
    const { type, properties, enum: names, const: only } = schema;
    if (names || only !== undefined) return { type, ...(names ? { enum: names } : { const: only }), ...told(schema) };
    if (!properties) return { ...this.of(schema), type };
    const { type: kind, ...options } = properties;
    return { type, ...told(schema), properties: { ...(kind && { type: this.#branch(kind) }), ...this.#mapped(options) } };
  }
}

/** Shorter ones are repeated rather than referred to. */
const WORTH_SHARING = 100;

/** Options that several units have word for word, such as a layer's `name`, are written once. Changes what it is given. */
function share(families: Definitions): Definitions {
  const options = [...families.values()].flatMap(({ anyOf = [] }) => anyOf.map(({ properties = {} }) => properties));
  const times = new Map<string, number>();
  const texts = options.flatMap((properties) => Object.values(properties).map((option) => JSON.stringify(option)));
  for (const text of texts) times.set(text, (times.get(text) ?? 0) + 1);
  const shared: Definitions = new Map();
  const names = new Map<string, string>();
  for (const properties of options) {
    for (const [key, option] of Object.entries(properties)) {
      const text = JSON.stringify(option);
      if (text.length < WORTH_SHARING || times.get(text) === 1) continue;
      let name = names.get(text) ?? key;
      for (let i = 2; !names.has(text) && (families.has(name) || shared.has(name)); i++) name = `${key}${i}`;
      names.set(text, name);
      shared.set(name, option);
      properties[key] = referTo(name);
    }
  }
  return shared;
}

/**
 * The schema for editors: for completion and hover only. It lets everything pass, because the extension itself
 * says what is wrong, in better words; with a strict one every problem would be shown twice.
 */
export function editorSchema(): EditorSchema {
  const lenient = new Lenient();
  const spec = lenient.of(jsonSchema());
  const shared = share(lenient.families);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...spec,
    definitions: Object.fromEntries([...lenient.families, ...shared]),
    allowComments: true,
    allowTrailingCommas: true,
  };
}

const WIDTH = 160;

/** JSON with one line for what fits on it. */
function laidOut(value: unknown, indent = ''): string {
  const line = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || indent.length + line.length <= WIDTH) return line;
  const inner = `${indent} `;
  const [open, close, lines] = Array.isArray(value)
    ? ['[', ']', value.map((entry) => laidOut(entry, inner))]
    : ['{', '}', Object.entries(value).filter(([, entry]) => entry !== undefined).map(([key, entry]) => `${JSON.stringify(key)}: ${laidOut(entry, inner)}`)];
  return `${open}\n${lines.map((each) => inner + each).join(',\n')}\n${indent}${close}`;
}

/** What media/nabla.schema.json holds. */
export const schemaText = (): string => `${laidOut(editorSchema())}\n`;
