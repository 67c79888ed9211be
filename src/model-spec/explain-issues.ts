// Turns the schema's issues into problems for people, each at its exact range. What was expected is read from the
// schema itself, so that a message cannot contradict the rule.
import { pluralize } from '../engine/format-count';
import type * as z from 'zod/mini';
import {
  acceptsType,
  selectAlternative,
  type JsonSchema,
  getJsonSchema,
  getOwnProperty,
  schemaAt,
} from './json-schema';
import {
  didYouMean,
  isCustomLayerName,
  isCustomLossName,
  type KnownName,
  listKnownNames,
  suggestCustomLayer,
  suggestCustomLoss,
  suggestCustomPenalty,
  suggestName,
} from './name-suggestions';
import type { Problem, QuickFix } from '../protocol/problem';
import { MAX_PROBLEMS } from './schema';
import { type Path, createProblem, quote, type Range, type Source } from './spec-source';

type Issue = z.core.$ZodIssue;

/** An issue about one value or one key. */
type LeafIssue = { readonly path: Path } & (Issue | { readonly code: 'unknown_key'; readonly key: string });

/** The issues at the leaves of unions, from the alternative that the value was meant for; one for each unknown key. */
function flattenIssue(issue: Issue, value: unknown, parentPath: Path): LeafIssue[] {
  const path = [...parentPath, ...(issue.path as Path)];
  const located = { ...issue, path } as Issue & { readonly path: Path };
  if (issue.code === 'unrecognized_keys')
    return issue.keys
      .slice(0, MAX_PROBLEMS)
      .map((key) => ({ ...located, path: [...path, key], code: 'unknown_key', key }));
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [located];
  const matchingBranches = issue.errors.filter(
    (branch) => !branch.some((inner) => isTypeMismatch(inner, valueAt(value, path))),
  );
  const branch = matchingBranches[0];
  if (!branch || branch.some((inner) => inner.path.length === 0 && inner.code === 'invalid_value')) return [located];
  return branch.flatMap((inner) => flattenIssue(inner, value, path));
}

/** The fields of an issue about a value's type. */
interface TypeIssue {
  readonly path: PropertyKey[];
  readonly code: string;
  readonly expected?: string;
  readonly values?: readonly unknown[];
}

/** Whether an issue rejects the type of the whole value; then this alternative was not meant. */
function isTypeMismatch(issue: z.core.$ZodIssueBase, value: unknown): boolean {
  const { path, code, expected: type, values = [] } = issue as TypeIssue;
  if (path.length > 0) return false;
  if (code === 'invalid_type') return !(typeof value === 'number' && (type === 'int' || type === 'number'));
  return code === 'invalid_value' && !values.some((known) => typeof known === typeof value);
}

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, key) => getOwnProperty(inner, key), value);

