// What a message to the panel weighs.
import { pack } from '../../src/protocol/channel';

/** As VS Code sends it: JSON, with a typed array named where it stands, and its bytes beside. */
export function weigh(message: unknown): number {
  let beside = 0;
  const text = JSON.stringify(pack(message), (_, value: unknown) => {
    if (!ArrayBuffer.isView(value)) return value;
    beside += value.byteLength;
    return { $$vscode_array_buffer_reference$$: true, index: 100, view: { type: 10, byteLength: value.byteLength, byteOffset: 0 } };
  });
  return Buffer.byteLength(text) + beside;
}
