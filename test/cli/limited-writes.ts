// Commands whose files reach the size limit of their process, as on a full disk: a file is complete, or it is the old
// one and the call fails.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/engine/random';
import type { BuiltCli } from './built-cli';

interface Writer {
  readonly argv: (file: string) => readonly string[];
  /** Larger than the file. */
  readonly maxBytes: number;
  readonly isComplete: (content: Buffer) => boolean;
}

const endsWith =
  (end: string) =>
  (content: Buffer): boolean =>
    content.toString().trimEnd().endsWith(end);

/** A length of 8 bytes, a header in JSON, then the data: https://huggingface.co/docs/safetensors. */
function isSafetensors(content: Buffer): boolean {
  const headerEnd = 8 + Number(content.readBigUInt64LE(0));
  const header = JSON.parse(content.toString('utf8', 8, headerEnd)) as Record<string, { data_offsets?: number[] }>;
  const ends = Object.values(header).map(({ data_offsets }) => data_offsets?.[1] ?? 0);
  return content.length === headerEnd + Math.max(...ends);
}

const circles = join('examples', 'circles.nabla.json');

export const WRITERS: Readonly<Record<string, Writer>> = {
  weights: {
    argv: (file) => ['train', circles, '--steps', '5', '--save-weights', file],
    maxBytes: 1024,
    isComplete: isSafetensors,
  },
  junit: { argv: (file) => ['check', circles, '--junit', file], maxBytes: 4096, isComplete: endsWith('</testsuites>') },
  report: {
    argv: (file) => ['report', circles, '--step', '5', '--out', file],
    maxBytes: 131_072,
    isComplete: endsWith('</html>'),
  },
};

/** In `ulimit -f`. */
export const BLOCK = 512;

/** @returns what is wrong; null if nothing */
export async function checkLimitedWrite(cli: BuiltCli, name: string, blocks: number): Promise<string | null> {
  const { argv, maxBytes, isComplete } = WRITERS[name]!;
  const folder = mkdtempSync(join(tmpdir(), 'nablascope-limited-'));
  try {
    const file = join(folder, 'out');
    writeFileSync(file, 'old');
    const { code, err } = await cli.run(argv(file), { maxFileBlocks: blocks });
    const content = readFileSync(file);
    const left = readdirSync(folder).filter((each) => each !== 'out');
    if (left.length > 0) return `${left.join(', ')} is left behind`;
    if (content.toString() === 'old') {
      if (code === 0) return 'the file is not written, but the call succeeds';
      return blocks * BLOCK < maxBytes ? null : `the file is not written: ${err}`;
    }
    if (!isComplete(content)) return `the file has ${content.length} bytes of a larger one`;
    return code === 0 ? null : `the file is written, but the call fails: ${err}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One call with a limit between nothing and more than the file. */
export function drawLimitedWrite(cli: BuiltCli, seed: number, index: number): Promise<string | null> {
  const random = new Random(seed, `limited write ${index}`);
  const names = Object.keys(WRITERS);
  const name = names[random.integerBelow(names.length)]!;
  return checkLimitedWrite(cli, name, random.integerBelow(WRITERS[name]!.maxBytes / BLOCK + 1));
}
