// `npm start`: builds, then opens examples/ in VS Code with the extension loaded: desktop VS Code if `code` is on the
// PATH, otherwise the server from npm, whose address is printed (and opened, if there is a browser). PORT sets the
// server's port; `npm start -- --embedded` always uses the server.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build, exitOnBuildError } from './build.mjs';
import { cacheFolder, quietSettings, root, startServer, windowAddress, writeUserSettings } from './vscode-server.mjs';

const { values } = parseArgs({
  options: {
    embedded: { type: 'boolean', default: false },
    folder: { type: 'string', default: path.join(root, 'examples') },
    extension: { type: 'string', default: root },
  },
});
const folder = path.resolve(values.folder);
const extension = path.resolve(values.extension);
const windows = process.platform === 'win32';

console.log('Building Nablascope ...');
await build().catch(exitOnBuildError);

/** Opens desktop VS Code; false if there is none, or only the `code` of a remote terminal, or if it fails. */
function openDesktop() {
  if (values.embedded || process.env.VSCODE_IPC_HOOK_CLI) return false;
  if (spawnSync('code', ['--version'], { stdio: 'ignore', shell: windows }).status !== 0) return false;
  const quote = (text) => (windows ? `"${text}"` : text);
  const opened = spawnSync('code', [quote(`--extensionDevelopmentPath=${extension}`), quote(folder)], {
    stdio: 'inherit',
    shell: windows,
  });
  return opened.status === 0;
}

/** Opens the address in a browser if there is a desktop; a failure is ignored. */
function openBrowser(address) {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', address]
      : windows
        ? ['rundll32', 'url.dll,FileProtocolHandler', address]
        : process.env.DISPLAY || process.env.WAYLAND_DISPLAY
          ? ['xdg-open', address]
          : [];
  if (!command) return;
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}

if (openDesktop()) {
  console.log('VS Code is opening with Nablascope. Open a *.nabla.json file and press the ∇ button of its editor.');
} else {
  const port = Number(process.env.PORT ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    console.error(`PORT is "${process.env.PORT}"; it has to be a number from 0 (any free port) to 65535.`);
    process.exit(2);
  }
  const dataFolder = path.join(cacheFolder, 'start');
  if (!fs.existsSync(path.join(dataFolder, 'data', 'User', 'settings.json'))) {
    writeUserSettings(dataFolder, quietSettings);
  }
  console.log('Starting VS Code in the browser ...');
  const server = await startServer({ dataFolder, port, gallery: true, onProgress: console.log }).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    console.log('\nStopping ...');
    await server.stop();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop());
  if (process.env.npm_lifecycle_event) {
    // npm sends a signal only to its shell; when that shell has gone, so has the user's command.
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && void stop(), 1000).unref();
  }
  const address = windowAddress(server, { folder, extension });
  console.log(`\nNablascope is ready at ${address}\n`);
  console.log('Ctrl-C stops it.');
  openBrowser(address);
  const code = await server.exited;
  if (!stopping) {
    console.error(`VS Code's server ended with exit code ${code}.`);
    process.exit(1);
  }
}
