// What each folder contains and may import. test/architecture.test.ts enforces it, and `npm run generate` writes the
// table of docs/architecture.md from it.

export interface FolderRule {
  /** For the table in docs/architecture.md. */
  readonly holds: string;
  /** Other folders that it may import, or `*` for any. */
  readonly imports: readonly string[];
  /** Folders from which it may import only types. */
  readonly typeImports?: readonly string[];
  /** Packages and built-in modules; a `*` at the end stands for anything. */
  readonly packages?: readonly string[];
  /** Uses no clock, no random source and no globals, so that it behaves the same in any environment. */
  readonly isPure?: boolean;
}

export const architecture: Readonly<Record<string, FolderRule>> = {
  'src/protocol': {
    holds:
      'plain types of all that crosses a process or page boundary: frames, model, queries, check reports, problems, ' +
      'commands, run records; the calls between host and engine process, and the messages between host and panel; ' +
      'escaping of untrusted text',
    imports: [],
    typeImports: ['src/history', 'src/chunking'],
    isPure: true,
  },
  'src/history': { holds: 'named series in bounded memory', imports: [], isPure: true },
  'src/chunking': { holds: 'the size of a message; splitting and reassembling large ones', imports: [], isPure: true },
  'src/engine': {
    holds:
      'tensors, kernels, `autograd`, layers, custom layers, losses, optimizers, schedules, penalty, initializers, ' +
      'datasets, transforms, augmentations, probes, random numbers, the network',
    imports: ['src/protocol'],
    packages: ['zod/mini'],
    isPure: true,
  },
  assembly: {
    holds: 'the fast kernels in AssemblyScript, compiled into `src/engine/kernels/wasm-modules.ts`',
    imports: [],
  },
  'src/presentation': {
    holds: 'numbers, shapes, positions, verdicts and outcomes of a check, in the same words on every surface',
    imports: ['src/protocol', 'src/engine'],
    isPure: true,
  },
  'src/gradcheck': {
    holds: 'numeric derivatives in float64, verdicts, reports; `diagnosis`: why a gradient is wrong',
    imports: ['src/protocol', 'src/engine', 'src/presentation'],
    isPure: true,
  },
  'src/model-spec': {
    holds: 'from text to spec and problems; shapes, memory, data, the compiled run; the generated schema',
    imports: ['src/protocol', 'src/engine'],
    typeImports: ['src/gradcheck'],
    packages: ['zod/mini', 'zod/v4/core', 'jsonc-parser'],
    isPure: true,
  },
  'src/data-profile': {
    holds: 'what a dataset holds: columns, classes, duplicates, contradictory samples',
    imports: ['src/protocol', 'src/engine'],
    isPure: true,
  },
  'src/diagnostics': {
    holds: 'rules that read a spec, its data or the numbers of a run, and report what does not train well',
    imports: ['src/protocol', 'src/engine', 'src/model-spec', 'src/data-profile', 'src/presentation'],
    isPure: true,
  },
  'src/new-model': {
    holds: 'from answers about the data, what to predict and the network to the text of a spec that trains',
    imports: ['src/protocol', 'src/engine', 'src/model-spec', 'src/data-profile'],
    isPure: true,
  },
  'src/expressions': {
    holds: 'the language of watches, conditions and log messages: parser and evaluator, over any scope of tensors',
    imports: ['src/engine'],
    packages: ['jsep'],
    isPure: true,
  },
  'src/session': {
    holds:
      '`TrainingSession` (the state of a run), `StepExecutor` (one step), `Runner` (drives a session), checkpoints, ' +
      'frames, `queries`',
    imports: [
      'src/protocol',
      'src/engine',
      'src/gradcheck',
      'src/model-spec',
      'src/data-profile',
      'src/diagnostics',
      'src/history',
      'src/chunking',
      'src/presentation',
      'src/expressions',
    ],
    isPure: true,
  },
  'src/doctor': {
    holds: 'the diagnosis of a spec: checks, short trainings, and fixes that are tried',
    imports: ['src/protocol', 'src/engine', 'src/model-spec', 'src/diagnostics', 'src/session', 'src/presentation'],
    isPure: true,
  },
  'src/sweep': {
    holds: 'the runs of a sweep, training one of them, mean and spread, the results file',
    imports: ['src/protocol', 'src/session', 'src/model-spec', 'src/presentation'],
    isPure: true,
  },
  'src/lectures': {
    holds: 'lecture files: their schema, stops and problems, and their Markdown as safe HTML',
    imports: ['src/protocol', 'src/model-spec', 'src/presentation'],
    packages: ['zod/mini', 'jsonc-parser', 'markdown-it'],
    isPure: true,
  },
  'src/report': {
    holds: 'a step of a run, or a lecture, as one HTML file: text, tables, curves as SVG, pictures',
    imports: ['src/protocol', 'src/presentation', 'src/history'],
    packages: ['node:crypto'],
  },
  'src/data-files': {
    holds: 'reads and unpacks the files that a spec names, and no others',
    imports: ['src/engine'],
    packages: ['node:*'],
  },
  'src/platform': {
    holds: 'what the machine provides: a thread pool for large products, 256-bit vectors',
    imports: ['src/engine'],
    packages: ['node:*'],
  },
  'src/custom-layers': {
    holds: 'loads the files of custom layers, and locates errors in them',
    imports: ['src/protocol', 'src/engine', 'src/data-files', 'src/presentation', 'src/model-spec'],
    packages: ['node:*'],
  },
  'src/process': {
    holds:
      "the engine process: supervisor, watchdog, worker, and the host's client; `sweep`: a sweep's threads and its " +
      'file; `doctor`: diagnoses a spec; `debug`: replays steps under a debugger; ' +
      '`replay`: threads that answer pieces of long queries',
    imports: [
      'src/protocol',
      'src/chunking',
      'src/session',
      'src/model-spec',
      'src/diagnostics',
      'src/engine',
      'src/data-files',
      'src/doctor',
      'src/sweep',
      'src/platform',
      'src/custom-layers',
    ],
    packages: ['birpc', 'node:*'],
  },
  'src/host': {
    holds: 'everything that talks to VS Code',
    imports: [
      'src/protocol',
      'src/process',
      'src/model-spec',
      'src/diagnostics',
      'src/history',
      'src/chunking',
      'src/report',
      'src/lectures',
      'src/new-model',
      'src/data-files',
      'src/presentation',
      'src/debugger',
      'src/agent-tools',
    ],
    packages: ['birpc', 'vscode', 'node:*'],
  },
  'src/test-explorer': {
    holds: "Test Explorer: the workspace's specs as trees, checked by an engine process of their own",
    imports: ['src/protocol', 'src/chunking', 'src/host', 'src/process', 'src/model-spec', 'src/presentation'],
    packages: ['vscode'],
  },
  'src/debugger': {
    holds: 'the debug adapter: a run as a program of the Debug Adapter Protocol, over any engine process',
    imports: ['src/protocol', 'src/process', 'src/model-spec', 'src/expressions', 'src/presentation'],
    packages: ['@vscode/debugadapter', '@vscode/debugprotocol'],
  },
  'src/agent-tools': {
    holds: 'tools for agents: calls of the `nablascope` command, over the Model Context Protocol and in VS Code',
    imports: ['src/data-files'],
    packages: ['zod/mini', 'zod/v4/core', 'node:*'],
  },
  'src/cli': {
    holds: 'the `nablascope` command',
    imports: [
      'src/agent-tools',
      'src/protocol',
      'src/presentation',
      'src/report',
      'src/doctor',
      'src/expressions',
      'src/session',
      'src/model-spec',
      'src/data-profile',
      'src/diagnostics',
      'src/gradcheck',
      'src/engine',
      'src/history',
      'src/data-files',
      'src/sweep',
      'src/process',
      'src/platform',
      'src/custom-layers',
      'src/debugger',
    ],
    packages: ['node:*'],
  },
  'src/extension.ts': {
    holds: 'creates and registers everything',
    imports: ['src/host', 'src/test-explorer'],
    packages: ['vscode'],
  },
  webview: {
    holds: 'the panel: store, controls, views, charts',
    imports: ['src/protocol', 'src/history', 'src/chunking', 'src/presentation'],
    packages: ['birpc', 'lit', 'lit/*', 'chart.js*', 'temml', '@vscode/codicons/*'],
  },
  scripts: {
    holds: 'building, generating, packaging, and running tests',
    imports: [],
    packages: ['*'],
  },
  bench: { holds: 'benchmarks, and comparisons with other libraries', imports: ['*', 'test'], packages: ['*'] },
};

