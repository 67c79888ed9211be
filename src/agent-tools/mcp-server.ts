// The Model Context Protocol (https://modelcontextprotocol.io/specification) over standard input and output, as far as a
// server of tools needs it: one JSON-RPC 2.0 message a line.
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { runTool, type ToolOptions } from './run-tool';
import { toolSchema } from './tool-schema';
import { agentTools } from './tools';

/** Newest first. */
const PROTOCOL_VERSIONS = ['2025-06-18', '2025-03-26', '2024-11-05'] as const;

/** https://www.jsonrpc.org/specification#error_object */
const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;

/** UTF-16 units of a message. */
const MAX_MESSAGE = 2 ** 20;
/** Calls that run at the same time: each is a process that computes. */
const MAX_CALLS = 4;

class RpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

type Id = string | number;

interface Message {
  readonly jsonrpc?: unknown;
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

export interface McpServerOptions extends ToolOptions {
  readonly version: string;
  readonly input: Readable;
  readonly write: (line: string) => void;
}

/** Serves until the input ends; then running calls are ended. */
export async function serveMcp(options: McpServerOptions): Promise<void> {
  const { input, write, version } = options;
  const calls = new Map<Id, AbortController>();
  const send = (message: object): void => write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const sendError = (id: Id | null, code: number, message: string): void => send({ id, error: { code, message } });

  const callTool = async (id: Id, params: { readonly name?: unknown; readonly arguments?: unknown }) => {
    const tool = agentTools.find(({ name }) => name === params.name);
    if (!tool)
      throw new RpcError(
        INVALID_PARAMS,
        `There is no tool ${String(params.name)}. The tools are ${agentTools.map(({ name }) => name).join(', ')}.`,
      );
    if (calls.size >= MAX_CALLS)
      return {
        isError: true,
        content: [{ type: 'text', text: `${MAX_CALLS} calls run already. Wait for one of them.` }],
      };
    const controller = new AbortController();
    calls.set(id, controller);
    try {
      const { isError, text } = await runTool(tool, params.arguments, options, controller.signal);
      return { isError, content: [{ type: 'text', text }] };
    } finally {
      calls.delete(id);
    }
  };

  const answer = async (id: Id, method: string, params: Record<string, unknown>): Promise<object> => {
    switch (method) {
      case 'initialize': {
        const asked = PROTOCOL_VERSIONS.find((each) => each === params.protocolVersion);
        return {
          protocolVersion: asked ?? PROTOCOL_VERSIONS[0],
          capabilities: { tools: {} },
          serverInfo: { name: 'nablascope', title: 'Nablascope', version },
        };
      }
      case 'ping':
        return {};
      case 'tools/list':
        return {
          tools: agentTools.map((tool) => ({
            name: tool.name,
            title: tool.title,
            description: tool.description,
            inputSchema: toolSchema(tool),
            annotations: { readOnlyHint: true, openWorldHint: false },
          })),
        };
      case 'tools/call':
        return callTool(id, params);
      default:
        throw new RpcError(METHOD_NOT_FOUND, `There is no method ${method}.`);
    }
  };

  const receive = async (line: string): Promise<void> => {
    if (line.trim() === '') return;
    if (line.length > MAX_MESSAGE) return sendError(null, INVALID_REQUEST, 'The message is too long.');
    let message: Message | null;
    try {
      message = JSON.parse(line) as Message | null;
    } catch {
      return sendError(null, PARSE_ERROR, 'A message is one line of JSON.');
    }
    const { jsonrpc, id, method, params } = message ?? {};
    const isId = typeof id === 'string' || typeof id === 'number';
    if (jsonrpc !== '2.0' || typeof method !== 'string' || (id !== undefined && !isId))
      return sendError(isId ? id : null, INVALID_REQUEST, 'This is no request of JSON-RPC 2.0.');
    const given = typeof params === 'object' && params !== null ? (params as Record<string, unknown>) : {};
    if (!isId) {
      if (method === 'notifications/cancelled') calls.get(given.requestId as Id)?.abort();
      return;
    }
    try {
      send({ id, result: await answer(id, method, given) });
    } catch (error) {
      if (error instanceof RpcError) sendError(id, error.code, error.message);
      else sendError(id, INTERNAL_ERROR, error instanceof Error ? error.message : String(error));
    }
  };

  const running = new Set<Promise<void>>();
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const work = receive(line).finally(() => running.delete(work));
    running.add(work);
  }
  for (const call of calls.values()) call.abort();
  await Promise.all(running);
}
