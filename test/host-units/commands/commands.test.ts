// The table of commands against the manifest that is generated from it.
import { describe, expect, it } from 'vitest';
import { type CommandContext, commandTable, contextKeys } from '../../../src/host/commands/command-table';
import { contributes } from '../../../package.json';
import { commandContributions } from '../../../src/host/commands/contributions';

const { commands, menus, keybindings } = commandContributions();

describe('commands', () => {
  it('are contributed once each, with a title', () => {
    expect(commands.map(({ command }) => command)).toEqual(
      Object.keys(commandTable).map((name) => `nablascope.${name}`),
    );
    expect(commands.filter(({ title }) => title.trim() === '')).toEqual([]);
  });

  it('refer only to context keys that are set', () => {
    const conditions = [...Object.values(menus).flat(), ...keybindings].map(({ when }) => when).join(' ');
    const used = new Set(conditions.match(/nablascope\.[a-zA-Z]+/g));
    const views = Object.values(contributes.views).flatMap((each) => each.map(({ id }) => id));
    const known = new Set<string>([...Object.values(contextKeys), 'nablascope.panel', ...views]);
    expect([...used].filter((key) => !known.has(key))).toEqual([]);
  });

  it('never offer run and pause at the same time', () => {
    const palette = (command: string): string | undefined =>
      menus.commandPalette.find((entry) => entry.command === command)?.when;
    expect(palette('nablascope.run')).toContain('!nablascope.running');
    expect(palette('nablascope.pause')).toBe('nablascope.running');
  });

  it('share a key only under exclusive conditions', () => {
    const f5 = keybindings.filter(({ key }) => key === 'f5').map(({ when }) => when);
    expect(f5).toHaveLength(2);
    expect(f5[0].replace('!nablascope.running', 'nablascope.running')).toBe(f5[1]);
  });
});

describe('a command with a number', () => {
  const runWith = async (argument: unknown, prompted: number | undefined) => {
    const sent: unknown[] = [];
    const prompt = async () => prompted;
    const context = {
      activeRun: async () => ({ controller: { command: async (command: unknown) => void sent.push(command) } }),
      prompts: { step: prompt, epoch: prompt, reachedStep: prompt, learningRate: prompt },
    } as unknown as CommandContext;
    await commandTable.runToStep.run(context, argument);
    return sent;
  };

  it("uses the caller's argument", async () => {
    expect(await runWith(7, 9)).toEqual([{ type: 'runToStep', step: 7 }]);
  });

  it('prompts for it otherwise, and does nothing if dismissed', async () => {
    expect(await runWith(undefined, 9)).toEqual([{ type: 'runToStep', step: 9 }]);
    expect(await runWith(undefined, undefined)).toEqual([]);
  });
});
