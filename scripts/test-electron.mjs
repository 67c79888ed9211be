// Runs the suites of test/host/suite in desktop VS Code, which @vscode/test-electron downloads into .vscode-test/:
//   npm run test:electron            the newest stable version
//   npm run test:electron -- 1.90.0  a chosen one
// VSCODE_EXECUTABLE names an installed VS Code to take instead. Tests that need the window outside are skipped.
import fs from 'node:fs';
import path from 'node:path';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { build, exitOnBuildError } from './build.mjs';
import { compileSuites } from './compile-suites.mjs';
import { cacheFolder, quietSettings, root, temporaryFolder } from './vscode-server.mjs';

async function findExecutable(version) {
  if (process.env.VSCODE_EXECUTABLE) return process.env.VSCODE_EXECUTABLE;
  try {
    return await downloadAndUnzipVSCode({ version, cachePath: cacheFolder });
  } catch (error) {
    console.error(
      `Desktop VS Code (${version}) cannot be had here: its download failed (${error.message ?? error}).\n` +
        'The same suites run without it, in the VS Code that comes from npm: npm run test:host\n' +
        'An installed desktop VS Code is taken when VSCODE_EXECUTABLE names its executable.',
    );
    process.exit(1);
  }
}

const executable = await findExecutable(process.argv[2] ?? 'stable');
if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
  console.error('Desktop VS Code needs a display, and this machine shows none. Run it under xvfb-run.');
  process.exit(1);
}

await build().catch(exitOnBuildError);
let failed = false;
for (const { stage, files, compiled } of await compileSuites()) {
  if (stage === 'reload') {
    console.log(`\nreload: ${files.join(', ')} not run: a test window of desktop VS Code stores nothing to restore`);
    continue;
  }
  console.log(`\n${stage}: ${files.join(', ')}`);
  const folder = temporaryFolder('electron');
  const workspace = path.join(folder, 'workspace');
  for (const source of [path.join(root, 'examples'), path.join(root, 'test', 'host', 'workspace')]) {
    if (fs.existsSync(source)) fs.cpSync(source, workspace, { recursive: true });
  }
  fs.mkdirSync(path.join(folder, 'data', 'User'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'data', 'User', 'settings.json'), JSON.stringify(quietSettings));
  const launchArgs = [
    workspace,
    '--disable-extensions',
    '--skip-welcome',
    '--skip-release-notes',
    '--user-data-dir',
    path.join(folder, 'data'),
  ];
  if (stage !== 'restricted') launchArgs.push('--disable-workspace-trust');
  if (process.getuid?.() === 0) launchArgs.push('--no-sandbox');
  try {
    await runTests({
      vscodeExecutablePath: executable,
      extensionDevelopmentPath: root,
      extensionTestsPath: compiled,
      launchArgs,
    });
  } catch (error) {
    console.error(`FAILED ${stage}: ${error.message ?? error}`);
    failed = true;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
process.exitCode = failed ? 1 : 0;
