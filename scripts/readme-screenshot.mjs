// Copies the README's screenshot: the panel in a real VS Code, from the test run.
import fs from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { testHost } from './test-host.mjs';
import { root } from './vscode-server.mjs';

await build({ production: true });
const { failed } = await testHost({ filters: ['picture'] });
if (failed > 0) process.exit(1);
fs.copyFileSync(path.join(root, 'test', 'screenshots', 'workbench-dark.png'), path.join(root, 'docs', 'panel.png'));
console.log('docs/panel.png is new: look at it.');
