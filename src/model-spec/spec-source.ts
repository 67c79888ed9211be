// A spec's text as a tree of values, each with its exact range. This module checks syntax; the schema checks meaning.
// Never throws for any text: depth is limited before anything recurses.
import { createScanner, type Node, type ParseError, parseTree } from 'jsonc-parser';
import type { Problem } from '../protocol/problem';

export interface Range {
  /** UTF-16 offsets into the text; start <= end. */
  readonly start: number;
  readonly end: number;
}

export type Path = readonly (string | number)[];

export interface Source {
  readonly text: string;
  /** Plain values. With a syntax error, those that could be read around it; undefined if there are none. */
  readonly value: unknown;
  /** Syntax errors, at most one, or keys that are given twice. */
  readonly problems: readonly Problem[];
  /** The parts that are not JSON; empty for valid syntax. */
  readonly syntaxErrors: readonly Range[];
  /** Range of the value at `path`, or of the nearest value around it. */
  locate(path: Path): Range;
  /** Range of the key at `path`, quotes included. */
  locateKey(path: Path): Range;
  /** The opening bracket of the object or list at `path`, or of the one around it. */
  locateOpeningBracket(path: Path): Range;
  has(path: Path): boolean;
  /** Line of an offset, from 1. */
  lineAt(offset: number): number;
}

const MAX_DEPTH = 64;
const MAX_DUPLICATE_KEYS = 100;

// Values of jsonc-parser's const enums, which isolated modules cannot read.
const OPEN_BRACE = 1;
const CLOSE_BRACE = 2;
const OPEN_BRACKET = 3;
const CLOSE_BRACKET = 4;
const END = 17;
const VALUE_EXPECTED = 4;
const END_OF_FILE_EXPECTED = 9;

const EXAMPLE_SPEC =
  '{ "data": "circles", "layers": [{ "type": "linear", "out_features": 2 }], "loss": "cross_entropy" }';

/** Messages for jsonc-parser's ParseErrorCode. */
const SYNTAX_MESSAGES: Readonly<Record<number, readonly [message: string, remedy: string]>> = {
  1: ['This word is not JSON.', 'Put keys and strings in double quotes. Only true, false, null and numbers need none.'],
  2: ['This is not a JSON number.', 'Write a number such as 3, -0.5 or 1e-3.'],
  3: ['Expected a key in double quotes.', 'Write "key": value, or remove this.'],
  4: ['Expected a value.', 'Write a value, or remove the comma or colon before it.'],
  5: ['A colon is missing after the key.', 'Write a colon between the key and its value.'],
  6: ['A comma is missing.', 'Write a comma between the two entries.'],
  7: ['A closing brace } is missing.', 'Close the object with }.'],
  8: ['A closing bracket ] is missing.', 'Close the list with ].'],
  9: ['There is text after the end of the spec.', 'Keep one object { … } and remove the rest.'],
  10: ['Comments are not allowed here.', 'Remove the comment.'],
  11: ['This comment is not closed.', 'Close it with */.'],
  12: ['This string is not closed.', 'Close it with a double quote on the same line.'],
  13: ['This number is incomplete.', 'Write digits after the point, the sign or the e.'],
  14: ['This \\u escape is incomplete.', 'Write four hexadecimal digits after \\u.'],
  15: ['JSON does not know this escape.', 'Write \\\\ for a backslash.'],
  16: ['This character is not allowed in a string.', 'Write tabs and line breaks as \\t and \\n.'],
};

/** @param suggestion the name that was most likely meant instead */
export const createProblem = (
  code: string,
  { start, end }: Range,
  message: string,
  remedy: string,
  suggestion?: string,
): Problem => ({
  code,
  severity: 'error',
  start,
  end,
  message,
  remedy,
  ...(suggestion !== undefined && { replacement: JSON.stringify(suggestion) }),
});

/** The first bracket that nests deeper than the limit. */
function findExcessiveNesting(text: string): Range | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (;;) {
    const token: number = scanner.scan();
    if (token === END) return undefined;
    if (token === OPEN_BRACE || token === OPEN_BRACKET) depth++;
    if (token === CLOSE_BRACE || token === CLOSE_BRACKET) depth--;
    if (depth > MAX_DEPTH) {
      const start = scanner.getTokenOffset();
      return { start, end: start + 1 };
    }
  }
}

/** The last character that is not white space, as the position of what is missing at the end. */
function lastCharacterRange(text: string): Range {
  const { length } = text.trimEnd();
  return { start: Math.max(0, length - 1), end: length };
}

const rangeOfError = (text: string, { offset, length }: ParseError): Range => ({
  start: offset,
  end: Math.min(text.length, offset + Math.max(1, length)),
});

function syntaxProblem(text: string, error: ParseError): Problem {
  const [message, remedy] = SYNTAX_MESSAGES[error.error] ?? SYNTAX_MESSAGES[VALUE_EXPECTED]!;
  return text.slice(error.offset).trim() === ''
    ? createProblem('syntax', lastCharacterRange(text), `The text ends too early. ${message}`, remedy)
    : createProblem('syntax', rangeOfError(text, error), message, remedy);
}

/** Plain values without prototypes: a key such as `__proto__` stays a key, and nothing is inherited. */
function toPlainValue(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(toPlainValue);
  if (node.type !== 'object') return node.value as unknown;
  const object = Object.create(null) as Record<string, unknown>;
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (key && value) object[key.value as string] = toPlainValue(value);
  }
  return object;
}

