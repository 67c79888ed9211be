// Turns what the schema found into sentences for people, each at its exact range. What was expected is read
// from the schema itself, so that a message cannot disagree with the rule.
import { counted } from '../engine/counted';
import type * as z from 'zod/mini';
import { accepts, alternative, type JsonSchema, jsonSchema, ownProperty, schemaAt } from './json-schema';
import { meant, suggestion } from './names';
import type { Problem } from './problem';
import { type Path, problem, quote, type Source } from './source';

type Issue = z.core.$ZodIssue;

/** More problems than this help nobody. */
const MAX_PROBLEMS = 100;

/** The issues at the bottom of unions, from the alternative that the value was meant for. */
function leaves(issue: Issue, value: unknown, above: Path): (Issue & { path: Path })[] {
  const path = [...above, ...(issue.path as Path)];
  const here = { ...issue, path } as Issue & { path: Path };
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [here];
  const meantFor = issue.errors.filter((branch) => !branch.some((inner) => isOtherType(inner, valueAt(value, path))));
  const branch = meantFor[0];
  if (!branch || branch.some((inner) => inner.path.length === 0 && inner.code === 'invalid_value')) return [here];
  return branch.flatMap((inner) => leaves(inner as Issue, value, path));
}

/** What is read of an issue about a value's type. */
interface RootIssue {
  readonly path: PropertyKey[];
  readonly code: string;
  readonly expected?: string;
  readonly values?: readonly unknown[];
}

/** Whether an issue says that the whole value is of another type, so that its alternative was not meant. */
function isOtherType(issue: z.core.$ZodIssueBase, value: unknown): boolean {
  const { path, code, expected: type, values = [] } = issue as RootIssue;
  if (path.length > 0) return false;
  if (code === 'invalid_type') return !(typeof value === 'number' && (type === 'int' || type === 'number'));
  return code === 'invalid_value' && !values.some((known) => typeof known === typeof value);
}

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, key) => ownProperty(inner, key), value);

