// What is written at an offset of a spec's text.
import { getLocation } from 'jsonc-parser';
import type { Path, Range } from './spec-source';

export interface SpecLocationAt {
  /** The path of the key or value. */
  readonly path: Path;
  readonly isKey: boolean;
  /** The range of the key or value. */
  readonly range: Range;
}

/** @returns null between keys and values */
export function locationAt(text: string, offset: number): SpecLocationAt | null {
  const { path, previousNode, isAtPropertyKey } = getLocation(text, offset);
  if (!previousNode) return null;
  const range = { start: previousNode.offset, end: previousNode.offset + previousNode.length };
  return range.start <= offset && offset <= range.end ? { path, isKey: isAtPropertyKey, range } : null;
}
