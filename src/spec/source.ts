// A spec's text as a tree of values, each with its exact range; syntax is judged here, meaning is not.
// Never throws, whatever the text: depth is looked at before anything recurses.
import { createScanner, type Node, type ParseError, parseTree } from 'jsonc-parser';
import type { Problem } from './problem';

export interface Range {
  /** UTF-16 offsets into the text; start <= end. */
  readonly start: number;
  readonly end: number;
}

export type Path = readonly (string | number)[];

export interface Source {
  readonly text: string;
  /** Plain values; undefined when the text is not JSON. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Range of the value at `path`, or of the nearest value around it. */
  locate(path: Path): Range;
  /** Range of the key at `path`, quotes included. */
  locateKey(path: Path): Range;
  /** The opening bracket of the object or list at `path`, or of the one around it. */
  locateOpening(path: Path): Range;
  has(path: Path): boolean;
}

const MAX_DEPTH = 64;

// Values of jsonc-parser's const enums, which isolated modules cannot read.
const OPEN_BRACE = 1;
const CLOSE_BRACE = 2;
const OPEN_BRACKET = 3;
const CLOSE_BRACKET = 4;
const END = 17;

const EXAMPLE = '{ "data": "circles", "layers": [{ "type": "linear", "out_features": 2 }], "loss": "cross_entropy" }';

/** Sentences for jsonc-parser's ParseErrorCode. */
const SYNTAX: Readonly<Record<number, readonly [message: string, remedy: string]>> = {
  1: ['This word is not JSON.', 'Write keys and texts in double quotes; only true, false, null and numbers stand without.'],
  2: ['This is not a number as JSON writes it.', 'Write a number such as 3, -0.5 or 1e-3.'],
  3: ['A key in double quotes is expected here.', 'Write "key": value, or remove what stands here.'],
  4: ['A value is expected here.', 'Write a value, or remove the comma or colon before it.'],
  5: ['A colon is missing after the key.', 'Write a colon between the key and its value.'],
  6: ['A comma is missing here.', 'Write a comma between two entries.'],
  7: ['A closing brace } is missing here.', 'Close the object with }.'],
  8: ['A closing bracket ] is missing here.', 'Close the list with ].'],
  9: ['Something follows the end of the spec.', 'Keep one object { … } and remove the rest.'],
  10: ['Comments are not allowed here.', 'Remove the comment.'],
  11: ['This comment never ends.', 'Close it with */.'],
  12: ['This text never ends.', 'Close it with a double quote on the same line.'],
  13: ['This number is not finished.', 'Write digits after the point, the sign or the e.'],
  14: ['This \\u escape is not complete.', 'Write four hexadecimal digits after \\u.'],
  15: ['This escape is not one that JSON knows.', 'Write \\\\ for a backslash.'],
  16: ['This character is not allowed in a text.', 'Write tabs and line ends as \\t and \\n.'],
};

export const problem = (
  code: string,
  { start, end }: Range,
  message: string,
  remedy: string,
  severity: Problem['severity'] = 'error',
): Problem => ({ code, severity, start, end, message, remedy });

/** Where the text is first nested deeper than the limit. */
function tooDeepAt(text: string): Range | undefined {
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

/** The last character that is not white space, for what is missing at the end. */
function lastCharacter(text: string): Range {
  const { length } = text.trimEnd();
  return { start: Math.max(0, length - 1), end: length };
}

function syntaxProblem(text: string, { error, offset, length }: ParseError): Problem {
  const [message, remedy] = SYNTAX[error] ?? SYNTAX[4];
  if (text.slice(offset).trim() === '') {
    return problem('syntax', lastCharacter(text), `The text ends too early. ${message}`, remedy);
  }
  return problem('syntax', { start: offset, end: Math.min(text.length, offset + Math.max(1, length)) }, message, remedy);
}

/** Plain values with own properties only: a key such as `__proto__` stays a key. */
function valueOf(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(valueOf);
  if (node.type !== 'object') return node.value as unknown;
  const object = {};
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (!value) continue;
    Object.defineProperty(object, key.value as string, {
      value: valueOf(value), enumerable: true, configurable: true, writable: true,
    });
  }
  return object;
}

