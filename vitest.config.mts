// Two projects: `unit` runs in Node; `webview` drives the built panel in a real Chromium. What runs inside VS Code
// (test/host) has its own runner.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/host/**', 'test/webview/**'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'webview',
          include: ['test/webview/**/*.test.ts'],
          // One browser a file; two cores carry one file at a time.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
