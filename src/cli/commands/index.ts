// The commands in the order of --help and docs/terminal.md. A new command is a file here and an entry in this list;
// parsing, help, the lists in docs/terminal.md (`npm run generate`) and the contract test follow from its descriptor.
// A command's file is imported only when its descriptor is used, so that no command waits for the code of another.
import type { CommandEntry } from '../command';

export const commands: readonly CommandEntry[] = [
  {
    name: 'check',
    summary: 'Compare every gradient with a numeric derivative of the loss',
    load: async () => (await import('./check')).checkCommand,
  },
  {
    name: 'train',
    summary: 'Train and print the loss and accuracy of every split',
    load: async () => (await import('./train')).trainCommand,
  },
  {
    name: 'doctor',
    summary: 'Find out why a network does not learn, and try the fixes',
    load: async () => (await import('./doctor')).doctorCommand,
  },
  {
    name: 'trace',
    summary: 'Print every value and gradient of one training step',
    load: async () => (await import('./trace')).traceCommand,
  },
  {
    name: 'explain',
    summary: 'Print the terms that one number of a step is computed from',
    load: async () => (await import('./explain')).explainCommand,
  },
  {
    name: 'query',
    summary: 'Ask about every step of a run: values, conditions, the first or last time',
    load: async () => (await import('./query')).queryCommand,
  },
  {
    name: 'summary',
    summary: 'Print shapes, parameters, multiply-adds, memory and receptive fields',
    load: async () => (await import('./summary')).summaryCommand,
  },
  {
    name: 'output-map',
    summary: 'Run a network for images on a larger image',
    load: async () => (await import('./output-map')).outputMapCommand,
  },
  {
    name: 'data',
    summary: 'Print what the data holds: columns, classes, duplicates and rows',
    load: async () => (await import('./data')).dataCommand,
  },
  {
    name: 'sweep',
    summary: 'Train every combination of options and compare the results',
    load: async () => (await import('./sweep')).sweepCommand,
  },
  {
    name: 'cost',
    summary: 'Time backpropagation against one forward pass per parameter',
    load: async () => (await import('./cost')).costCommand,
  },
  {
    name: 'report',
    summary: 'Write the run as one HTML file that opens in any browser',
    load: async () => (await import('./report')).reportCommand,
  },
  {
    name: 'debug-adapter',
    isServer: true,
    summary: 'Serve the debugger to an editor over standard input and output',
    load: async () => (await import('./debug-adapter')).debugAdapterCommand,
  },
  {
    name: 'mcp',
    isServer: true,
    summary: 'Serve tools to agents over the Model Context Protocol',
    load: async () => (await import('./mcp')).mcpCommand,
  },
];
