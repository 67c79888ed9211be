// `nablascope debug-adapter`: the debugger for editors other than VS Code, over standard input and output.
import path from 'node:path';
import { Writable } from 'node:stream';
import { launchEngine, NablascopeDebugSession } from '../../debugger';
import { type CommandArgs, defineCommand } from '../command';
import { readSpec } from '../open-spec';
import { EXIT, type ExitCode, type Terminal } from '../terminal';

const options = {};

export const debugAdapterCommand = defineCommand({
  description: [
    'Speaks the Debug Adapter Protocol. The launch configuration names the spec as "program"; "stopOnEntry" is true ' +
      'by default. Custom layers run only with --allow-code, which the configuration cannot set.',
  ],
  takesSpec: false,
  options,
  run: serve,
});

async function serve(terminal: Terminal, args: CommandArgs<typeof options>): Promise<ExitCode> {
  const { input, bundleFolder } = terminal;
  if (!input) throw new Error('the debug adapter needs an input');
  const session = new NablascopeDebugSession(async ({ program }, events) => {
    const { text, path: file, folders } = readSpec(terminal, { ...args, file: program });
    const { folder, root, allowed = [] } = folders;
    const request = { text, folder, root, allowed, allowCustomLayers: args.allowCode };
    return launchEngine(path.join(bundleFolder, 'engine-process.js'), file, request, events);
  });
  const output = new Writable({
    decodeStrings: false,
    write: (text: string | Buffer, _encoding, done) => {
      terminal.out.write(text.toString());
      done();
    },
  });
  session.start(input, output);
  await session.closed;
  // Reading would keep the process alive.
  input.pause();
  return EXIT.success;
}