function describeExpectedNumber({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const noun = type === 'integer' ? 'a whole number' : 'a number';
  const upperBound =
    maximum !== undefined ? `to ${maximum}` : exclusiveMaximum !== undefined ? `to below ${exclusiveMaximum}` : '';
  if (exclusiveMinimum !== undefined) {
    return `${noun} above ${exclusiveMinimum}${maximum === undefined ? '' : ` and at most ${maximum}`}`;
  }
  if (minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER) {
    return upperBound ? `${noun} from ${minimum} ${upperBound}` : `${noun} of ${minimum} or more`;
  }
  return upperBound ? `${noun} up ${upperBound}` : noun;
}

/** What a value must be, for a sentence that begins with "Write". */
export function describeExpected(schema: JsonSchema): string {
  if (schema.anyOf) {
    if (schema.anyOf.some(({ properties }) => properties?.type)) {
      const family = schema.title ?? 'unit';
      return `the name of ${/^[aeio]/.test(family) ? 'an' : 'a'} ${family}, or an object { "type": … }`;
    }
    return schema.anyOf.map(describeExpected).join(', or ');
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((name) => JSON.stringify(name)).join(' or ');
  switch (schema.type) {
    case 'integer':
    case 'number':
      return describeExpectedNumber(schema);
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'a text in double quotes';
    case 'array': {
      const item = schema.items?.type;
      if (item === 'array')
        return ['number', 'integer'].includes(schema.items?.items?.type ?? '')
          ? 'a list of rows of numbers'
          : 'a list of lists';
      if (item === 'string') return 'a list of texts';
      return item === 'number' || item === 'integer' ? 'a list of numbers' : 'a list [ … ]';
    }
    case 'object':
    case undefined:
    default: // TypeScript does not count an absent property as undefined here.
      return 'an object { … }';
  }
}

/** The name of the value at `path`: `"lr"`, `Layer 2`, `Entry 3 of "inputs"`. */
function describePath(path: Path): string {
  const keys = [...path];
  const indexes: number[] = [];
  while (typeof keys[keys.length - 1] === 'number') indexes.unshift(keys.pop() as number);
  const key = keys[keys.length - 1];
  if (key === undefined) return 'The spec';
  if (indexes.length === 0) return `"${key}"`;
  if (indexes.length === 1 && key === 'stops') return `Stop ${indexes[0]! + 1}`;
  if (indexes.length === 1 && key === 'layers')
    return path.length === 2 ? `Layer ${indexes[0]! + 1}` : `Layer ${indexes[0]! + 1} of the block`;
  const last = indexes.at(-1)! + 1;
  return indexes.length === 1 ? `Entry ${last} of "${key}"` : `Entry ${last} of row ${indexes[0]! + 1} of "${key}"`;
}

/** A problem and the value or key that it is about. */
export interface ExplainedIssue {
  readonly problem: Problem;
  readonly path: Path;
  /** Whether the key is at fault, not its value. */
  readonly isKey: boolean;
  /** The name that was most likely meant in its place. */
  readonly suggestion: string | undefined;
}

type Explanation = Omit<ExplainedIssue, 'path' | 'isKey'>;

/** @param suggestion a name, if the problem is that another name is written there */
function explanation(code: string, range: Range, message: string, remedy: string, suggestion?: string): Explanation {
  return { problem: createProblem(code, range, message, remedy, suggestion), suggestion };
}

/** Where an option belongs, as a sentence and, if nothing is there yet, as an edit. */
interface Placement {
  readonly remedy: string;
  readonly fix?: QuickFix;
}

/** Names of Keras for no activation. */
const IDENTITIES: ReadonlySet<string> = new Set(['linear', 'identity', 'none', 'None']);

/** What issues are about: by default, a spec. */
interface FileKind {
  readonly schema: JsonSchema;
  readonly noun: string;
}

class IssueExplainer {
  readonly #schema: JsonSchema;

  constructor(
    readonly source: Source,
    readonly kind: FileKind,
  ) {
    this.#schema = kind.schema;
  }

  explain(issue: LeafIssue): Explanation {
    const { path } = issue;
    const value = valueAt(this.source.value, path);
    if (issue.code === 'unknown_key') return this.#unknownKey(path, issue.key);
    if (issue.code === 'invalid_key') return this.#invalidName(path, issue.issues[0]!);
    if (issue.code === 'custom') {
      const { code = 'invalid', remedy = 'Correct it.' } = (issue.params ?? {}) as { code?: string; remedy?: string };
      const range = code.startsWith('missing') ? this.source.locateOpeningBracket(path) : this.source.locate(path);
      return explanation(code, range, issue.message, remedy);
    }
    if (value === undefined && path.length > 0) return this.#missing(path);
    const schema = schemaAt(this.#schema, this.source.value, path);
    if (schema && isQuotedNumber(value) && acceptsNumber(schema)) {
      const message = `${describePath(path)} cannot be ${quote(value)}.`;
      const number = value.trim();
      const problem = createProblem('wrong-type', this.source.locate(path), message, `Write ${number} without quotes.`);
      return { problem: { ...problem, replacement: number }, suggestion: undefined };
    }
    if (issue.code === 'invalid_union' && issue.discriminator !== undefined) {
      return this.#unknownName(path, value, schemaAt(this.#schema, this.source.value, path.slice(0, -1)));
    }
    if (schema && typeof value === 'string' && allowedNames(schema).length > 0)
      return this.#unknownName(path, value, schema);
    return this.#wrongValue(path, value, schema ?? {}, issue);
  }

  /** A name that is chosen freely, but not so. */
  #invalidName(path: Path, issue: Issue): Explanation {
    const range = this.source.locateKey(path);
    if (issue.code === 'custom') {
      const { code = 'invalid', remedy = 'Correct it.' } = (issue.params ?? {}) as { code?: string; remedy?: string };
      return explanation(code, range, issue.message, remedy);
    }
    const { length } = String(path.at(-1));
    const message = length === 0 ? 'The name is empty.' : `The name has ${pluralize(length, 'character')}.`;
    const remedy =
      issue.code === 'too_big' ? `Write at most ${issue.maximum}.` : 'Write a name of at least one character.';
    return explanation('out-of-range', range, message, remedy);
  }

  #unknownKey(path: Path, key: string): Explanation {
    const parent = path.slice(0, -1);
    const owner = schemaAt(this.#schema, this.source.value, parent);
    const alternative = owner ? selectAlternative(owner, valueAt(this.source.value, parent)) : {};
    const known = optionNames(alternative).filter(({ name }) => name !== '$schema' && name !== 'type');
    const where = parent.length === 0 ? `a ${this.kind.noun}` : (alternative.title ?? describePath(parent));
    const message = `${quote(key)} is not an option of ${where}.`;
    const suggestion = suggestName(key, known);
    const { remedy, fix }: Placement = suggestion
      ? { remedy: `Did you mean "${suggestion}"?` }
      : this.#suggestPlacement(key, path, known);
    const explained = explanation('unknown-key', this.source.locateKey(path), message, remedy, suggestion);
    return fix ? { ...explained, problem: { ...explained.problem, fix } } : explained;
  }

  /** Where an option that is unknown here belongs. */
  #suggestPlacement(key: string, path: Path, known: readonly KnownName[]): Placement {
    const parent = path.slice(0, -1);
    if (key === 'activation' && parent[0] === 'layers') return this.#placeActivation(path);
    if (known.length === 0) return { remedy: 'Remove it: there are no options here.' };
    const topLevel = this.#schema.properties ?? {};
    if (parent.length > 0 && Object.hasOwn(topLevel, key)) return this.#moveToTopLevel(key, key, path);
    for (const [top, schema] of Object.entries(topLevel)) {
      const name = top === parent[0] ? undefined : suggestName(key, nestedOptionNames(schema));
      if (name === undefined) continue;
      return { remedy: `${moveOption(key, name)} into "${top}".`, ...this.#moveInto(path, schema, top, name) };
    }
    if (parent.join() === 'penalty') return { remedy: suggestCustomPenalty(key) };
    const name = parent.length > 0 ? suggestName(key, optionNames(this.#schema)) : undefined;
    if (name !== undefined) return this.#moveToTopLevel(key, name, path);
    return { remedy: `Known options: ${known.map(({ name: option }) => option).join(', ')}.` };
  }

  #moveToTopLevel(key: string, name: string, path: Path): Placement {
    const remedy = `${moveOption(key, name)} to the top level, next to "${path[0]}".`;
    const changes = [{ path }, { path: [name], value: valueAt(this.source.value, path) }];
    return this.source.has([name]) ? { remedy } : { remedy, fix: { title: `Move "${key}" to the top level`, changes } };
  }

  /** @param top a key at the top level, with its schema. @param name of the option in it */
  #moveInto(path: Path, schema: JsonSchema, top: string, name: string): { readonly fix?: QuickFix } {
    const value = valueAt(this.source.value, path);
    const owner = getOwnProperty(this.source.value, top) ?? schema.default;
    if (schema.items || Array.isArray(owner) || this.source.has([top, name])) return {};
    const isObject = typeof owner === 'object' && owner !== null && this.source.has([top]);
    const type: unknown = typeof owner === 'string' ? owner : getOwnProperty(owner, 'type');
    const component = selectAlternative(schema, isObject ? owner : { type });
    if (!optionNames(component).some((option) => option.name === name)) return {};
    const added = isObject
      ? { path: [top, name], value }
      : { path: [top], value: { ...(typeof type === 'string' && { type }), [name]: value } };
    return {
      fix: { title: `Move ${moveTarget(String(path.at(-1)), name)} into "${top}"`, changes: [{ path }, added] },
    };
  }

  /** An activation is an option of the layer in Keras, and a layer of its own here. */
  #placeActivation(path: Path): Placement {
    const value = valueAt(this.source.value, path);
    const layerPath = path.slice(0, -1);
    const [list, index] = [layerPath.slice(0, -1), Number(layerPath.at(-1))];
    if (value === null || IDENTITIES.has(value as string))
      return {
        remedy: 'Remove it: without an activation layer behind it, the output stays as it is.',
        fix: { title: 'Remove "activation"', changes: [{ path }] },
      };
    const layers = allowedNames(this.#schema.properties?.layers?.items ?? {});
    const layer = typeof value === 'string' ? suggestName(value, layers) : undefined;
    const remedy = `Remove it and add ${layer ? `"${layer}"` : 'the activation'} as the next layer.`;
    if (layer === undefined) return { remedy };
    const changes = [{ path }, { path: [...list, index + 1], value: layer, insert: true } as const];
    return { remedy, fix: { title: `Add "${layer}" as the next layer`, changes } };
  }

  #missing(path: Path): Explanation {
    const parent = path.slice(0, -1);
    const key = path[path.length - 1];
    const schema = schemaAt(this.#schema, this.source.value, path);
    const owner = schemaAt(this.#schema, this.source.value, parent);
    const remedy =
      key === 'type' && owner
        ? `Add "type": one of ${listNames(allowedNames(owner))}.`
        : `Add "${key}". ${schema?.description ?? ''}`.trimEnd();
    return explanation('missing-key', this.source.locateOpeningBracket(parent), `"${key}" is missing.`, remedy);
  }

  /** @param schema of the whole component, or of a choice between names */
  #unknownName(path: Path, value: unknown, schema: JsonSchema | undefined): Explanation {
    const known = schema ? allowedNames(schema) : [];
    const range = this.source.locate(path);
    const family = schema?.title;
    if (typeof value !== 'string') {
      const message = `"type" cannot be ${this.#describeValue(path, value)}.`;
      return explanation('wrong-type', range, message, `Write one of ${listNames(known)}.`);
    }
    if (family && known.some(({ name }) => name === value)) {
      const options = schema?.anyOf?.find(({ properties }) => properties?.type?.const === value);
      const needed = options?.required?.filter((key) => key !== 'type') ?? [];
      const keys = needed.length > 0 ? needed : Object.keys(options?.properties ?? {}).slice(0, 1);
      const form = keys.map((key) => `, "${key}": …`).join('');
      const remedy = `Write it as { "type": "${value}"${form} }.`;
      return explanation('missing-option', range, `The ${family} "${value}" needs options.`, remedy);
    }
    const [code, message] = family
      ? [`unknown-${family}`, `There is no ${family} ${quote(value)}.`]
      : ['unknown-value', `${describePath(path)} cannot be ${quote(value)}.`];
    if (family === 'layer' && isCustomLayerName(value, known))
      return explanation(code, range, message, `${suggestCustomLayer(value)} ${listKnownNames(known)}`);
    if (family === 'loss' && isCustomLossName(value, known))
      return explanation(code, range, message, `${suggestCustomLoss(value)} ${listKnownNames(known)}`);
    return explanation(code, range, message, didYouMean(value, known), suggestName(value, known));
  }

  #wrongValue(path: Path, value: unknown, schema: JsonSchema, issue: Issue): Explanation {
    const range = this.source.locate(path);
    const name = describePath(path);
    if (path.join() === 'penalty' && typeof value === 'string')
      return explanation('wrong-type', range, `"penalty" cannot be ${quote(value)}.`, suggestCustomPenalty(value));
    const rule = selectAlternative(schema, value);
    if (
      acceptsType(rule, value) &&
      (issue.code === 'too_small' || issue.code === 'too_big') &&
      typeof value !== 'number'
    ) {
      const limit = issue.code === 'too_small' ? issue.minimum : issue.maximum;
      const size = Array.isArray(value)
        ? pluralize(value.length, 'entry', 'entries')
        : pluralize(String(value).length, 'character');
      const message = size.startsWith('0 ') ? `${name} is empty.` : `${name} has ${size}.`;
      const remedy = `Write at ${issue.code === 'too_small' ? 'least' : 'most'} ${limit}.`;
      return explanation('out-of-range', range, message, remedy);
    }
    const code = typeof value === 'number' && acceptsType(rule, value) ? 'out-of-range' : 'wrong-type';
    const message = `${name} cannot be ${this.#describeValue(path, value)}.`;
    const or = schema.default === undefined ? '' : `, or omit it to use ${JSON.stringify(schema.default)}`;
    return explanation(code, range, message, `Write ${describeExpected(schema)}${or}.`);
  }

  /** A value as written in the text; for lists and objects, their type. */
  #describeValue(path: Path, value: unknown): string {
    if (Array.isArray(value)) return 'a list';
    if (typeof value === 'string') return quote(value);
    if (typeof value === 'object' && value !== null) return 'an object';
    const { start, end } = this.source.locate(path);
    const text = this.source.text.slice(start, end);
    const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    const overflows = typeof value === 'number' && !Number.isFinite(value);
    return overflows ? `${short}, which is too large for a float64` : short;
  }
}

