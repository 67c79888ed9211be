// The part of package.json and of its texts that follows from the table of commands.
import { type CommandDescriptor, commandTable } from './command-table';

const CATEGORY = 'Nablascope';

interface Manifest {
  contributes: Record<string, unknown>;
}

export interface CommandContributions {
  readonly commands: readonly Readonly<Record<string, string>>[];
  readonly menus: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>;
  readonly keybindings: readonly Readonly<Record<string, string>>[];
}

const titleKey = (name: string): string => `command.${name}.title`;
const shortTitleKey = (name: string): string => `command.${name}.shortTitle`;

/** The titles by their keys in package.nls.json. */
export function commandTexts(): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [name, { title, shortTitle }] of Object.entries<CommandDescriptor>(commandTable)) {
    texts[titleKey(name)] = title;
    if (shortTitle !== undefined) texts[shortTitleKey(name)] = shortTitle;
  }
  return texts;
}

export function commandContributions(): CommandContributions {
  const menus: Record<string, Record<string, string>[]> = {};
  const keybindings: Record<string, string>[] = [];
  const commands = Object.entries<CommandDescriptor>(commandTable).map(([name, descriptor]) => {
    const command = `nablascope.${name}`;
    const { shortTitle, icon, palette } = descriptor;
    for (const [menu, { when, group }] of Object.entries(descriptor.menus ?? {}))
      (menus[menu] ??= []).push({ command, when, group });
    if (palette !== undefined) (menus.commandPalette ??= []).push({ command, when: palette });
    for (const { key, when } of descriptor.keybindings ?? []) keybindings.push({ command, key, when });
    return {
      command,
      title: `%${titleKey(name)}%`,
      ...(shortTitle && { shortTitle: `%${shortTitleKey(name)}%` }),
      category: CATEGORY,
      ...(icon && { icon }),
    };
  });
  return { commands, menus, keybindings };
}

/** package.json with its commands, menus and keybindings as the table has them; the rest stays. */
export function withCommandContributions(packageJson: string): string {
  const manifest = JSON.parse(packageJson) as Manifest;
  // In place, so that the order of keys stays.
  Object.assign(manifest.contributes, commandContributions());
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
