// Where docs/spec.md describes a part of a spec, and the sentence that it begins with.
import { initializers } from '../engine/initializers';
import { componentFamilies } from './schema';
import type { Path } from './spec-source';

/** Headings of docs/spec.md for keys at the top level; the others are in the first table. */
const SECTIONS: ReadonlyMap<string, string> = new Map([
  ['data', 'data'],
  ['transforms', 'transforms'],
  ['augment', 'augmentation'],
  ['layers', 'layers'],
  ['loss', 'losses'],
  ['auxiliary_losses', 'auxiliary-losses'],
  ['optimizer', 'optimizers'],
  ['schedule', 'learning-rate-schedules'],
  ['clip', 'clipping'],
  ['penalty', 'penalty'],
  ['gradient_check', 'gradient-check'],
]);

/** The families in the order of the page. */
const FAMILIES: readonly (readonly [key: string, kinds: Readonly<Record<string, { readonly summary: string }>>])[] = [
  ['data', componentFamilies.data],
  ['transforms', componentFamilies.transforms],
  ['augment', componentFamilies.augment],
  ['layers', componentFamilies.layers],
  ['init', initializers],
  ['loss', componentFamilies.loss],
  ['optimizer', componentFamilies.optimizer],
  ['schedule', componentFamilies.schedule],
];

const definitionOf = (family: string, kind: string): { readonly summary: string } | undefined => {
  const kinds = FAMILIES.find(([key]) => key === family)?.[1];
  return kinds && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
};

/** What a component computes, in one sentence, with its formula. @param family its key in a spec, such as `layers` */
export const componentSummary = (family: string, kind: string): string | undefined =>
  definitionOf(family, kind)?.summary;

/** The anchor in docs/spec.md of a value or key. @param kind of the component that it belongs to */
export function specReferenceAnchor(path: Path, kind: string | undefined): string {
  const top = String(path[0] ?? '');
  if (kind === undefined || !definitionOf(top, kind)) return SECTIONS.get(top) ?? 'the-spec';
  // A heading that occurred before gets a number.
  const order = FAMILIES.findIndex(([key]) => key === top);
  const earlier = FAMILIES.slice(0, order).filter(([, kinds]) => Object.hasOwn(kinds, kind)).length;
  return earlier === 0 ? kind : `${kind}-${earlier}`;
}
