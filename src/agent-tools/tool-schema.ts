// The JSON schema of a tool's input, for agents.
import { toJSONSchema } from 'zod/v4/core';
import type { AgentTool } from './tools';

export function toolSchema({ input }: AgentTool): Readonly<Record<string, unknown>> {
  const { $schema: _, ...schema } = toJSONSchema(input, { target: 'draft-7', io: 'input' });
  return schema;
}