const moveOption = (written: string, name: string): string =>
  written === name ? `Move "${name}"` : `Move it as "${name}"`;

const moveTarget = (written: string, name: string): string =>
  written === name ? `"${name}"` : `"${written}" as "${name}"`;

const isQuotedNumber = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));

const acceptsNumber = (schema: JsonSchema): boolean =>
  [schema, ...(schema.anyOf ?? [])].some((branch) => acceptsType(branch, 0));

/** The options of a component, or of every alternative of it. */
const optionNames = ({ anyOf = [], properties = {} }: JsonSchema): KnownName[] =>
  [properties, ...anyOf.map((branch) => branch.properties ?? {})].flatMap((options) =>
    Object.entries(options).map(([name, { aliases }]) => ({ name, aliases })),
  );

/** The options of every component that is allowed here, or in a list here. */
const nestedOptionNames = (schema: JsonSchema): KnownName[] => [
  ...optionNames(schema),
  ...(schema.items ? optionNames(schema.items) : []),
];

const listNames = (names: readonly KnownName[]): string => names.map(({ name }) => name).join(', ');

/** The names that a value may have: the kinds of a family, or the names of a choice. */
function allowedNames(schema: JsonSchema): KnownName[] {
  const branches = schema.anyOf ?? [];
  const kinds = branches.flatMap(({ properties, aliases }) => {
    const name = properties?.type?.const;
    return typeof name === 'string' ? { name, aliases } : [];
  });
  if (kinds.length > 0) return kinds;
  return [schema, ...branches].flatMap(({ enum: names, const: constant, valueAliases = {} }) =>
    (names ?? [constant]).flatMap((name) => (typeof name === 'string' ? { name, aliases: valueAliases[name] } : [])),
  );
}

