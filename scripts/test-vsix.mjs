// Packs the .vsix, installs that file (not the source tree) into a fresh server through its own command line, and runs
// test/host/installed/ there, as for a user who installs the package.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { packExtension } from './package.mjs';
import { testHost } from './test-host.mjs';
import { root, runServerCommand } from './vscode-server.mjs';

const sizeLimit = 2 * 1024 * 1024;

/** VS Code runs a suite only with an extension in development; this one is empty. */
function writeBystander() {
  const folder = path.join(root, 'out', 'bystander');
  fs.mkdirSync(folder, { recursive: true });
  const manifest = { name: 'bystander', publisher: 'nablascope-test', version: '0.0.1', engines: { vscode: '*' } };
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
  return folder;
}

export async function testVsix() {
  const file = packExtension(path.join(root, 'out', 'nablascope.vsix'));
  const { size } = fs.statSync(file);
  const small = size < sizeLimit;
  console.log(`  ${small ? 'ok' : 'FAILED'} the .vsix has ${(size / 1024).toFixed(0)} KB, less than 2 MB`);
  const counts = await testHost({
    suiteFolder: path.join(root, 'test', 'host', 'installed'),
    extension: writeBystander(),
    prepare: async (dataFolder) => {
      const output = await runServerCommand(dataFolder, ['--install-extension', file]);
      console.log(output.trim().split('\n').at(-1));
    },
  });
  return { passed: counts.passed + Number(small), failed: counts.failed + Number(!small) };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { passed, failed } = await testVsix();
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
