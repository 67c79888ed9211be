// Runs terminal commands in this process, and returns what they print.
import { runCli } from '../../src/cli/run-cli';
import type { Stream, Terminal } from '../../src/cli/terminal';

export interface CommandOutput {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Commands whose relative paths start in a folder. */
export const commandsIn =
  (folder: string) =>
  async (...words: string[]): Promise<CommandOutput> => {
    const text = { out: '', err: '' };
    const stream = (name: 'out' | 'err'): Stream => ({
      write: (part) => void (text[name] += part),
      isTTY: false,
      columns: 80,
    });
    const terminal: Terminal = {
      out: stream('out'),
      err: stream('err'),
      color: false,
      cwd: folder,
      bundleFolder: folder,
      now: () => performance.now(),
      pause: () => Promise.resolve(),
      interrupted: () => false,
    };
    return { code: await runCli(terminal, words, ''), ...text };
  };
