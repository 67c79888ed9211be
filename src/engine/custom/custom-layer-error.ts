import type { SourceLocation, LayerCall, CustomLayerErrorDetails } from '../../protocol/problem';
export const LAYER_CALLS = ['load', 'parameters', 'outputShape', 'forward', 'backward', 'async'] as const;

export class CustomLayerError extends Error {
  override name = 'CustomLayerError';

  constructor(readonly details: CustomLayerErrorDetails) {
    super(`${details.message} (${formatLocation(details.place)}) ${details.remedy}`);
  }
}

/** Returns a custom layer's error and rethrows any other. */
export function asCustomLayerError(error: unknown): CustomLayerError {
  if (error instanceof CustomLayerError) return error;
  throw error;
}

const baseName = (file: string): string => file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);

/** `swish.layer.ts:12:5`. */
export function formatLocation({ file, line, column }: SourceLocation): string {
  return [baseName(file), line, column].filter((part) => part !== null).join(':');
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
    case 'async':
      return `a timer or promise of ${layer}`;
  }
}
