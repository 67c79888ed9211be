// Names to complete in a lecture file: phases, layers and terms of its spec.
import { getLocation } from 'jsonc-parser';
import { phaseNames } from '../presentation/phase-names';
import { termNames } from '../presentation/terms';
import type { RunFacts } from './lecture';

export interface LectureCompletion {
  /** As JSON. */
  readonly names: readonly string[];
  /** The value that they replace, in UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
}

/** Null if no value of a stop that has known names is at the offset. */
export function completeLecture(text: string, offset: number, { layers, model }: RunFacts): LectureCompletion | null {
  const { path, isAtPropertyKey, previousNode } = getLocation(text, offset);
  if (isAtPropertyKey || path.length !== 3 || path[0] !== 'stops') return null;
  const known: Record<string, readonly string[]> = {
    phase: phaseNames(layers),
    layer: layers,
    highlight: model ? termNames(model) : ['input', 'target', 'loss'],
  };
  const names = known[String(path[2])];
  if (!names) return null;
  const isInside = previousNode && previousNode.offset <= offset && offset <= previousNode.offset + previousNode.length;
  const [start, end] = isInside ? [previousNode.offset, previousNode.offset + previousNode.length] : [offset, offset];
  return { names: names.map((name) => JSON.stringify(name)), start, end };
}
