// What is wrong with a layer of the user's own, as data: which layer, in which of its functions, and where in its file.

/** Where in the user's code. */
export interface CodePlace {
  /** Absolute. */
  readonly file: string;
  /** Lines and columns count from 1, columns in UTF-16 units; null where only the file is known. */
  readonly line: number | null;
  readonly column: number | null;
}

/** What of a layer's code ran: loading its file, or one of its functions. */
export const LAYER_CALLS = ['load', 'parameters', 'outputShape', 'forward', 'backward'] as const;
export type LayerCall = (typeof LAYER_CALLS)[number];

export interface Fault {
  /** The layer's name in the spec. */
  readonly layer: string;
  readonly call: LayerCall;
  /** One sentence that names layer and function. */
  readonly message: string;
  readonly remedy: string;
  readonly place: CodePlace;
  /** Of an exception: the stack as JavaScript gives it. */
  readonly stack: string | null;
}

export class LayerFault extends Error {
  override name = 'LayerFault';

  constructor(readonly fault: Fault) {
    super(`${fault.message} (${describePlace(fault.place)}) ${fault.remedy}`);
  }
}

/** What was thrown, if it is a layer's fault; anything else is thrown on. */
export function asFault(error: unknown): LayerFault {
  if (error instanceof LayerFault) return error;
  throw error;
}

const fileName = (file: string): string => file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);

/** `swish.layer.ts:12:5`. */
export function describePlace({ file, line, column }: CodePlace): string {
  return [fileName(file), line, column].filter((part) => part !== null).join(':');
}

/** `the forward pass of swish1`. */
export function describeCall(call: LayerCall, layer: string): string {
  switch (call) {
    case 'load':
      return `loading the file of ${layer}`;
    case 'parameters':
    case 'outputShape':
      return `"${call}" of ${layer}`;
    case 'forward':
    case 'backward':
      return `the ${call} pass of ${layer}`;
  }
}
