import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

interface Compiler {
  readonly EMBEDDED: string;
  embedded(): Promise<string>;
}

describe('the embedded WebAssembly modules', () => {
  it('are what assembly/ compiles to: run `npm run generate` after a change there', async () => {
    const script = pathToFileURL(join(__dirname, '..', '..', '..', 'scripts', 'kernels.mjs')).href;
    const { EMBEDDED, embedded } = (await import(script)) as Compiler;
    expect((await embedded()) === readFileSync(EMBEDDED, 'utf8')).toBe(true);
  });
});
