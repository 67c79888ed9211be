// Writes what is generated from one source: media/nabla.schema.json and docs/spec.md from that of the spec, and the
// types of custom layers, for the package and beside the examples, from src/engine/custom/contract.ts.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const { outputFiles } = await esbuild.build({
  stdin: {
    contents: `export { schemaText } from './src/spec/editor-schema'; export { reference } from './src/spec/reference';`,
    resolveDir: root,
  },
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  mainFields: ['module', 'main'],
  logLevel: 'warning',
});
const { schemaText, reference } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);

const contract = fs.readFileSync(path.join(root, 'src/engine/custom/contract.ts'), 'utf8');

for (const [file, text] of [
  ['media/nabla.schema.json', schemaText()],
  ['docs/spec.md', reference()],
  ['media/nablascope.d.ts', contract],
  ['examples/layers/nablascope.d.ts', contract],
]) {
  const where = path.join(root, file);
  fs.mkdirSync(path.dirname(where), { recursive: true });
  const changed = !fs.existsSync(where) || fs.readFileSync(where, 'utf8') !== text;
  if (changed) fs.writeFileSync(where, text);
  console.log(`${file} ${changed ? 'written' : 'is up to date'} (${(Buffer.byteLength(text) / 1024).toFixed(1)} KB)`);
}
