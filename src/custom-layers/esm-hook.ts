// Loads layer files as ES modules, whatever the package.json above them declares.
import fs from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

type LoadHook = (
  url: string,
  context: { format?: string | null },
  next: (url: string, context: object) => unknown,
) => unknown;

let isRegistered = false;

/** From now on, files with exports are loaded as ES modules. Before Node 22.15 there is no option for it. */
export function registerEsmHook(): void {
  const { registerHooks } = nodeModule as { registerHooks?: (hooks: { load: LoadHook }) => void };
  if (isRegistered || !registerHooks) return;
  isRegistered = true;
  registerHooks({
    load(url, context, next) {
      const format =
        context.format === 'commonjs'
          ? 'module'
          : context.format === 'commonjs-typescript'
            ? 'module-typescript'
            : null;
      if (!format || !url.startsWith('file:') || url.includes('/node_modules/')) return next(url, context);
      const exports = /^\s*export\s/m.test(fs.readFileSync(fileURLToPath(url), 'utf8'));
      return next(url, exports ? { ...context, format } : context);
    },
  });
}