/** Adds a problem for every duplicate key of an object. */
function findDuplicateKeys(node: Node, found: Problem[] = []): Problem[] {
  const seen = new Set<string>();
  for (const child of node.children ?? []) {
    if (found.length >= MAX_DUPLICATE_KEYS) break;
    if (node.type !== 'object') {
      findDuplicateKeys(child, found);
      continue;
    }
    const [key, value] = child.children ?? [];
    if (!key) continue;
    const name = key.value as string;
    if (seen.has(name)) {
      const message = `${quote(name)} is given twice in the same object.`;
      found.push(createProblem('duplicate-key', rangeOf(key), message, 'Keep one of the two.'));
    }
    seen.add(name);
    if (value) findDuplicateKeys(value, found);
  }
  return found;
}

const rangeOf = ({ offset, length }: Node): Range => ({ start: offset, end: offset + length });

/** A key or a string as JSON, shortened. */
export const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** The last of several equal keys counts, as in JSON.parse. */
const findProperty = (node: Node, key: string | number): Node | undefined =>
  node.type === 'object' ? node.children?.findLast(({ children }) => children?.[0]?.value === key) : undefined;

/** The value of a key or the element of an index. */
export const findChild = (node: Node, key: string | number): Node | undefined =>
  node.type === 'array'
    ? typeof key === 'number'
      ? node.children?.[key]
      : undefined
    : findProperty(node, key)?.children?.[1];

/** Offsets at which lines begin. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (const { index, 0: end } of text.matchAll(/\r\n|\n|\r/g)) starts.push(index + end.length);
  return starts;
}

/**
 * The tree of a text with syntax errors, as far as it goes. A stray closing brace would end the spec too early, so it
 * is ignored and parsing continues. Offsets stay the same.
 */
function parsePastStrayBraces(text: string, options: { allowTrailingComma: boolean }): Node | undefined {
  let readable = text;
  for (let attempt = 0; ; attempt++) {
    const errors: ParseError[] = [];
    const root = parseTree(readable, errors, options);
    const endsEarly = errors.some(({ error }) => (error as number) === END_OF_FILE_EXPECTED);
    if (!root || root.type !== 'object' || !endsEarly || attempt === 3) return root;
    const brace = root.offset + root.length - 1;
    readable = `${readable.slice(0, brace)} ${readable.slice(brace + 1)}`;
  }
}

export function parseSource(original: string): Source {
  // A byte order mark is not part of the spec; a space in its place keeps every offset.
  const text = original.charCodeAt(0) === 0xfeff ? ` ${original.slice(1)}` : original;
  const options = { allowTrailingComma: true };
  const tooDeep = findExcessiveNesting(text);
  if (tooDeep) {
    const message = `Brackets are nested more than ${MAX_DEPTH} deep.`;
    const remedy = 'Remove the inner ones: a spec needs about five levels.';
    return createSource(text, undefined, [createProblem('too-deep', tooDeep, message, remedy)], [tooDeep]);
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, options);
  if (!root && errors.every(({ error }) => (error as number) === VALUE_EXPECTED)) {
    const range = { start: 0, end: text.length };
    const problem = createProblem(
      'empty',
      range,
      'This file has no spec yet.',
      `Start with ${EXAMPLE_SPEC}. In VS Code, "Nablascope: New Model…" writes one.`,
    );
    return createSource(text, undefined, [problem], [range]);
  }
  if (root && errors.length === 0) return createSource(text, root, findDuplicateKeys(root), []);
  const first = errors.reduce<ParseError | undefined>((a, b) => (a && a.offset <= b.offset ? a : b), undefined);
  const problem = first
    ? syntaxProblem(text, first)
    : createProblem('syntax', lastCharacterRange(text), ...SYNTAX_MESSAGES[VALUE_EXPECTED]!);
  const ranges = errors.map((error) => rangeOfError(text, error));
  return createSource(text, parsePastStrayBraces(text, options), [problem], ranges);
}

function createSource(
  text: string,
  root: Node | undefined,
  problems: readonly Problem[],
  syntaxErrors: readonly Range[],
): Source {
  let starts: readonly number[] | undefined;
  const nowhere: Node = { type: 'null', offset: problems[0]?.start ?? 0, length: 0 };
  /** The deepest node that `path` reaches, and how many of its keys lead there. */
  const walk = (path: Path): { node: Node; steps: number } => {
    let node = root ?? nowhere;
    for (let steps = 0; steps < path.length; steps++) {
      const child = findChild(node, path[steps]!);
      if (!child) return { node, steps };
      node = child;
    }
    return { node, steps: path.length };
  };
  return {
    text,
    value: root && toPlainValue(root),
    problems,
    syntaxErrors,
    locate: (path) => rangeOf(walk(path).node),
    locateKey(path) {
      const { node } = walk(path.slice(0, -1));
      const key = findProperty(node, path.at(-1)!)?.children?.[0];
      return rangeOf(key ?? walk(path).node);
    },
    locateOpeningBracket(path) {
      const { node } = walk(path);
      const { start, end } = rangeOf(node);
      return node.type === 'object' || node.type === 'array' ? { start, end: start + 1 } : { start, end };
    },
    has: (path) => root !== undefined && walk(path).steps === path.length,
    lineAt(offset) {
      starts ??= lineStarts(text);
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (starts[middle]! <= offset) low = middle;
        else high = middle - 1;
      }
      return low + 1;
    },
  };
}
