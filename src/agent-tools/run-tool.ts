// Runs a tool: checks its input, calls the command in a process of its own, which a time limit ends, and shortens the
// answer. Never throws for what an agent can do wrong: the result says what to do.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import * as z from 'zod/mini';
import { isInside } from '../data-files/is-inside';
import type { AgentTool, CliAnswer } from './tools';

export interface ToolOptions {
  /** dist/cli.js. */
  readonly cliFile: string;
  /** Specs are below these folders; relative paths are based on the first. */
  readonly folders: readonly string[];
  /** Further folders with data files, as absolute paths. */
  readonly dataFolders: readonly string[];
  /** Whether custom layers of a spec may run. */
  readonly allowsCode: (specFile: string) => boolean;
  /** What to do so that they may, as a sentence. */
  readonly howToAllowCode: string;
}

export interface ToolResult {
  readonly isError: boolean;
  readonly text: string;
}

const DEFAULT_SECONDS = 60;
/** UTF-16 units of a result. */
const MAX_TEXT = 16_000;
/** Of the command's standard output. */
const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

const failure = (text: string): ToolResult => ({ isError: true, text });

export async function runTool(
  tool: AgentTool,
  input: unknown,
  { cliFile, folders, dataFolders, allowsCode, howToAllowCode }: ToolOptions,
  signal?: AbortSignal,
): Promise<ToolResult> {
  const parsed = z.safeParse(tool.input, input ?? {}, { reportInput: true });
  if (!parsed.success)
    return failure(`The input is invalid. ${parsed.error.issues.slice(0, 5).map(describeIssue).join(' ')}`);
  const given = parsed.data as { readonly spec: string; readonly seconds?: number };
  const file = path.resolve(folders[0] ?? '', given.spec);
  if (!file.endsWith('.json') || !folders.some((folder) => isInside(file, folder)))
    return failure(`${given.spec} is no *.nabla.json file below ${folders[0] ?? 'an open folder'}. Name one there.`);
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (!exists) return failure(`There is no file ${given.spec} in ${folders[0]}. Check the path.`);
  const seconds = given.seconds ?? DEFAULT_SECONDS;
  const scratchFile = path.join(os.tmpdir(), `nablascope-${randomUUID()}.json`);
  try {
    const [command = '', ...words] = tool.words({ ...given, spec: file }, scratchFile);
    const flags = [
      '--json',
      ...(allowsCode(file) ? ['--allow-code'] : []),
      ...dataFolders.flatMap((folder) => ['--data-folder', folder]),
    ];
    const output = await callCli([cliFile, command, ...flags, ...words], folders[0], seconds, signal);
    if (output.kind !== 'done') return failure(output.message);
    return answerOf(tool, given, output.text, howToAllowCode);
  } finally {
    await rm(scratchFile, { force: true });
  }
}

/** What is wrong with an input, as a sentence. */
function describeIssue(issue: z.core.$ZodIssue): string {
  const name = issue.path.length > 0 ? issue.path.join('.') : 'The input';
  const unit = 'origin' in issue && issue.origin === 'string' ? ' characters long' : '';
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? `${name} is missing.` : `${name} must be of type ${issue.expected}.`;
  if (issue.code === 'unrecognized_keys') return `There is no ${issue.keys.join(' and no ')}.`;
  if (issue.code === 'too_small') return `${name} must be at least ${issue.minimum}${unit}.`;
  if (issue.code === 'too_big') return `${name} must be at most ${issue.maximum}${unit}.`;
  return `${name} is not valid.`;
}

function answerOf(tool: AgentTool, input: unknown, text: string, howToAllowCode: string): ToolResult {
  let answer: CliAnswer;
  try {
    answer = JSON.parse(text) as CliAnswer;
  } catch {
    return failure('The command ended without a result. Try again, or run it in a terminal to see why.');
  }
  const problems = Array.isArray(answer.problems) ? (answer.problems as Record<string, unknown>[]) : [];
  const errors = problems.filter(({ severity }) => severity === 'error');
  const { error, fault } = answer as {
    readonly error?: Record<string, string>;
    readonly fault?: Record<string, string>;
  };
  if (error) return failure(`${error.message} ${error.remedy ?? ''}`.trim());
  if (fault) return failure(`${fault.message} ${fault.remedy ?? ''}`.trim());
  if (errors.some(({ code }) => code === 'code-not-allowed'))
    return failure(`The spec has custom layers, whose code needs permission to run. ${howToAllowCode}`);
  if (errors.length > 0)
    return failure(
      errors
        .slice(0, 10)
        .map(
          ({ line, column, message, remedy }) =>
            `${String(line)}:${String(column)}: ${String(message)} ${String(remedy)}`,
        )
        .join('\n'),
    );
  const result = JSON.stringify(tool.summarize(answer, input));
  return result.length <= MAX_TEXT
    ? { isError: false, text: result }
    : { isError: false, text: `${result.slice(0, MAX_TEXT)}… (cut off: ask for less)` };
}

type CliOutput =
  { readonly kind: 'done'; readonly text: string } | { readonly kind: 'failed'; readonly message: string };

/** Settles when the process has ended. */
function callCli(
  args: readonly string[],
  folder: string | undefined,
  seconds: number,
  signal: AbortSignal | undefined,
): Promise<CliOutput> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: folder,
    // In Electron the same binary is a browser or Node.
    env: { ...env, ELECTRON_RUN_AS_NODE: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let why: string | null = null;
  const stop = (reason: string): void => {
    why ??= reason;
    child.kill('SIGKILL');
  };
  const cancel = (): void => stop('Canceled.');
  const timer = setTimeout(
    () => stop(`It took longer than ${seconds} seconds and was ended. Ask for less, or raise "seconds" (at most 600).`),
    1000 * seconds,
  );
  const parts: Buffer[] = [];
  let size = 0;
  child.stdout.on('data', (part: Buffer) => {
    size += part.length;
    if (size > MAX_OUTPUT_BYTES) stop('The result is too large. Ask for less.');
    else parts.push(part);
  });
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel);
  return new Promise((resolve) => {
    const settle = (output: CliOutput): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      resolve(output);
    };
    child.on('error', (error) =>
      settle({ kind: 'failed', message: `The command cannot be started: ${error.message}.` }),
    );
    child.on('close', () =>
      settle(
        why === null ? { kind: 'done', text: Buffer.concat(parts).toString('utf8') } : { kind: 'failed', message: why },
      ),
    );
  });
}
