// What a call of `nablascope` takes beside `node -e 0`, in processes of their own that alternate: the time before a
// command begins, and the fixed cost of the shortest commands. OLD=FOLDER adds the build in that folder's dist.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatRounded, formatTable, median } from './measure';

const TURNS = Number(process.env.TURNS ?? 15);

const example = (name: string): string => resolve('examples', `${name}.nabla.json`);

const calls: readonly (readonly string[])[] = [
  ['--version'],
  ['--help'],
  ['train', example('circles'), '--steps', '1'],
  ['train', example('circles'), '--steps', '60000'],
  ['check', example('circles')],
  ['check', example('blocks')],
  ['check', example('digits')],
];

const builds = [process.env.OLD, '.'].flatMap((folder) => (folder === undefined ? [] : [resolve(folder)]));
for (const folder of builds)
  if (!existsSync(join(folder, 'dist', 'cli.js')))
    throw new Error(`${folder} is not built. Run: node scripts/build.mjs --production`);

/** Milliseconds of a process. */
function timeOf(argv: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with exit code ${status}: ${stderr.toString()}`);
  return performance.now() - start;
}

const fastest = (times: readonly number[]): number => Math.min(...times);

const rows = calls.map((call) => {
  const node: number[] = [];
  const ours: number[][] = builds.map(() => []);
  for (let turn = 0; turn < TURNS; turn++) {
    node.push(timeOf(['-e', '0']));
    builds.forEach((folder, i) => ours[i]!.push(timeOf([join(folder, 'dist', 'cli.js'), ...call])));
  }
  const name = call.map((word) => word.replace(/^.*\/(\w+)\.nabla\.json$/, '$1')).join(' ');
  const [before, now] = builds.length > 1 ? [ours[0]!, ours[1]!] : [null, ours[0]!];
  return [
    name,
    formatRounded(fastest(node)),
    formatRounded(fastest(now)),
    formatRounded(median(now)),
    (fastest(now) / fastest(node)).toFixed(2),
    ...(before ? [formatRounded(fastest(before)), (fastest(now) / fastest(before)).toFixed(2)] : []),
  ];
});

const head = ['call', 'node -e 0, ms', 'fastest, ms', 'median, ms', '/ node -e 0'];
console.log(formatTable([...head, ...(builds.length > 1 ? ['old, ms', '/ old'] : [])], rows));
