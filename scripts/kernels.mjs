// Compiles assembly/ into four modules (float32 and float64, with and without relaxed SIMD) and embeds them in
// src/engine/kernels/wasm-modules.ts, which is committed, so that a clone runs without compiling. The build updates it
// when a source has changed, and a test compiles again and compares.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const folder = path.join(root, 'assembly');
export const EMBEDDED = path.join(root, 'src', 'engine', 'kernels', 'wasm-modules.ts');

const variants = [
  { precision: 'float32', type: 'f32', simd: 'relaxed' },
  { precision: 'float64', type: 'f64', simd: 'relaxed' },
  { precision: 'float32', type: 'f32', simd: 'plain' },
  { precision: 'float64', type: 'f64', simd: 'plain' },
];

function sources() {
  const names = fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .sort();
  return new Map(names.map((name) => [name, fs.readFileSync(path.join(folder, name), 'utf8')]));
}

/** A hash of all inputs of the modules. */
function fingerprint() {
  const compiler = JSON.parse(
    fs.readFileSync(path.join(root, 'node_modules', 'assemblyscript', 'package.json'), 'utf8'),
  );
  const hash = crypto
    .createHash('sha256')
    .update(compiler.version)
    .update(fs.readFileSync(fileURLToPath(import.meta.url)));
  for (const [name, text] of sources()) hash.update(name).update(text);
  return hash.digest('hex').slice(0, 16);
}

async function compile(texts, { type, simd, precision }) {
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const said = [];
  const { error } = await asc.main(
    [
      'index.ts',
      '--outFile',
      'kernels.wasm',
      '-O3',
      '--converge',
      '--noAssert',
      '--runtime',
      'stub',
      '--use',
      'abort=',
      '--importMemory',
      '--noExportMemory',
      '--sharedMemory',
      '--initialMemory',
      '1',
      '--maximumMemory',
      '65536',
      '--enable',
      'threads',
      '--enable',
      'simd',
      ...(simd === 'relaxed' ? ['--enable', 'relaxed-simd'] : []),
    ],
    {
      readFile: (name) => {
        const text = texts.get(path.basename(name));
        return name.includes('node_modules')
          ? null
          : name.endsWith('real.ts')
            ? text.replace('= f32', `= ${type}`)
            : (text ?? null);
      },
      writeFile: (name, contents) => {
        if (name.endsWith('.wasm')) binary = contents;
      },
      listFiles: () => [],
      stderr: { write: (text) => void said.push(text) },
    },
  );
  if (error || !binary) throw new Error(`The ${simd} ${precision} kernels do not compile:\n${said.join('')}`);
  return Buffer.from(binary);
}

/** The text of wasm-modules.ts. */
export async function embedded() {
  const texts = sources();
  const lines = [];
  for (const variant of variants) {
    const binary = await compile(texts, variant);
    lines.push({ ...variant, binary });
  }
  const of = (simd) =>
    lines
      .filter((line) => line.simd === simd)
      .map(
        ({ precision, binary }) => `    // ${binary.length} bytes\n    ${precision}: '${binary.toString('base64')}',\n`,
      )
      .join('');
  return (
    `// Made from assembly/ by scripts/kernels.mjs; do not edit. Sources: ${fingerprint()}\n\n` +
    `/** WebAssembly modules in base64, by the SIMD instructions that they need and their precision. */\n` +
    `export const wasmModules = {\n  relaxed: {\n${of('relaxed')}  },\n  plain: {\n${of('plain')}  },\n} as const;\n`
  );
}

/** Compiles again if a source has changed. @returns whether it had */
export async function refreshKernels() {
  const current = fs.existsSync(EMBEDDED) ? fs.readFileSync(EMBEDDED, 'utf8') : '';
  if (current.includes(`Sources: ${fingerprint()}\n`)) return false;
  fs.writeFileSync(EMBEDDED, await embedded());
  return true;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log((await refreshKernels()) ? 'kernels compiled' : 'kernels are up to date');
}