const MARKERS = ['<!-- folders: generated from test/support/architecture-rules.ts -->', '<!-- /folders -->'] as const;

const shortName = (folder: string): string => folder.replace(/^src\//, '');

function describeImports({ imports, typeImports = [], packages = [] }: FolderRule): string {
  const folders = imports.map((folder) => (folder === '*' ? 'any folder' : shortName(folder)));
  const types = typeImports.map((folder) => `types of ${shortName(folder)}`);
  const names = packages.map((name) => ({ '*': 'any package', 'node:*': 'Node' })[name] ?? `\`${name}\``);
  return [...folders, ...types, ...names].join(', ') || 'nothing';
}

const folderTable = (): string =>
  [
    '| folder | what it holds | may import |',
    '|---|---|---|',
    ...Object.entries(architecture).map(
      ([folder, rule]) => `| \`${folder}\` | ${rule.holds} | ${describeImports(rule)} |`,
    ),
  ].join('\n');

/** @returns the text of docs/architecture.md with its table of folders replaced. */
export function withFolderTable(document: string): string {
  const [start, end] = MARKERS.map((marker) => document.indexOf(marker));
  if (start < 0 || end < start) throw new Error(`docs/architecture.md lacks the markers ${MARKERS.join(' and ')}`);
  return `${document.slice(0, start)}${MARKERS[0]}\n${folderTable()}\n${document.slice(end)}`;
}
