// package.nls.json: the English texts of package.json. Those of commands and tools come from their tables; the others
// are written there by hand.
import { toolTexts } from '../../agent-tools';
import { commandTexts } from './contributions';

/** @param text of package.nls.json. @returns it with the texts of the tables; the rest stays */
export function withTableTexts(text: string): string {
  const own = Object.entries(JSON.parse(text) as Record<string, string>).filter(
    ([key]) => !/^(command|tool)\./.test(key),
  );
  return `${JSON.stringify({ ...Object.fromEntries(own), ...commandTexts(), ...toolTexts() }, null, 2)}\n`;
}
