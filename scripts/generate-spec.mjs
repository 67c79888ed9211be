// Writes what is generated from the spec's one source: media/nabla.schema.json and docs/spec.md.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const { outputFiles } = await esbuild.build({
  stdin: {
    contents: `export { schemaText } from './src/spec/json-schema'; export { reference } from './src/spec/reference';`,
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

for (const [file, text] of [
  ['media/nabla.schema.json', schemaText()],
  ['docs/spec.md', reference()],
]) {
  const where = path.join(root, file);
  fs.mkdirSync(path.dirname(where), { recursive: true });
  const changed = !fs.existsSync(where) || fs.readFileSync(where, 'utf8') !== text;
  if (changed) fs.writeFileSync(where, text);
  console.log(`${file} ${changed ? 'written' : 'is up to date'} (${(Buffer.byteLength(text) / 1024).toFixed(1)} KB)`);
}
