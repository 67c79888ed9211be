// A real VS Code from npm alone: the server inside the npm package code-server, installed once into .vscode-test/ and
// started on a loopback port with the Node 24 of node_modules. It listens only on 127.0.0.1, and requires its secret
// token.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
/** The folder for everything that is downloaded or inflated; the same folder that @vscode/test-electron uses. */
export const cacheFolder = path.join(root, '.vscode-test');

/** code-server 4.139.1 carries VS Code 1.139.1. */
export const codeServerVersion = '4.139.1';

const installFolder = path.join(cacheFolder, `code-server-${codeServerVersion}`);
const vscodeFolder = path.join(installFolder, 'node_modules', 'code-server', 'lib', 'vscode');
const completeMarker = path.join(installFolder, 'complete.json');

/** The Node that the project pins (the server needs 22 or later); the running one if that is new enough. */
export function nodeExecutable() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const pinned = path.join(root, 'node_modules', 'node', 'bin', name);
  if (fs.existsSync(pinned)) return pinned;
  if (Number.parseInt(process.versions.node, 10) >= 22) return process.execPath;
  throw new Error('Node 22 or later is needed and node_modules/node is missing. Run `npm ci` first.');
}

/** Settings of a quiet workbench: no prompts, no telemetry, nothing that covers the editor. */
export const quietSettings = {
  // The server looks for open ports by listing processes, in the extension host: tens of milliseconds each time.
  'remote.autoForwardPorts': false,
  'workbench.startupEditor': 'none',
  // In a browser, auto save is on by default; tests decide when edits are saved.
  'files.autoSave': 'off',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'git.enabled': false,
  'security.workspace.trust.startupPrompt': 'never',
  'security.workspace.trust.banner': 'never',
};

function runNpm(args, cwd) {
  const env = { ...process.env };
  // Set by `npm run` for this project; the npm below works in its own folder.
  for (const key of Object.keys(env)) {
    if (/^npm_(package_|lifecycle_|command$|config_local_prefix$)/i.test(key)) delete env[key];
  }
  const cli = process.env.npm_execpath;
  const [command, ...rest] = cli?.endsWith('.js') ? [process.execPath, cli, ...args] : ['npm', ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: command === 'npm' && process.platform === 'win32',
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(null);
      else reject(new Error(`npm ${args.join(' ')} failed with exit code ${code}:\n${output.trim()}`));
    });
  });
}

function processIsAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs `work` while holding a lock file that names this process; a dead holder's lock is taken over. */
export async function withLock(file, work) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (;;) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number.parseInt(readIfExists(file) ?? '', 10);
      if (Number.isInteger(holder) && !processIsAlive(holder)) fs.rmSync(file, { force: true });
      else await delay(200);
    }
  }
  try {
    return await work();
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function readIfExists(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Installs the server if necessary and returns its folder. A complete installation is reused; an interrupted one is
 * removed and repeated.
 * @param {(line: string) => void} [onProgress] called only if something is downloaded
 */
export async function installServer(onProgress = console.log) {
  if (fs.existsSync(completeMarker)) return vscodeFolder;
  return withLock(path.join(cacheFolder, `code-server-${codeServerVersion}.lock`), async () => {
    if (fs.existsSync(completeMarker)) return vscodeFolder;
    fs.rmSync(installFolder, { recursive: true, force: true });
    fs.mkdirSync(installFolder, { recursive: true });
    fs.writeFileSync(
      path.join(installFolder, 'package.json'),
      JSON.stringify({ private: true, dependencies: { 'code-server': codeServerVersion } }, undefined, 2),
    );
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'];
    onProgress(`Installing VS Code (code-server ${codeServerVersion}) from npm, once: about 600 MB on disk ...`);
    await runNpm(['install', ...quiet], installFolder);
    onProgress('Installing what its extension host needs ...');
    await runNpm(['install', '--omit=dev', ...quiet], vscodeFolder);
    if (!fs.existsSync(path.join(vscodeFolder, 'out', 'server-main.js'))) {
      throw new Error('The npm package code-server came without lib/vscode/out/server-main.js.');
    }
    fs.writeFileSync(completeMarker, JSON.stringify({ version: codeServerVersion }));
    onProgress('VS Code is installed.');
    return vscodeFolder;
  });
}

/** A new empty folder below the cache for one run; the caller removes it. */
export function temporaryFolder(name) {
  const parent = path.join(cacheFolder, 'run');
  fs.mkdirSync(parent, { recursive: true });
  return fs.mkdtempSync(path.join(parent, `${name}-`));
}

/** Writes the user settings of the server with this data folder. */
export function writeUserSettings(dataFolder, settings) {
  const folder = path.join(dataFolder, 'data', 'User');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'settings.json'), JSON.stringify(settings, undefined, 2));
}

