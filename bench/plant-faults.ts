// Plants faults of several kinds into random networks, and prints how many the check catches, and how often it names
// layer, tensor and cause first. `FAULTS=1000` plants more, `SEED=1` others.
import { formatTable } from './measure';

const FAULTS = Number(process.env.FAULTS ?? 500);
const SEED = Number(process.env.SEED ?? 0);
/** Maximum number of random networks to draw before one has a place for a fault. */
const MAX_DRAWS = 400;

/**
 * @param plant with a seed; null if the network has no place for the fault
 * @returns a line for each fault of which another cause is named first, or none
 */
export function plantFaults<
  Kind extends { readonly kind: string },
  Outcome extends { readonly detected: boolean; readonly identified: boolean },
>(
  kinds: readonly Kind[],
  plant: (kind: Kind, seed: number) => Outcome | null | undefined,
  describeMiss: (kind: Kind, outcome: Outcome, seed: number) => string,
): string[] {
  const perKind = Math.ceil(FAULTS / kinds.length);
  let [planted, caught, named] = [0, 0, 0];
  const misses: string[] = [];
  const rows = kinds.map((kind) => {
    let [here, found, right] = [0, 0, 0];
    for (let draw = 0; draw < MAX_DRAWS && here < perKind; draw++) {
      const seed = SEED * 1_000_000 + draw;
      const outcome = plant(kind, seed);
      if (!outcome) continue;
      here++;
      if (outcome.detected) found++;
      if (outcome.identified) right++;
      else misses.push(describeMiss(kind, outcome, seed));
    }
    planted += here;
    caught += found;
    named += right;
    return [kind.kind, String(here), String(found), String(right)];
  });
  console.log(formatTable(['fault', 'planted', 'caught', 'cause named first'], rows));
  console.log(
    `\n${kinds.length} kinds. Caught ${caught} of ${planted}; layer, tensor and cause named first in ${named} (${((100 * named) / planted).toFixed(1)} %).`,
  );
  return misses;
}
