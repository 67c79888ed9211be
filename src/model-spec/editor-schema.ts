// The JSON schema for editors, media/nabla.schema.json: for completion and hovers only.
import { type JsonSchema, getJsonSchema } from './json-schema';

type JsonType = NonNullable<JsonSchema['type']>;

/** A schema for editors. */
export type EditorSchema = Omit<JsonSchema, 'type' | 'anyOf' | 'items' | 'properties'> & {
  type?: string | string[];
  anyOf?: EditorSchema[];
  items?: EditorSchema;
  properties?: Record<string, EditorSchema>;
  $ref?: string;
  definitions?: Record<string, EditorSchema>;
  markdownDescription?: string;
  /** VS Code extensions of JSON schema. */
  allowComments?: boolean;
  allowTrailingCommas?: boolean;
};

// Without "boolean" and "null": editors offer true, false and null wherever they are listed.
const OTHER_TYPES: readonly JsonType[] = ['number', 'string', 'object', 'array'];

/** Accepts any type, with the expected one first. */
const withOtherTypes = (type: JsonType): string[] => [type, ...OTHER_TYPES.filter((otherType) => otherType !== type)];

/** The text of a hover: description and default, which hovers omit otherwise. */
function hoverText({
  title,
  description,
  default: value,
  defaultSnippets,
  enumDescriptions,
}: JsonSchema): EditorSchema {
  const text = [description, value !== undefined && `Default: ${JSON.stringify(value)}.`].filter(Boolean).join(' ');
  return {
    ...(title !== undefined && { title }),
    ...(text && { description: text }),
    // Hovers show the backticks of plain descriptions.
    ...(text.includes('`') && { markdownDescription: text }),
    ...(value !== undefined && { default: value }),
    ...(defaultSnippets && { defaultSnippets }),
    ...(enumDescriptions && { enumDescriptions }),
  };
}

type Definitions = Map<string, EditorSchema>;

const referenceTo = (name: string): EditorSchema => ({ $ref: `#/definitions/${name}` });

/** Converts a schema to one that accepts everything. */
class LenientSchemaBuilder {
  /** The alternatives of each family of components, by its name. */
  readonly families: Definitions = new Map();

  convert(schema: JsonSchema): EditorSchema {
    const { type, anyOf, items, properties, enum: names } = schema;
    if (anyOf)
      return {
        ...hoverText(schema),
        ...(schema.title === undefined ? this.#convertAlternatives(anyOf) : this.#defineFamily(schema.title, anyOf)),
      };
    if (names) {
      const { enumDescriptions, ...described } = schema;
      const choice = { ...(type && { type }), enum: names, ...(enumDescriptions && { enumDescriptions }) };
      return { ...hoverText(described), ...this.#convertAlternatives([choice]) };
    }
    return {
      ...(type && { type: withOtherTypes(type) }),
      ...hoverText(schema),
      ...(items && { items: this.convert(items) }),
      ...(properties && { properties: this.#convertProperties(properties) }),
    };
  }

  #convertAlternatives(alternatives: readonly JsonSchema[]): EditorSchema {
    return { anyOf: [...alternatives.map((each) => this.#convertAlternative(each)), {}] };
  }

  /** Defines a family once, before its alternatives: a block of layers refers to its own family. */
  #defineFamily(name: string, alternatives: readonly JsonSchema[]): EditorSchema {
    if (!this.families.has(name)) {
      this.families.set(name, {});
      this.families.set(name, this.#convertAlternatives(alternatives));
    }
    return referenceTo(name);
  }

  #convertProperties(properties: Readonly<Record<string, JsonSchema>>): Record<string, EditorSchema> {
    return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, this.convert(value)]));
  }

  /** An alternative, strict in its type and name, by which an editor selects it. */
  #convertAlternative(schema: JsonSchema): EditorSchema {
    const { properties, enum: names, const: constant } = schema;
    const type = schema.type && { type: schema.type };
    if (names || constant !== undefined)
      return { ...type, ...(names ? { enum: names } : { const: constant }), ...hoverText(schema) };
    if (!properties) return { ...this.convert(schema), ...type };
    const { type: typeSchema, ...options } = properties;
    return {
      ...type,
      ...hoverText(schema),
      properties: {
        ...(typeSchema && { type: this.#convertAlternative(typeSchema) }),
        ...this.#convertProperties(options),
      },
    };
  }
}

/** Shorter options are repeated instead of referenced. */
const MIN_SHARED_LENGTH = 100;

/** Moves options that several components share, such as a layer's `name`, into definitions. Changes its argument. */
function extractSharedOptions(families: Definitions): Definitions {
  const options = [...families.values()].flatMap(({ anyOf = [] }) => anyOf.map(({ properties = {} }) => properties));
  const occurrences = new Map<string, number>();
  const serializedOptions = options.flatMap((properties) =>
    Object.values(properties).map((option) => JSON.stringify(option)),
  );
  for (const text of serializedOptions) occurrences.set(text, (occurrences.get(text) ?? 0) + 1);
  const shared: Definitions = new Map();
  const names = new Map<string, string>();
  for (const properties of options) {
    for (const [key, option] of Object.entries(properties)) {
      const text = JSON.stringify(option);
      if (text.length < MIN_SHARED_LENGTH || occurrences.get(text) === 1) continue;
      let name = names.get(text) ?? key;
      for (let i = 2; !names.has(text) && (families.has(name) || shared.has(name)); i++) name = `${key}${i}`;
      names.set(text, name);
      shared.set(name, option);
      properties[key] = referenceTo(name);
    }
  }
  return shared;
}

/**
 * The schema for editors. It accepts everything, because the extension reports problems itself, with better messages.
 * With a strict schema, every problem would appear twice.
 */
export function createEditorSchema(of: JsonSchema = getJsonSchema()): EditorSchema {
  const builder = new LenientSchemaBuilder();
  const spec = builder.convert(of);
  const shared = extractSharedOptions(builder.families);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...spec,
    definitions: Object.fromEntries([...builder.families, ...shared]),
    allowComments: true,
    allowTrailingCommas: true,
  };
}

const PRINT_WIDTH = 160;

/** JSON with every value on one line if it fits. */
function formatJson(value: unknown, indent = ''): string {
  const line = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || indent.length + line.length <= PRINT_WIDTH) return line;
  const inner = `${indent} `;
  const [open, close, lines] = Array.isArray(value)
    ? ['[', ']', value.map((entry) => formatJson(entry, inner))]
    : [
        '{',
        '}',
        Object.entries(value)
          .filter(([, entry]) => entry !== undefined)
          .map(([key, entry]) => `${JSON.stringify(key)}: ${formatJson(entry, inner)}`),
      ];
  return `${open}\n${lines.map((each) => inner + each).join(',\n')}\n${indent}${close}`;
}

export const editorSchemaToText = (schema: EditorSchema): string => `${formatJson(schema)}\n`;

/** The content of media/nabla.schema.json. */
export const editorSchemaText = (): string => editorSchemaToText(createEditorSchema());
