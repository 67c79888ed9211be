// The encoding of remote calls between the extension host and a page: JSON with separate typed arrays; an error is sent
// as its message.
import { packNumbers, unpackNumbers } from './json-numbers';

/** The relevant parts of a birpc message. */
interface RpcMessage {
  readonly t: 'q' | 's';
  /** An error in a response. */
  readonly e?: unknown;
}

export const isRpcMessage = (message: unknown): message is object =>
  typeof message === 'object' && message !== null && 't' in message && (message.t === 'q' || message.t === 's');

export const panelSerialization = {
  serialize: (message: RpcMessage): unknown =>
    packNumbers(message.e === undefined ? message : { ...message, e: toMessage(message.e) }),
  deserialize: (packed: unknown): RpcMessage => {
    const message = unpackNumbers(packed) as RpcMessage;
    return message.e === undefined ? message : { ...message, e: new Error(toMessage(message.e)) };
  },
};

const toMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));
