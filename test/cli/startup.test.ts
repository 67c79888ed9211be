// What a call of the command loads, as bundled in the release: a command does not wait for code that it does not run.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands';
import { nodeOptions } from '../../scripts/node-bundles.mjs';
import { root } from './built-cli';

let outputs: Metafile['outputs'];

beforeAll(async () => {
  const options = nodeOptions(join(tmpdir(), 'unwritten'), ['cli']);
  const { metafile } = await build({ ...options, metafile: true, write: false, absWorkingDir: root });
  outputs = metafile.outputs;
});

/** The files of all modules that are loaded with the bundle of a file, without those that it imports later. */
function loadedWith(entry: string): string[] {
  const [first] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === entry)!;
  const reached = new Set([first]);
  for (const output of reached)
    for (const { path, kind } of outputs[output]!.imports)
      if (kind === 'import-statement' && outputs[path]) reached.add(path);
  return [...reached].flatMap((output) => Object.keys(outputs[output]!.inputs));
}

const folders = (files: readonly string[]): Set<string> =>
  new Set(files.map((file) => /^src\/([\w-]+)\//.exec(file)?.[1] ?? 'a package'));

describe('what is loaded', () => {
  it('for --version and --help: the table of commands, and no engine', () => {
    const files = loadedWith('src/cli/main.ts');
    expect(files).toContain('src/cli/parse-args.ts');
    expect(
      [...folders(files.filter((file) => file.startsWith('src/') || file.includes('node_modules')))].sort(),
    ).toEqual(['cli', 'engine', 'presentation', 'protocol']);
    // Of the engine, what formats messages.
    expect(files.filter((file) => file.startsWith('src/engine/')).sort()).toEqual([
      'src/engine/closest-match.ts',
      'src/engine/custom/custom-layer-error.ts',
    ]);
  });

  it.each(commands.map(({ name }) => name))('for %s: no other command, and no custom layers', (name) => {
    const files = loadedWith(`src/cli/commands/${name}.ts`);
    const others = files.filter((file) => commands.some((other) => file === `src/cli/commands/${other.name}.ts`));
    expect(others).toEqual([
      `src/cli/commands/${name}.ts`,
      ...(name === 'report' ? ['src/cli/commands/check.ts'] : []),
    ]);
    if (name !== 'sweep') expect(folders(files)).not.toContain('custom-layers');
  });

  it('for train: no gradient check, doctor or report', () => {
    const loaded = folders(loadedWith('src/cli/commands/train.ts'));
    expect(loaded).toContain('session');
    for (const folder of ['gradcheck', 'doctor', 'report', 'sweep', 'process']) expect(loaded).not.toContain(folder);
  });
});
