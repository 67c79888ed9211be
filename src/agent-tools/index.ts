// Tools for agents, over the Model Context Protocol and in VS Code: docs/agents.md.
export { languageModelToolId, languageModelTools, toolTexts, withToolContributions } from './contributions';
export { type McpServerOptions, serveMcp } from './mcp-server';
export { runTool, type ToolOptions, type ToolResult } from './run-tool';
export { type AgentTool, agentTools } from './tools';
