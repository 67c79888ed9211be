// Writes the licenses of all bundled packages, as MIT and similar licenses require. The packages are read from
// esbuild's metafile, so none can be forgotten.
import fs from 'node:fs';
import path from 'node:path';

/** The folder below node_modules that an input belongs to, or undefined for our own files. */
function packageOf(input) {
  const at = input.lastIndexOf('node_modules/');
  if (at < 0) return undefined;
  const parts = input.slice(at + 'node_modules/'.length).split('/');
  return input.slice(0, at) + 'node_modules/' + parts.slice(0, parts[0].startsWith('@') ? 2 : 1).join('/');
}

/** @param {import('esbuild').Metafile[]} metafiles */
export function noticesOf(metafiles, root) {
  const folders = new Set();
  for (const { outputs } of metafiles) {
    for (const { inputs } of Object.values(outputs)) {
      for (const input of Object.keys(inputs)) {
        const folder = packageOf(input);
        if (folder) folders.add(folder);
      }
    }
  }
  return [...folders]
    .sort()
    .map((folder) => {
      const absolute = path.join(root, folder);
      const { name, version, license } = JSON.parse(fs.readFileSync(path.join(absolute, 'package.json'), 'utf8'));
      const file = fs.readdirSync(absolute).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
      if (!file && !license) throw new Error(`${name} is bundled but names no licence.`);
      const text = file ? fs.readFileSync(path.join(absolute, file), 'utf8').trim() : `Licence: ${license}`;
      return `${name} ${version}\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}
