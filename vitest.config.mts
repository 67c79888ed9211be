// Two projects: `unit` runs in Node; `webview` drives the built panel in a real Chromium. What runs inside VS Code
// (test/host) has its own runner.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias: { vscode: fileURLToPath(new URL('test/support/vscode.ts', import.meta.url)) } },
        test: {
          name: 'unit',
          setupFiles: ['test/support/fast-check-setup.ts'],
          include: ['test/**/*.test.ts'],
          exclude: ['test/host/**', 'test/webview/**'],
          // Limits for what hangs, not for what is slow: the tests pass on a busy machine too.
          testTimeout: 300_000,
          // Some build the command first.
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'webview',
          setupFiles: ['test/support/fast-check-setup.ts'],
          include: ['test/webview/**/*.test.ts'],
          // One browser per file; two cores can handle one file at a time.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
