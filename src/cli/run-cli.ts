// Runs a call and returns its exit code. Every failure is handled here: as lines on standard error or, with --json, as
// the one JSON object on standard output.
import { CustomLayerError } from '../engine/custom/custom-layer-error';
import { loadCommands } from './command';
import { commands } from './commands';
import { helpJson, helpText } from './help';
import { printJson } from './json';
import { parseCall } from './parse-args';
import { formatProblem } from './problems';
import { SpecError } from './spec-error';
import { EXIT, type ExitCode, type Line, printLines, type Terminal } from './terminal';
import { UsageError } from './usage-error';

export async function runCli(terminal: Terminal, argv: readonly string[], version: string): Promise<ExitCode> {
  try {
    const call = await parseCall(argv, commands);
    const json = argv.includes('--json');
    switch (call.kind) {
      case 'help':
        if (json) printJson(terminal, helpJson(call.command ? [call.command] : await loadCommands(commands)));
        else terminal.out.write(helpText(commands, call.command));
        return EXIT.success;
      case 'version':
        if (json) printJson(terminal, { command: 'version', version });
        else printLines(terminal, terminal.out, [version]);
        return EXIT.success;
      case 'run':
        return await call.command.run(terminal, call.args, { version });
    }
  } catch (error) {
    return answerError(terminal, argv, error);
  }
}

/** @param argv the words as typed, since an error can occur before they are parsed */
export function answerError(terminal: Terminal, argv: readonly string[], error: unknown): ExitCode {
  const { json, lines, exit } = describeError(error, terminal.debug === true);
  if (argv.includes('--json')) printJson(terminal, { command: argv[0] ?? null, ...json });
  else printLines(terminal, terminal.err, lines);
  return exit;
}

interface ErrorAnswer {
  readonly json: object;
  readonly lines: readonly Line[];
  readonly exit: ExitCode;
}

function describeError(error: unknown, debug: boolean): ErrorAnswer {
  if (error instanceof SpecError) {
    const { problems } = error;
    return { json: { problems }, lines: problems.map(formatProblem), exit: EXIT.usageError };
  }
  if (error instanceof UsageError) {
    const { code, message, remedy } = error;
    return {
      json: { error: { code, message, remedy } },
      lines: [`nablascope: ${message} ${remedy}`],
      exit: EXIT.usageError,
    };
  }
  if (error instanceof CustomLayerError) {
    const { details } = error;
    return {
      json: { fault: details },
      lines: [`nablascope: ${error.message}`, ...(details.stack?.split('\n') ?? [])],
      exit: EXIT.failed,
    };
  }
  return internalError(error, debug);
}

const INTERNAL_REMEDY = 'This is a bug in Nablascope. Report it with the spec and the output under NABLASCOPE_DEBUG=1.';

function internalError(error: unknown, debug: boolean): ErrorAnswer {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const stack = debug && error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 9) : [];
  return {
    json: {
      error: {
        code: 'internal',
        message,
        remedy: INTERNAL_REMEDY,
        ...(debug && { stack: stack.map((line) => line.trim()) }),
      },
    },
    lines: [`nablascope: internal error: ${message.replace(/[.!?]?$/, '.')} ${INTERNAL_REMEDY}`, ...stack],
    exit: EXIT.failed,
  };
}
