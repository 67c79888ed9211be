// Packs nablascope-VERSION.vsix (or the file given by --out). vsce first runs `npm run vscode:prepublish`, which builds
// dist/ for production. Everything is bundled, so no dependency is included. .vscodeignore lists what is.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { nodeExecutable, root } from './vscode-server.mjs';

/** @returns {string} the file written */
export function packExtension(out) {
  const { name, version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const file = path.resolve(root, out ?? `${name}-${version}.vsix`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const run = spawnSync(
    nodeExecutable(),
    [
      path.join(root, 'node_modules', '@vscode', 'vsce', 'vsce'),
      'package',
      '--no-dependencies',
      '--allow-missing-repository',
      '--no-rewrite-relative-links',
      '--out',
      file,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  if (run.status !== 0) throw new Error(`vsce ended with exit code ${run.status}.`);
  return file;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  const file = packExtension(values.out);
  console.log(`${path.relative(root, file)}: ${(fs.statSync(file).size / 1024).toFixed(0)} KB`);
}
