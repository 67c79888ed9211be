// What happens in VS Code: runs bench/host in a real one and prints what was measured there, and the size of
// the package. Other work on the machine shows in the longest block, also at rest: compare the two.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { median, percentile, round, table } from './measure';

const out = resolve('out', 'bench');
mkdirSync(out, { recursive: true });

const package_ = join(out, 'nablascope.vsix');
if (spawnSync(process.execPath, ['scripts/package.mjs', '--out', package_], { stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0) {
  process.exit(1);
}

// The package's build is the one that ships; the figures are of it.
const file = join(out, 'host.json');
const { status } = spawnSync(process.execPath, ['scripts/test-host.mjs', '--no-build', '--suite', 'bench/host'], {
  stdio: 'inherit',
  env: { ...process.env, NABLASCOPE_BENCH_OUT: file },
});
if (status !== 0) process.exit(1);

const figures = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number[]>;
const rows = Object.entries(figures).map(([name, values]) =>
  values.length === 1
    ? [name, round(values[0]), '', '']
    : [name, round(median(values)), round(percentile(values, 0.95)), round(Math.max(...values))],
);
console.log(`\n${table(['in a real VS Code', 'median', '95 %', 'worst'], rows)}`);
console.log(`\n.vsix: ${round(statSync(package_).size / 1024)} KB (goal: under 1,024)`);
