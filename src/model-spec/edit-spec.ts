// Edits of a spec's text by path. Unlike `modify` of jsonc-parser, they keep comments and layout.
import { createScanner, type Node, parseTree } from 'jsonc-parser';
import type { SpecChange } from '../protocol/problem';
import { type Path, findChild } from './spec-source';

export interface TextEdit {
  /** UTF-16 offsets of the replaced text; start <= end. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export const applyTextEdit = (text: string, { start, end, text: inserted }: TextEdit): string =>
  text.slice(0, start) + inserted + text.slice(end);

/** @returns one edit from the first to the last character that the changes touch */
export function editSpec(text: string, changes: readonly SpecChange[]): TextEdit {
  const changed = changes.reduce(applyChange, text);
  let start = 0;
  while (start < text.length && start < changed.length && text[start] === changed[start]) start++;
  const room = Math.min(text.length, changed.length) - start;
  let tail = 0;
  while (tail < room && text[text.length - 1 - tail] === changed[changed.length - 1 - tail]) tail++;
  return { start, end: text.length - tail, text: changed.slice(start, changed.length - tail) };
}

function applyChange(text: string, { path, value, insert }: SpecChange): string {
  let parent = parseTree(text, [], { allowTrailingComma: true });
  for (const [depth, key] of path.entries()) {
    if (!parent) break;
    const child = findChild(parent, key);
    const isLast = depth === path.length - 1;
    if (value === undefined && (!child || isLast))
      return child ? removeItem(text, parent, itemOf(child, parent)) : text;
    if (!child || (isLast && insert)) return insertItem(text, parent, key, nest(path.slice(depth + 1), value));
    if (isLast) return text.slice(0, child.offset) + toJson(value) + text.slice(endOf(child));
    parent = child;
  }
  return text;
}

const endOf = ({ offset, length }: Node): number => offset + length;

/** The item of a list or an object: an element, or a property with its key. */
const itemOf = (value: Node, parent: Node): Node => (parent.type === 'array' ? value : (value.parent ?? value));

const nest = (path: Path, value: unknown): unknown => path.reduceRight((inner, key) => ({ [key]: inner }), value);

/** On one line, with the usual spaces. */
function toJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, member]) => `${JSON.stringify(key)}: ${toJson(member)}`)
    .join(', ')} }`;
}

/** Inserts before element `key` of a list, or at the end. */
function insertItem(text: string, parent: Node, key: string | number, value: unknown): string {
  const items = parent.children ?? [];
  const [first, last] = [items[0], items.at(-1)];
  const item = parent.type === 'array' ? toJson(value) : `${JSON.stringify(key)}: ${toJson(value)}`;
  if (!first || !last) {
    const content = parent.type === 'array' ? item : ` ${item} `;
    return text.slice(0, parent.offset + 1) + content + text.slice(endOf(parent) - 1);
  }
  // The white space before the first item: a space, or a line break and an indentation.
  const space = /\s*$/.exec(text.slice(parent.offset + 1, first.offset))?.[0] || ' ';
  const at = typeof key === 'number' ? items.at(key) : undefined;
  const offset = at?.offset ?? endOf(last);
  return text.slice(0, offset) + (at ? `${item},${space}` : `,${space}${item}`) + text.slice(offset);
}

/** Removes an item and the comma that separated it. */
function removeItem(text: string, { children: items = [] }: Node, item: Node): string {
  const index = items.indexOf(item);
  const next = items.at(index + 1);
  if (next) return text.slice(0, item.offset) + text.slice(next.offset);
  const previous = items[index - 1];
  if (!previous) return text.slice(0, item.offset) + text.slice(endOf(item));
  const comma = commaAfter(text, endOf(previous));
  const between = text.slice(comma + 1, item.offset).trimEnd();
  return text.slice(0, comma) + between + text.slice(endOf(item));
}

/** jsonc-parser's SyntaxKind.CommaToken, a const enum that isolated modules cannot read. */
const COMMA = 5;

/** The next comma outside of comments. */
function commaAfter(text: string, offset: number): number {
  const scanner = createScanner(text, true);
  scanner.setPosition(offset);
  while ((scanner.scan() as number) !== COMMA);
  return scanner.getTokenOffset();
}
