// The commands in the order of --help and docs/terminal.md. A new command is a file here and a line in this list;
// parsing, help, the lists in docs/terminal.md (`npm run generate`) and the contract test follow from its descriptor.
import type { Command } from '../command';
import { checkCommand } from './check';
import { costCommand } from './cost';
import { dataCommand } from './data';
import { debugAdapterCommand } from './debug-adapter';
import { doctorCommand } from './doctor';
import { reportCommand } from './report';
import { summaryCommand } from './summary';
import { sweepCommand } from './sweep';
import { traceCommand } from './trace';
import { trainCommand } from './train';

export const commands: readonly Command[] = [
  checkCommand,
  trainCommand,
  doctorCommand,
  traceCommand,
  summaryCommand,
  dataCommand,
  sweepCommand,
  costCommand,
  reportCommand,
  debugAdapterCommand,
];
