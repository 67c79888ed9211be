// The tools as package.json contributes them to the language models of VS Code 1.95 and later. Earlier ones ignore
// them.
import { toolSchema } from './tool-schema';
import { agentTools } from './tools';

export const languageModelToolId = (name: string): string => `nablascope_${name}`;

const nameKey = (name: string): string => `tool.${name}.displayName`;
const descriptionKey = (name: string): string => `tool.${name}.userDescription`;

/** What people see of the tools, by their keys in package.nls.json. */
export const toolTexts = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    agentTools.flatMap(({ name, title, description }) => [
      [nameKey(name), title],
      [descriptionKey(name), description.split(/(?<=[.:]) /)[0]!.replace(/:$/, '.')],
    ]),
  );

export const languageModelTools = () =>
  agentTools.map((tool) => ({
    name: languageModelToolId(tool.name),
    displayName: `%${nameKey(tool.name)}%`,
    modelDescription: tool.description,
    userDescription: `%${descriptionKey(tool.name)}%`,
    canBeReferencedInPrompt: true,
    toolReferenceName: tool.name,
    icon: '$(pulse)',
    inputSchema: toolSchema(tool),
  }));

/** package.json with its tools as the table has them; the rest stays. */
export function withToolContributions(packageJson: string): string {
  const manifest = JSON.parse(packageJson) as { contributes: Record<string, unknown> };
  // In place, so that the order of keys stays.
  manifest.contributes.languageModelTools = languageModelTools();
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
