// A real Chromium without a separate download: the installed one (CHROMIUM, or `chromium` on the PATH), otherwise the
// headless build inside the npm package @sparticuz/chromium, inflated once into .vscode-test/. Fonts come from npm too,
// so that screenshots look the same on machines without fonts.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { chromium as playwright } from 'playwright-core';
import { cacheFolder, root, withLock } from './vscode-server.mjs';

const packageFolder = path.join(root, 'node_modules', '@sparticuz', 'chromium');
const dejavuFolder = path.join(root, 'node_modules', 'dejavu-fonts-ttf', 'ttf');

/** Flags for a browser without a desktop, a graphics card and a network. */
export const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
];

function onPath(names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  for (const name of names) {
    for (const folder of folders) {
      const file = path.join(folder, name);
      if (fs.existsSync(file)) return file;
    }
  }
  return undefined;
}

/** Inflates the npm package's browser, its libraries and its fonts; reuses them when they are complete. */
async function inflatePackaged() {
  const { version } = JSON.parse(fs.readFileSync(path.join(packageFolder, 'package.json'), 'utf8'));
  const folder = path.join(cacheFolder, `chromium-${version}`);
  const complete = path.join(folder, 'complete.json');
  const result = {
    executablePath: path.join(folder, 'chromium'),
    libraries: path.join(folder, 'al2023', 'lib'),
    fonts: path.join(folder, 'fonts'),
  };
  if (fs.existsSync(complete)) return result;
  return withLock(`${folder}.lock`, async () => {
    if (fs.existsSync(complete)) return result;
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
    // The package inflates into the temporary folder, and adds its system libraries only if it detects Amazon Linux.
    // Both depend on the environment when it is loaded, hence a separate process.
    const script =
      "import('@sparticuz/chromium').then((m) => m.default.executablePath())" +
      '.catch((e) => { console.error(e); process.exit(1); });';
    const run = spawnSync(process.execPath, ['-e', script], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' },
    });
    if (run.status !== 0) throw new Error(`Could not inflate @sparticuz/chromium:\n${run.stderr}`);
    if (!fs.existsSync(result.executablePath)) {
      throw new Error('@sparticuz/chromium did not leave its executable where it was told to.');
    }
    fs.writeFileSync(complete, JSON.stringify({ version }));
    return result;
  });
}

/** A fontconfig file with only the npm fonts: DejaVu (text, monospace, mathematics) and Open Sans. */
function writeFontConfig(openSansFolder) {
  const file = path.join(cacheFolder, 'fonts.conf');
  const alias = (family, preferred) =>
    `  <alias binding="strong"><family>${family}</family><prefer>` +
    preferred.map((name) => `<family>${name}</family>`).join('') +
    '</prefer></alias>';
  const text = [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    '<fontconfig>',
    ...[openSansFolder, dejavuFolder].map((folder) => `  <dir>${folder}</dir>`),
    `  <cachedir>${path.join(cacheFolder, 'font-cache')}</cachedir>`,
    alias('sans-serif', ['Open Sans', 'DejaVu Sans']),
    alias('system-ui', ['Open Sans', 'DejaVu Sans']),
    alias('serif', ['DejaVu Serif']),
    alias('monospace', ['DejaVu Sans Mono']),
    alias('math', ['DejaVu Math TeX Gyre']),
    '</fontconfig>',
    '',
  ].join('\n');
  fs.mkdirSync(cacheFolder, { recursive: true });
  if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) fs.writeFileSync(file, text);
  return file;
}

/**
 * Playwright's launch options for this machine.
 * @returns {Promise<import('playwright-core').LaunchOptions>}
 */
export async function chromiumLaunchOptions() {
  const own = process.env.CHROMIUM || onPath(['chromium', 'chromium-browser']);
  if (own) return { executablePath: own, args: chromiumFlags, headless: true };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    // The packaged browser is built for Linux on x64; elsewhere an installed Chrome is used.
    return { channel: 'chrome', args: chromiumFlags, headless: true };
  }
  const packaged = await inflatePackaged();
  const libraries = [packaged.libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  return {
    executablePath: packaged.executablePath,
    args: chromiumFlags,
    headless: true,
    env: {
      ...process.env,
      LD_LIBRARY_PATH: libraries,
      FONTCONFIG_FILE: writeFontConfig(packaged.fonts),
    },
  };
}

/** Launches the browser. Close it with `browser.close()`. */
export async function launchChromium() {
  const options = await chromiumLaunchOptions();
  try {
    return await playwright.launch(options);
  } catch (error) {
    throw new Error(
      `Chromium did not start (${options.executablePath ?? 'installed Chrome'}). ` +
        'Set CHROMIUM to the path of a Chromium or Chrome executable.\n' +
        error.message,
      { cause: error },
    );
  }
}
