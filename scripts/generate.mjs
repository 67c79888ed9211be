// Writes what is generated from one source:
// - media/nabla.schema.json and docs/spec.md from the schema of the spec,
// - media/lecture.schema.json from the schema of lecture files,
// - the commands, menus and keybindings of package.json from src/host/commands/command-table.ts,
// - its tools for language models from src/agent-tools, and the texts of both in package.nls.json,
// - the lists of commands and options in docs/terminal.md from src/cli/commands,
// - the opcodes of the compiled kernels in assembly/opcodes.ts from src/engine/kernels,
// - the table of folders in docs/architecture.md from test/support/architecture-rules.ts,
// - the list of examples, media/examples.json, from examples/,
// - the questions and answers of docs/systems.md and the table of docs/systems-tests.md from docs/questions,
// - the types of custom layers, for the package and for the examples, from src/engine/custom/contract.ts.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import * as prettier from 'prettier';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const bundle = path.join(root, 'out', 'generate.cjs');
await esbuild.build({
  stdin: {
    contents: `
      export { editorSchemaText } from './src/model-spec/editor-schema';
      export { lectureEditorSchemaText } from './src/lectures/editor-schema';
      export { renderSpecReference } from './src/model-spec/spec-reference';
      export { withCommandContributions } from './src/host/commands/contributions';
      export { withToolContributions } from './src/agent-tools';
      export { withTableTexts } from './src/host/commands/manifest-texts';
      export { loadCommands } from './src/cli/command';
      export { commands } from './src/cli/commands';
      export { fillMarkdown } from './src/cli/help';
      export { renderAssemblyOpcodes } from './src/engine/kernels/assembly-opcodes';
      export { withFolderTable } from './test/support/architecture-rules';
      export { renderExampleList } from './test/support/example-list';
      export { renderSystems, renderSystemsTable } from './test/support/questions';`,
    resolveDir: root,
  },
  outfile: bundle,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  mainFields: ['module', 'main'],
  logLevel: 'warning',
});
const require = createRequire(import.meta.url);
const {
  editorSchemaText,
  lectureEditorSchemaText,
  renderSpecReference,
  withCommandContributions,
  withToolContributions,
  withTableTexts,
  loadCommands,
  commands,
  fillMarkdown,
  renderAssemblyOpcodes,
  withFolderTable,
  renderExampleList,
  renderSystems,
  renderSystemsTable,
} = require(bundle);

const markdown = { ...(await prettier.resolveConfig(path.join(root, 'docs/spec.md'))), parser: 'markdown' };
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const contract = read('src/engine/custom/contract.ts');

for (const [file, generated] of [
  ['media/nabla.schema.json', editorSchemaText()],
  ['media/lecture.schema.json', lectureEditorSchemaText()],
  ['docs/spec.md', renderSpecReference()],
  ['docs/terminal.md', fillMarkdown(read('docs/terminal.md'), await loadCommands(commands))],
  ['media/nablascope.d.ts', contract],
  ['examples/layers/nablascope.d.ts', contract],
  ['examples/losses/nablascope.d.ts', contract],
  ['package.json', withToolContributions(withCommandContributions(read('package.json')))],
  ['package.nls.json', withTableTexts(read('package.nls.json'))],
  ['assembly/opcodes.ts', renderAssemblyOpcodes()],
  ['docs/architecture.md', withFolderTable(read('docs/architecture.md'))],
  ['media/examples.json', renderExampleList()],
  ['docs/systems.md', renderSystems()],
  ['docs/systems-tests.md', renderSystemsTable()],
]) {
  const where = path.join(root, file);
  const text = file.endsWith('.md') ? await prettier.format(generated, markdown) : generated;
  fs.mkdirSync(path.dirname(where), { recursive: true });
  const changed = !fs.existsSync(where) || fs.readFileSync(where, 'utf8') !== text;
  if (changed) fs.writeFileSync(where, text);
  console.log(`${file} ${changed ? 'written' : 'is up to date'} (${(Buffer.byteLength(text) / 1024).toFixed(1)} KB)`);
}
