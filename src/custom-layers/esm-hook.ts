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

/** Statements of ES modules, and names that only CommonJS has. */
const ES_STATEMENT = /(?:^|[;}])\s*(?:export\b|import\s*["'{*\w])/m;
const COMMONJS_NAME = /\b(?:module\.exports|exports\.\w|require\s*\()/;

/** From now on, all but CommonJS is loaded as ES modules. Before Node 22.15 there is no option for it. */
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
      const text = fs.readFileSync(fileURLToPath(url), 'utf8');
      const isCommonJs = COMMONJS_NAME.test(text) && !ES_STATEMENT.test(text);
      return next(url, isCommonJs ? context : { ...context, format });
    },
  });
}
