// Layer files are ES modules, whatever the package.json above them says of files in general.
import fs from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

type Load = (url: string, context: { format?: string | null }, next: (url: string, context: object) => unknown) => unknown;

let done = false;

/** From now on files that export are loaded as what they are. Before Node 22.15 there is no way to say so. */
export function loadAsModules(): void {
  const { registerHooks } = nodeModule as { registerHooks?: (hooks: { load: Load }) => void };
  if (done || !registerHooks) return;
  done = true;
  registerHooks({
    load(url, context, next) {
      const format = context.format === 'commonjs' ? 'module' : context.format === 'commonjs-typescript' ? 'module-typescript' : null;
      if (!format || !url.startsWith('file:') || url.includes('/node_modules/')) return next(url, context);
      const exports = /^\s*export\s/m.test(fs.readFileSync(fileURLToPath(url), 'utf8'));
      return next(url, exports ? { ...context, format } : context);
    },
  });
}
