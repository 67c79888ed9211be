// `nablascope mcp`: tools for agents, over standard input and output.
import path from 'node:path';
import { serveMcp } from '../../agent-tools';
import { type CommandArgs, defineCommand, type ProgramInfo } from '../command';
import { EXIT, type ExitCode, type Terminal } from '../terminal';

const options = {};

export const mcpCommand = defineCommand({
  description: [
    'Serves tools over the Model Context Protocol: check gradients, explain a gradient error, diagnose a network, ' +
      'query a run, explain a value, train a variant. Specs are read below the current folder. Custom layers run only ' +
      'with --allow-code, which an agent cannot set.',
  ],
  takesSpec: false,
  options,
  run: serve,
});

async function serve(
  terminal: Terminal,
  { allowCode, dataFolder }: CommandArgs<typeof options>,
  { version }: ProgramInfo,
): Promise<ExitCode> {
  const { input, out, bundleFolder, cwd } = terminal;
  if (!input) throw new Error('the MCP server needs an input');
  await serveMcp({
    version,
    input,
    write: (line) => out.write(line),
    cliFile: path.join(bundleFolder, 'cli.js'),
    folders: [cwd],
    dataFolders: dataFolder.map((folder) => path.resolve(cwd, folder)),
    allowsCode: () => allowCode,
    howToAllowCode: 'Ask the user to read the code, and to start the server with --allow-code if they trust it.',
  });
  return EXIT.success;
}