function expectedNumber({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const what = type === 'integer' ? 'a whole number' : 'a number';
  const to = maximum !== undefined ? `to ${maximum}` : exclusiveMaximum !== undefined ? `to below ${exclusiveMaximum}` : '';
  if (exclusiveMinimum !== undefined) {
    return `${what} above ${exclusiveMinimum}${maximum === undefined ? '' : ` and at most ${maximum}`}`;
  }
  if (minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER) {
    return to ? `${what} from ${minimum} ${to}` : `${what} of ${minimum} or more`;
  }
  return to ? `${what} up ${to}` : what;
}

/** What a value must be, in words. */
export function expected(schema: JsonSchema): string {
  if (schema.anyOf) {
    if (schema.anyOf.some(({ properties }) => properties?.type)) {
      const family = schema.title ?? 'unit';
      return `the name of ${/^[aeio]/.test(family) ? 'an' : 'a'} ${family}, or an object { "type": … }`;
    }
    return schema.anyOf.map(expected).join(', or ');
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((name) => JSON.stringify(name)).join(' or ');
  switch (schema.type) {
    case 'integer':
    case 'number':
      return expectedNumber(schema);
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'a text in double quotes';
    case 'array': {
      const item = schema.items?.type;
      if (item === 'array') return 'a list of rows of numbers';
      if (item === 'string') return 'a list of texts';
      return item === 'number' || item === 'integer' ? 'a list of numbers' : 'a list [ … ]';
    }
    case 'object':
    case undefined:
      return 'an object { … }';
  }
}

/** What the value at `path` is called: `"lr"`, `Layer 2`, `Entry 3 of "inputs"`. */
function subject(path: Path): string {
  const keys = [...path];
  const indexes: number[] = [];
  while (typeof keys[keys.length - 1] === 'number') indexes.unshift(keys.pop() as number);
  const key = keys[keys.length - 1];
  if (key === undefined) return 'The spec';
  if (indexes.length === 0) return `"${key}"`;
  if (indexes.length === 1 && key === 'layers') return path.length === 2 ? `Layer ${indexes[0] + 1}` : `Layer ${indexes[0] + 1} of the block`;
  const last = indexes[indexes.length - 1] + 1;
  return indexes.length === 1 ? `Entry ${last} of "${key}"` : `Entry ${last} of row ${indexes[0] + 1} of "${key}"`;
}

class Explainer {
  readonly #schema = jsonSchema();

  constructor(readonly source: Source) {}

  explain(issue: Issue & { path: Path }): Problem[] {
    const { path } = issue;
    const value = valueAt(this.source.value, path);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => this.#unknownKey([...path, key], key));
    if (issue.code === 'custom') {
      const { code = 'invalid', remedy = 'Correct it.' } = (issue.params ?? {}) as { code?: string; remedy?: string };
      const range = code.startsWith('missing') ? this.source.locateOpening(path) : this.source.locate(path);
      return [problem(code, range, issue.message, remedy)];
    }
    if (value === undefined && path.length > 0) return [this.#missing(path)];
    const schema = schemaAt(this.#schema, this.source.value, path);
    if (schema && isQuotedNumber(value) && wantsNumber(schema)) {
      const message = `${subject(path)} cannot be ${quote(value)}.`;
      return [problem('wrong-type', this.source.locate(path), message, `Write ${value.trim()} without quotes.`)];
    }
    if (issue.code === 'invalid_union' && issue.discriminator !== undefined) {
      return [this.#unknownName(path, value, schemaAt(this.#schema, this.source.value, path.slice(0, -1)))];
    }
    if (schema && typeof value === 'string' && names(schema).length > 0) return [this.#unknownName(path, value, schema)];
    return [this.#wrongValue(path, value, schema ?? {}, issue)];
  }

  #unknownKey(path: Path, key: string): Problem {
    const parent = path.slice(0, -1);
    const owner = schemaAt(this.#schema, this.source.value, parent);
    const { properties = {}, title } = owner ? alternative(owner, valueAt(this.source.value, parent)) : {};
    const known = Object.keys(properties).filter((name) => name !== '$schema' && name !== 'type');
    const where = parent.length === 0 ? 'a spec' : (title ?? subject(parent));
    const message = `${quote(key)} is not an option of ${where}.`;
    return problem('unknown-key', this.source.locateKey(path), message, this.#placeFor(key, parent, known));
  }

  /** Where an option that is not known here may belong. */
  #placeFor(key: string, parent: Path, known: readonly string[]): string {
    if (key === 'activation' && parent[0] === 'layers') return 'Write the activation as a layer of its own, after this one.';
    if (known.length === 0) return 'Remove it: there are no options here.';
    const near = meant(key, known);
    if (near) return `Did you mean "${near}"?`;
    const elsewhere = Object.entries(this.#schema.properties ?? {}).find(
      ([top, schema]) => top !== parent[0] && meant(key, optionsWithin(schema)) !== undefined,
    );
    if (elsewhere) return `"${meant(key, optionsWithin(elsewhere[1]))}" belongs into "${elsewhere[0]}".`;
    const top = parent.length > 0 && meant(key, Object.keys(this.#schema.properties ?? {}));
    return top ? `"${top}" belongs beside "${parent[0]}", not into it.` : `Known here: ${known.join(', ')}.`;
  }

  #missing(path: Path): Problem {
    const parent = path.slice(0, -1);
    const key = path[path.length - 1];
    const schema = schemaAt(this.#schema, this.source.value, path);
    const owner = schemaAt(this.#schema, this.source.value, parent);
    const remedy =
      key === 'type' && owner
        ? `Add "type": one of ${names(owner).join(', ')}.`
        : `Add "${key}". ${schema?.description ?? ''}`.trimEnd();
    return problem('missing-key', this.source.locateOpening(parent), `"${key}" is missing.`, remedy);
  }

  /** `schema` is that of the whole unit. */
  #unknownName(path: Path, value: unknown, schema: JsonSchema | undefined): Problem {
    const known = schema ? names(schema) : [];
    const range = this.source.locate(path);
    const family = schema?.title;
    if (typeof value !== 'string') {
      const message = `"type" cannot be ${this.#shown(path, value)}.`;
      return problem('wrong-type', range, message, `Write one of ${known.join(', ')}.`);
    }
    if (family && known.includes(value)) {
      const options = schema?.anyOf?.find(({ properties }) => properties?.type?.const === value);
      const needed = options?.required?.filter((key) => key !== 'type') ?? [];
      const keys = needed.length > 0 ? needed : Object.keys(options?.properties ?? {}).slice(0, 1);
      const form = keys.map((key) => `, "${key}": …`).join('');
      const remedy = `Write it as { "type": "${value}"${form} }.`;
      return problem('missing-option', range, `The ${family} "${value}" needs options.`, remedy);
    }
    if (!family) {
      return problem('unknown-value', range, `${subject(path)} cannot be ${quote(value)}.`, suggestion(value, known));
    }
    return problem(`unknown-${family}`, range, `There is no ${family} ${quote(value)}.`, suggestion(value, known));
  }

  #wrongValue(path: Path, value: unknown, schema: JsonSchema, issue: Issue): Problem {
    const range = this.source.locate(path);
    const name = subject(path);
    const rule = alternative(schema, value);
    if (accepts(rule, value) && (issue.code === 'too_small' || issue.code === 'too_big') && typeof value !== 'number') {
      const limit = issue.code === 'too_small' ? issue.minimum : issue.maximum;
      const size = Array.isArray(value) ? counted(value.length, 'entry', 'entries') : counted(String(value).length, 'character');
      const message = size.startsWith('0 ') ? `${name} is empty.` : `${name} has ${size}.`;
      const remedy = `Give at ${issue.code === 'too_small' ? 'least' : 'most'} ${limit}.`;
      return problem('out-of-range', range, message, remedy);
    }
    const code = typeof value === 'number' && accepts(rule, value) ? 'out-of-range' : 'wrong-type';
    const message = `${name} cannot be ${this.#shown(path, value)}.`;
    const or = schema.default === undefined ? '' : `, or leave it out for ${JSON.stringify(schema.default)}`;
    return problem(code, range, message, `Write ${expected(schema)}${or}.`);
  }

  /** A value as it stands in the text; lists and objects by what they are. */
  #shown(path: Path, value: unknown): string {
    if (Array.isArray(value)) return 'a list';
    if (typeof value === 'string') return quote(value);
    if (typeof value === 'object' && value !== null) return 'an object';
    const { start, end } = this.source.locate(path);
    const text = this.source.text.slice(start, end);
    const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    const infinite = typeof value === 'number' && !Number.isFinite(value);
    return infinite ? `${short}, which is larger than any number a computer holds` : short;
  }
}

const isQuotedNumber = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));

const wantsNumber = (schema: JsonSchema): boolean => [schema, ...(schema.anyOf ?? [])].some((branch) => accepts(branch, 0));

const optionsOf = ({ anyOf = [], properties = {} }: JsonSchema): string[] => [properties, ...anyOf.map((branch) => branch.properties ?? {})].flatMap(Object.keys);

/** The options of every unit that may stand here, or in the list that may. */
const optionsWithin = (schema: JsonSchema): string[] => [...optionsOf(schema), ...(schema.items ? optionsOf(schema.items) : [])];

/** The names that a value may take: the kinds of a family, or the texts of a choice. */
function names(schema: JsonSchema): string[] {
  const kinds = schema.anyOf?.flatMap(({ properties }) => properties?.type?.const ?? []) ?? [];
  if (kinds.length > 0) return kinds as string[];
  const own = [schema, ...(schema.anyOf ?? [])].flatMap((branch) => branch.enum ?? branch.const ?? []);
  return own.filter((name) => typeof name === 'string');
}

/** Problems for the issues of one parse. */
export function explain(source: Source, issues: readonly Issue[]): Problem[] {
  const explainer = new Explainer(source);
  const found = issues.flatMap((issue) => leaves(issue, source.value, []));
  return found.slice(0, MAX_PROBLEMS).flatMap((issue) => explainer.explain(issue)).slice(0, MAX_PROBLEMS);
}