/** Runs the server's own command line (for example `--install-extension file.vsix`) and returns what it printed. */
export async function runServerCommand(dataFolder, args) {
  const folder = await installServer();
  const child = spawn(
    nodeExecutable(),
    [
      path.join(folder, 'out', 'server-main.js'),
      '--accept-server-license-terms',
      '--server-data-dir',
      dataFolder,
      '--extensions-dir',
      path.join(dataFolder, 'extensions'),
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`The server's command line failed with exit code ${code}:\n${output.trim()}`);
  return output;
}

/**
 * Starts the server and resolves once it answers.
 * @param {object} options
 * @param {string} options.dataFolder settings, extensions, logs; created if missing
 * @param {number} [options.port] 0 or missing: a free one
 * @param {boolean} [options.trust] every folder is trusted (default); false leaves Workspace Trust on
 * @param {boolean} [options.gallery] the window may ask the extension marketplace; default false
 * @param {Record<string, string>} [options.env] reaches the extension host
 * @param {(line: string) => void} [options.onProgress]
 * @returns {Promise<{ origin: string, authority: string, port: number, token: string, log: () => string,
 *   exited: Promise<number | null>, stop: () => Promise<void> }>}
 */
export async function startServer({ dataFolder, port = 0, trust = true, gallery = false, env = {}, onProgress }) {
  const folder = await installServer(onProgress);
  fs.mkdirSync(dataFolder, { recursive: true });
  const token = randomBytes(16).toString('hex');
  const args = [
    path.join(folder, 'out', 'server-main.js'),
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--connection-token',
    token,
    '--accept-server-license-terms',
    '--server-data-dir',
    dataFolder,
    '--extensions-dir',
    path.join(dataFolder, 'extensions'),
    '--disable-telemetry',
    // Without it, the page's request to load a development extension or a suite is ignored.
    '--enable-smoke-test-driver',
  ];
  if (trust) args.push('--disable-workspace-trust');

  const childEnv = { ...process.env, ...env };
  // Left by a VS Code terminal: they would make the server treat itself as part of that window.
  for (const key of Object.keys(childEnv)) if (/^(VSCODE_|ELECTRON_)/.test(key)) delete childEnv[key];
  // Tests use no marketplace: an empty address disables it in VS Code.
  if (!gallery) childEnv.EXTENSIONS_GALLERY = JSON.stringify({ serviceUrl: '' });
  // Its own process group, so that stopping it also stops extension hosts and terminals below it.
  const child = spawn(nodeExecutable(), args, {
    env: childEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  let log = '';
  // Not `close`, which also waits for everyone that inherited the server's output.
  const exited = new Promise((resolve) => child.on('exit', resolve));
  const listening = new Promise((resolve, reject) => {
    const read = (chunk) => {
      log += chunk;
      const match = /Extension host agent listening on (\d+)/.exec(log);
      if (match) resolve(Number(match[1]));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('close', (code) => {
      const busy = /EADDRINUSE/.test(log) ? ` Port ${port} is taken; choose another with PORT=...` : '';
      reject(new Error(`VS Code's server ended with exit code ${code} before it listened.${busy}\n${log.trim()}`));
    });
  });

  let stopping;
  const stop = () => {
    stopping ??= (async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      killGroup(child, 'SIGTERM');
      const timer = setTimeout(() => killGroup(child, 'SIGKILL'), 5000);
      await exited;
      clearTimeout(timer);
      killGroup(child, 'SIGKILL'); // the rest of its group
    })();
    return stopping;
  };

  try {
    const actualPort = await Promise.race([
      listening,
      delay(180_000, undefined, { ref: false }).then(() => {
        throw new Error(`VS Code's server did not listen within 3 minutes.\n${log.trim()}`);
      }),
    ]);
    const authority = `127.0.0.1:${actualPort}`;
    const origin = `http://${authority}`;
    await waitForServer(`${origin}/version`);
    return { origin, authority, port: actualPort, token, log: () => log, exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Signals a process that was started detached, with all of its group. */
export function killGroup(child, signal) {
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It has already gone.
  }
}

async function waitForServer(url) {
  const deadline = Date.now() + 180_000;
  for (;;) {
    try {
      const response = await fetch(url);
      if (response.ok) return;
    } catch {
      // Not yet.
    }
    if (Date.now() > deadline) throw new Error(`${url} did not answer within 3 minutes.`);
    await delay(50);
  }
}

/**
 * The address of a window of that server.
 * @param {{ origin: string, authority: string, token: string }} server
 * @param {{ folder: string, file?: string, extension?: string, tests?: string }} what absolute paths: the
 *   workspace, a file to open, the extension to load in development mode, the compiled suite to run
 */
export function windowAddress(server, { folder, file, extension, tests }) {
  const uri = (target) => `vscode-remote://${server.authority}${toUriPath(target)}`;
  const payload = [];
  if (extension) payload.push(['extensionDevelopmentPath', uri(extension)]);
  if (tests) payload.push(['extensionTestsPath', uri(tests)]);
  if (file) payload.push(['openFile', uri(file)]);
  const query = new URLSearchParams({ tkn: server.token, folder: toUriPath(folder) });
  if (payload.length > 0) query.set('payload', JSON.stringify(payload));
  return `${server.origin}/?${query}`;
}

function toUriPath(target) {
  const slashed = path.resolve(target).split(path.sep).join('/');
  return slashed.startsWith('/') ? slashed : `/${slashed}`;
}