/** A problem for every key that an object holds twice. */
function duplicateKeys(node: Node): Problem[] {
  const found: Problem[] = [];
  const seen = new Set<string>();
  for (const child of node.children ?? []) {
    if (node.type !== 'object') {
      found.push(...duplicateKeys(child));
      continue;
    }
    const [key, value] = child.children ?? [];
    const name = key.value as string;
    if (seen.has(name)) {
      const message = `${quote(name)} is given twice in the same object.`;
      found.push(problem('duplicate-key', rangeOf(key), message, 'Keep one of the two.'));
    }
    seen.add(name);
    if (value) found.push(...duplicateKeys(value));
  }
  return found;
}

const rangeOf = ({ offset, length }: Node): Range => ({ start: offset, end: offset + length });

/** A key or a text as it stands in JSON, shortened. */
export const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** The last of several equal keys counts, as for the value. */
function propertyOf(node: Node, key: string | number): Node | undefined {
  if (node.type !== 'object') return undefined;
  const equal = node.children?.filter(({ children }) => children?.[0].value === key);
  return equal?.[equal.length - 1];
}

const childOf = (node: Node, key: string | number): Node | undefined =>
  node.type === 'array'
    ? typeof key === 'number' ? node.children?.[key] : undefined
    : propertyOf(node, key)?.children?.[1];

/** Counted from 1. */
export const lineOf = (text: string, offset: number): number => text.slice(0, offset).split(/\r\n|\n|\r/).length;

export function readSource(original: string): Source {
  // A byte order mark is no part of the spec; a space keeps every offset.
  const text = original.charCodeAt(0) === 0xfeff ? ` ${original.slice(1)}` : original;
  const nothing = (found: Problem): Source => {
    const whole = (): Range => found;
    return {
      text, value: undefined, problems: [found], has: () => false,
      locate: whole, locateKey: whole, locateOpening: whole,
    };
  };
  const errors: ParseError[] = [];
  const deep = tooDeepAt(text);
  if (deep) {
    const message = `Brackets are nested more than ${MAX_DEPTH} deep here.`;
    return nothing(problem('too-deep', deep, message, 'A spec needs five or so: remove the rest.'));
  }
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (!root && errors.every(({ error }) => (error as number) === 4)) {
    const range = { start: 0, end: text.length };
    return nothing(problem('empty', range, 'There is no spec in this file yet.', `Start with ${EXAMPLE}.`));
  }
  const first = errors.reduce<ParseError | undefined>((a, b) => (a && a.offset <= b.offset ? a : b), undefined);
  if (!root || first) {
    return nothing(first ? syntaxProblem(text, first) : problem('syntax', lastCharacter(text), ...SYNTAX[4]));
  }

  /** The deepest node on the way down `path`, and how far it went. */
  const walk = (path: Path): { node: Node; steps: number } => {
    let node = root;
    for (let steps = 0; steps < path.length; steps++) {
      const child = childOf(node, path[steps]);
      if (!child) return { node, steps };
      node = child;
    }
    return { node, steps: path.length };
  };
  return {
    text,
    value: valueOf(root),
    problems: duplicateKeys(root),
    locate: (path) => rangeOf(walk(path).node),
    locateKey(path) {
      const { node } = walk(path.slice(0, -1));
      const key = propertyOf(node, path[path.length - 1])?.children?.[0];
      return rangeOf(key ?? walk(path).node);
    },
    locateOpening(path) {
      const { node } = walk(path);
      const { start, end } = rangeOf(node);
      return node.type === 'object' || node.type === 'array' ? { start, end: start + 1 } : { start, end };
    },
    has: (path) => walk(path).steps === path.length,
  };
}