/** The object that contains the key of a problem, or should contain it. */
const ownerOf = ({ path, isKey, problem: { code } }: ExplainedIssue): string =>
  JSON.stringify(isKey || code === 'missing-key' ? path.slice(0, -1) : path);

/** Omits problems with missing options if a misspelled one may be meant. */
function withoutConsequences(issues: readonly ExplainedIssue[]): ExplainedIssue[] {
  const misspelled = new Set(issues.filter(({ isKey, suggestion }) => isKey && suggestion !== undefined).map(ownerOf));
  return issues.filter((issue) => !issue.problem.code.startsWith('missing') || !misspelled.has(ownerOf(issue)));
}

/** Problems for the issues of one parse, at most MAX_PROBLEMS. */
export function explainIssues(
  source: Source,
  issues: readonly Issue[],
  kind: FileKind = { schema: getJsonSchema(), noun: 'spec' },
): ExplainedIssue[] {
  const explainer = new IssueExplainer(source, kind);
  const leafIssues = issues.flatMap((issue) => flattenIssue(issue, source.value, []));
  const explained = leafIssues.slice(0, MAX_PROBLEMS).map((issue) => ({
    ...explainer.explain(issue),
    path: issue.path,
    isKey: issue.code === 'unknown_key',
  }));
  return withoutConsequences(explained);
}
