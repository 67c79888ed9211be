// Suggests the known name that an unknown one most likely means: a name from another library, or a typo.
import { closestMatch } from '../engine/closest-match';

/** A name that a spec may use, with the names that other libraries and textbooks give the same thing. */
export interface KnownName {
  readonly name: string;
  readonly aliases?: readonly string[] | undefined;
}

/** Suffixes that other libraries append to names: `MSELoss`, `DenseLayer`, `glorot_init`. */
const SUFFIXES = /(layer|loss|optimizer|initializer|init|schedule|scheduler)$/;

/** Removes case, punctuation and the module: `torch.nn.Conv2d` becomes `conv2d`. */
const simplify = (name: string): string =>
  name
    .slice(name.lastIndexOf('.') + 1)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');

/** Every simplified alias, and the name that it stands for. */
const aliasTable = (known: readonly KnownName[]): ReadonlyMap<string, string> =>
  new Map(known.flatMap(({ name, aliases = [] }) => aliases.map((alias): [string, string] => [simplify(alias), name])));

/** The known name that was meant; undefined if none is close. Aliases come before similar spellings. */
export function suggestName(unknown: string, known: readonly KnownName[]): string | undefined {
  if (unknown.length > 60) return undefined;
  const aliases = aliasTable(known);
  const whole = simplify(unknown);
  for (const form of [whole, whole.replace(SUFFIXES, '')]) {
    const meant = known.find(({ name }) => form !== '' && simplify(name) === form)?.name ?? aliases.get(form);
    if (meant !== undefined) return meant;
  }
  const names = known.map(({ name }) => name);
  const similarAlias = closestMatch(
    whole,
    [...aliases.keys()].filter(({ length }) => length >= 6),
  );
  return closestMatch(unknown, names) ?? (similarAlias && aliases.get(similarAlias));
}

/** `Did you mean "tanh"?`, or the list of known names. */
export function didYouMean(unknown: string, known: readonly KnownName[]): string {
  const meant = suggestName(unknown, known);
  return meant === undefined ? listKnownNames(known) : `Did you mean "${meant}"?`;
}

export const listKnownNames = (known: readonly KnownName[]): string =>
  `Known names: ${known.map(({ name }) => quoteUnlessWord(name)).join(', ')}.`;

/** Layers of other libraries that no layer here computes, though some are spelled like one. */
const CUSTOM_ONLY: ReadonlySet<string> = new Set(
  'selu celu mish glu embedding attention multiheadattention rmsnorm instancenorm conv3d'.split(' '),
);

/** Whether an unknown layer is best written as a custom one: nothing here is meant by its name. */
export const isCustomLayerName = (unknown: string, known: readonly KnownName[]): boolean =>
  CUSTOM_ONLY.has(simplify(unknown)) || suggestName(unknown, known) === undefined;

/** How to write a layer that does not exist. */
export function suggestCustomLayer(unknown: string): string {
  const name = fileNameOf(unknown);
  return `Write it as a custom layer: { "type": "custom", "module": "./${name}.layer.ts" }. The command "Nablascope: New Custom Layer…" creates the file.`;
}

/** Losses of other libraries that no loss here computes, though some are spelled like one. */
const CUSTOM_ONLY_LOSSES: ReadonlySet<string> = new Set(
  'kldiv kldivloss kl focal dice triplet tripletmargin contrastive cosineembedding cosinesimilarity poissonnll gaussiannll ctc quantile pinball logcosh rmse wasserstein'.split(
    ' ',
  ),
);

/** Whether an unknown loss is best written as a custom one. */
export const isCustomLossName = (unknown: string, known: readonly KnownName[]): boolean =>
  CUSTOM_ONLY_LOSSES.has(simplify(unknown).replace(SUFFIXES, '')) || suggestName(unknown, known) === undefined;

/** How to write a loss that does not exist. */
export function suggestCustomLoss(unknown: string): string {
  const name = fileNameOf(unknown.replace(/[_-]?loss$/i, ''));
  return `Write it as a custom loss: { "type": "custom", "module": "./${name}.loss.ts" }. The command "Nablascope: New Custom Loss…" creates the file.`;
}

/** How to write a penalty that is neither l1 nor l2. */
export const suggestCustomPenalty = (unknown: string): string =>
  `Write { "l2": 0.001 }, or a custom penalty: { "module": "./${fileNameOf(unknown.replace(/[_-]?penalty$/i, ''))}.penalty.ts" }. ` +
  'The command "Nablascope: New Custom Penalty…" creates the file.';

const fileNameOf = (name: string): string => name.replace(/[^\w.-]/g, '').slice(0, 40) || 'my';

/** A delimiter would be hard to see among the commas of a list. */
const quoteUnlessWord = (name: string): string => (/^\w/.test(name) ? name : JSON.stringify(name));

/** Names that have no aliases. */
export const plainNames = (names: readonly string[]): KnownName[] => names.map((name) => ({ name }));
