// Runs the campaign of bench/campaign.ts: `npm run campaign -- --minutes 60 --seed 1 --only parse,kills`.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const outfile = path.join(root, 'out', 'campaign', 'campaign.js');

await esbuild.build({
  entryPoints: [path.join(root, 'bench', 'campaign.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node22',
  packages: 'external',
  define: {
    // Tests find the sources of the engine next to themselves.
    __dirname: JSON.stringify(path.join(root, 'test', 'process')),
    // Scripts find the project by their own place.
    'import.meta.url': JSON.stringify(import.meta.url),
  },
  absWorkingDir: root,
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, ['--max-semi-space-size=8', outfile, ...process.argv.slice(2)], {
  stdio: 'inherit',
  cwd: root,
});
process.exit(status ?? 1);
