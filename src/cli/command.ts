// The definition of a terminal command. To add one, add a file that calls `defineCommand` and an entry to
// commands/index.ts.
import { flag, integer, list, type OptionTable, type OptionValues } from './options';
import type { ExitCode, Terminal } from './terminal';

/** Options that every command takes; servers do not take `json`. */
export const commonOptions = {
  json: flag({ help: 'Print the result as one JSON object' }),
  allowCode: flag({
    help: 'Run the custom layers, losses and penalties of the spec; without it, such a spec is refused',
  }),
  dataFolder: list(
    { placeholder: 'FOLDER', help: 'Also read data files from this folder; can be repeated', example: '../data' },
    (folder) => folder,
  ),
  help: flag({ short: 'h', help: 'Print help' }),
  version: flag({ short: 'V', help: 'Print the version' }),
} satisfies OptionTable;

/** What every command knows about its call. */
export interface CommonArgs {
  /** The path of the spec as typed; empty for a command that takes none. */
  readonly file: string;
  /** The word after the spec; empty for a command that takes none. */
  readonly argument: string;
  readonly json: boolean;
  readonly allowCode: boolean;
  readonly dataFolder: readonly string[];
}

export type CommandArgs<Options extends OptionTable> = CommonArgs & OptionValues<Options>;

export interface ProgramInfo {
  /** The version of Nablascope. */
  readonly version: string;
}

export interface Command<Options extends OptionTable = OptionTable> {
  /** What `--help` says about the command: paragraphs. */
  readonly description: readonly string[];
  readonly options: Options;
  /** False if the call names no spec. */
  readonly takesSpec?: false;
  /** A word that follows the spec, such as a query. */
  readonly argument?: { readonly placeholder: string; readonly example: string };
  /** Groups of options that exclude each other. */
  readonly exclusive?: readonly (readonly string[])[];
  run(terminal: Terminal, args: CommandArgs<Options>, program: ProgramInfo): Promise<ExitCode>;
}

/** Infers the types of a command's arguments from its options. */
export const defineCommand = <Options extends OptionTable>(command: Command<Options>): Command => command;

export interface CommandSummary {
  readonly name: string;
  /** One line without a period, for the list of commands. */
  readonly summary: string;
  /**
   * It answers requests on standard input. It runs in the main thread, which has that input, and leaves custom layers
   * to processes of their own.
   */
  readonly isServer?: true;
}

/** A command before its file is imported. */
export interface CommandEntry extends CommandSummary {
  load(): Promise<Command>;
}

export type NamedCommand = Command & CommandSummary;

export const loadCommand = async ({ load, ...summary }: CommandEntry): Promise<NamedCommand> => ({
  ...summary,
  ...(await load()),
});

/** All options of a command: its own, and the common ones. */
export function optionsOf({ options, isServer }: NamedCommand): OptionTable {
  const { json, ...others } = commonOptions;
  return { ...options, ...(isServer ? {} : { json }), ...others };
}

export const loadCommands = (entries: readonly CommandEntry[]): Promise<NamedCommand[]> =>
  Promise.all(entries.map(loadCommand));

/** `--step K` of the commands that look at one step of a run. */
export const stepOption = (min: number, help: string) => integer({ placeholder: 'K', min, help, example: '10' });
