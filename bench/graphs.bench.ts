// Gradient checks of random graphs: branches, joins, shared parameters, several losses, and in half of them sequences
// with recurrent layers, attention and embeddings. None may be called wrong, in the network or a layer in isolation.
// `GRAPHS=10000` draws more, `SEED=2` other ones.
import fc from 'fast-check';
import { VERDICTS } from '../src/protocol/check-report';
import { checkNet, makeNet, type NetRecipe } from '../test/gradcheck/nets';
import { randomGraphs, randomSequenceGraphs } from '../test/gradcheck/random-graphs';
import { formatTable } from './measure';

const GRAPHS = Number(process.env.GRAPHS ?? 1000);
const SEED = Number(process.env.SEED ?? 1);

const alarms: string[] = [];
const kinds = new Map<string, number>();

function check(recipes: readonly NetRecipe[], name: string): string[] {
  const counts = { pass: 0, wrong: 0, kink: 0, below_noise: 0 };
  let [checked, alarmed, joins, shared, losses] = [0, 0, 0, 0, 0];
  recipes.forEach((recipe, i) => {
    for (const kind of new Set(recipe.layers.map((layer) => layer.kind))) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    if (recipe.layers.some(({ inputs = [] }) => inputs.length > 1)) joins++;
    if (recipe.layers.some((layer) => layer.shared)) shared++;
    if (recipe.auxiliary) losses++;
    let alarm: string | null;
    try {
      const { counts: own, layers, compared, diagnosis, withoutPenalty } = checkNet(makeNet(recipe));
      for (const verdict of VERDICTS) counts[verdict] += own[verdict];
      checked++;
      const isolated = layers.filter(
        ({ tensors, overwrites }) => overwrites.length > 0 || tensors.some(({ verdict }) => verdict === 'wrong'),
      );
      alarm =
        own.wrong > 0 || (withoutPenalty?.counts.wrong ?? 0) > 0 || isolated.length > 0 || diagnosis
          ? `${own.wrong} entries wrong, in isolation ${isolated.map(({ name: layer }) => layer).join()}: ${diagnosis?.sentence ?? ''}`
          : compared.agreed
            ? null
            : 'shortcuts disagree';
    } catch (error) {
      alarm = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    if (alarm === null) return;
    alarmed++;
    alarms.push(`${name} ${i}: ${alarm}\n  ${JSON.stringify(recipe)}`);
  });
  return [name, checked, alarmed, joins, shared, losses, ...VERDICTS.map((verdict) => counts[verdict])].map((cell) =>
    typeof cell === 'number' ? cell.toLocaleString('en-US') : cell,
  );
}

const half = Math.ceil(GRAPHS / 2);
const rows = [
  check(fc.sample(randomGraphs, { numRuns: half, seed: SEED }), 'rows of numbers'),
  check(fc.sample(randomSequenceGraphs, { numRuns: GRAPHS - half, seed: SEED }), 'sequences'),
];
console.log(
  formatTable(
    ['graphs', 'checked', 'alarms', 'with joins', 'with shared parameters', 'with several losses', ...VERDICTS],
    rows,
  ),
);
console.log(
  `\nGraphs with each layer: ${[...kinds]
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ')}.`,
);
if (alarms.length > 0) console.log(`\n${alarms.join('\n')}`);
process.exitCode = alarms.length > 0 ? 1 : 0;
