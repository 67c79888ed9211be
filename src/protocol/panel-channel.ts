// Prepares birpc messages for the channel to a webview, which carries JSON and typed arrays: numbers that JSON lacks
// are packed, and an error is sent as its message.
import { packNumbers, unpackNumbers } from './json-numbers';

/** The relevant parts of a birpc message. */
interface RpcMessage {
  /** A request or a response. */
  readonly t: 'q' | 's';
  /** An error in a response. */
  readonly e?: unknown;
}

export const isRpcMessage = (message: unknown): message is RpcMessage =>
  typeof message === 'object' && message !== null && 't' in message && (message.t === 'q' || message.t === 's');

export const panelSerialization = {
  serialize: (message: RpcMessage): unknown =>
    packNumbers(message.e === undefined ? message : { ...message, e: errorText(message.e) }),
  deserialize: (packed: unknown): RpcMessage => {
    const message = unpackNumbers(packed) as RpcMessage;
    return message.e === undefined ? message : { ...message, e: new Error(errorText(message.e)) };
  },
};

const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
