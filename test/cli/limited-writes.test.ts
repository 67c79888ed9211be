// A sample of `npm run campaign`.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltCli, buildCli } from './built-cli';
import { BLOCK, checkLimitedWrite, WRITERS } from './limited-writes';

let cli: BuiltCli;

beforeAll(async () => {
  cli = await buildCli();
});

afterAll(() => cli.remove());

describe.skipIf(process.platform === 'win32')('a file that cannot be written to its end', () => {
  it.each(Object.keys(WRITERS))('of %s stays as it was', async (name) => {
    expect(await checkLimitedWrite(cli, name, 0)).toBeNull();
    expect(await checkLimitedWrite(cli, name, 1)).toBeNull();
  });

  it.each(Object.keys(WRITERS))('of %s is replaced where it fits', async (name) => {
    expect(await checkLimitedWrite(cli, name, WRITERS[name]!.maxBytes / BLOCK)).toBeNull();
  });
});
