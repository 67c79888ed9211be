// The size of a message to the panel.
import { packNumbers } from '../../src/protocol/json-numbers';

/** As VS Code sends it: JSON with references to typed arrays, and their bytes. */
export function postedBytes(message: unknown): number {
  let bufferBytes = 0;
  const text = JSON.stringify(packNumbers(message), (_, value: unknown) => {
    if (!ArrayBuffer.isView(value)) return value;
    bufferBytes += value.byteLength;
    return {
      $$vscode_array_buffer_reference$$: true,
      index: 100,
      view: { type: 10, byteLength: value.byteLength, byteOffset: 0 },
    };
  });
  return Buffer.byteLength(text) + bufferBytes;
}
