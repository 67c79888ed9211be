// From the words of a call to an exit code. Everything that can be wrong with a call or a spec ends here, in a
// sentence on the error stream or, with --json, as JSON.
import { type Call, CallError, parseCall } from './arguments';
import { check } from './commands/check';
import { cost } from './commands/cost';
import { report } from './commands/report';
import { summary } from './commands/summary';
import { sweep } from './commands/sweep';
import { trace } from './commands/trace';
import { train } from './commands/train';
import { LayerFault } from '../engine/custom/fault';
import { helpText } from './help';
import { jsonText } from './json';
import { SpecError } from './open';
import { EXIT, type ExitCode, type Terminal } from './terminal';

export async function runCall(terminal: Terminal, words: readonly string[], version: string): Promise<ExitCode> {
  try {
    const call = parseCall(words);
    return await execute(terminal, call, version);
  } catch (error) {
    if (error instanceof LayerFault) {
      const { fault } = error;
      if (words.includes('--json')) terminal.out.write(jsonText({ command: words[0] ?? null, fault }));
      else terminal.err.write(`nablascope: ${error.message}\n${fault.stack ? `${fault.stack}\n` : ''}`);
      return EXIT.failed;
    }
    if (!(error instanceof CallError) && !(error instanceof SpecError)) throw error;
    const json = words.includes('--json');
    if (json) terminal.out.write(jsonText({ command: words[0] ?? null, ...asData(error) }));
    else terminal.err.write(`${asText(error)}\n`);
    return EXIT.misuse;
  }
}

async function execute(terminal: Terminal, call: Call, version: string): Promise<ExitCode> {
  switch (call.command) {
    case 'help':
      terminal.out.write(helpText(call.about));
      return EXIT.good;
    case 'version':
      terminal.out.write(`${version}\n`);
      return EXIT.good;
    case 'check':
      return check(terminal, call);
    case 'train':
      return train(terminal, call);
    case 'trace':
      return trace(terminal, call);
    case 'summary':
      return summary(terminal, call);
    case 'cost':
      return cost(terminal, call);
    case 'report':
      return report(terminal, call, version);
    case 'sweep':
      return sweep(terminal, call);
  }
}

const asText = (error: CallError | SpecError): string =>
  error instanceof CallError ? `nablascope: ${error.message} ${error.remedy}` : error.message;

const asData = (error: CallError | SpecError) =>
  error instanceof CallError ? { error: { message: error.message, remedy: error.remedy } } : { problems: error.problems };
