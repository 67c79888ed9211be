// Measurements in VS Code: runs bench/host in a real one and prints the results, and the size of the package. Other
// work on the machine shows in the longest block, also when idle, so compare the two.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { median, percentile, formatRounded, formatTable } from './measure';

const outFolder = resolve('out', 'bench');
mkdirSync(outFolder, { recursive: true });

const vsixFile = join(outFolder, 'nablascope.vsix');
if (
  spawnSync(process.execPath, ['scripts/package.mjs', '--out', vsixFile], { stdio: ['ignore', 'ignore', 'inherit'] })
    .status !== 0
) {
  process.exit(1);
}

// Uses the release build, to which the figures refer.
const file = join(outFolder, 'host.json');
const { status } = spawnSync(process.execPath, ['scripts/test-host.mjs', '--no-build', '--suite', 'bench/host'], {
  stdio: 'inherit',
  env: { ...process.env, NABLASCOPE_BENCH_OUT: file },
});
if (status !== 0) process.exit(1);

const measurements = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number[]>;
const rows = Object.entries(measurements).map(([name, values]) =>
  values.length === 1
    ? [name, formatRounded(values[0]), '', '']
    : [
        name,
        formatRounded(median(values)),
        formatRounded(percentile(values, 0.95)),
        formatRounded(Math.max(...values)),
      ],
);
console.log(`\n${formatTable(['in a real VS Code', 'median', '95 %', 'worst'], rows)}`);
console.log(`\n.vsix: ${formatRounded(statSync(vsixFile).size / 1024)} KB (goal: under 1,024)`);
