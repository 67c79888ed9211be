// The campaign: each part draws inputs from a seed and checks what must hold for each. It goes on where it stopped, and
// writes what it reached and found to out/campaign. Started by `npm run campaign`, see bench/README.md.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../src/engine/random';
import { buildCli, type BuiltCli } from '../test/cli/built-cli';
import { drawLimitedWrite } from '../test/cli/limited-writes';
import { attack, judge, referenceLoss } from '../test/process/adversary';
import { buildEngine, type BuiltEngine, TestEngine } from '../test/process/built-engine';
import { checkKill } from '../test/process/engine-kills';
import { checkFrames } from '../test/process/malformed-frames';
import { checkRequest } from '../test/process/malformed-requests';
import { ADVERSARIAL_LAYERS } from '../test/support/adversarial-layers';
import { checkSeeks } from '../test/support/random-seeks';
import { checkInput, drawInput, drawPieces, fuzzSeeds } from '../test/support/reader-fuzzing';
import { checkParsed, checkTrained, drawSpec, MAX_MS_PER_MB, specSeeds } from '../test/support/spec-fuzzing';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    /** Names of parts, separated by commas. */
    only: { type: 'string' },
    /** Forgets what was reached with this seed. */
    fresh: { type: 'boolean', default: false },
  },
});

const FOLDER = path.join('out', 'campaign');
/** Seconds that a part has before the next one, and before its progress is saved. */
const SLOT_SECONDS = 20;
const SEEKS_PER_RUN = 10;
const MAX_FAULTS_KEPT = 50;

interface Part {
  /** What is counted. */
  readonly unit: string;
  /** Counted for each call of `check`. */
  readonly unitsPerCall?: number;
  /** @returns what is wrong with input `index`; null if nothing */
  readonly check: (seed: number, index: number) => string | null | Promise<string | null>;
}

interface Progress {
  /** Index of the next input. */
  next: number;
  seconds: number;
  peakMb: number;
  faults: { readonly index: number; readonly what: string }[];
}

let built: BuiltEngine | null = null;
let cli: BuiltCli | null = null;
let loss: number | null = null;
let requestEngine: TestEngine | null = null;
const engineFile = async (): Promise<string> => (built ??= await buildEngine()).file;

const specs = specSeeds();
const files = fuzzSeeds();

const PARTS: Readonly<Record<string, Part>> = {
  parse: { unit: 'specs parsed', check: (seed, index) => checkParsed(drawSpec(specs, seed, index)).fault },
  train: {
    unit: 'specs loaded and stepped',
    check: (seed, index) => checkTrained(drawSpec(specs, seed + 1, index)).fault,
  },
  data: {
    unit: 'data files',
    check: (seed, index) => {
      const input = drawInput(files, seed, index);
      const { milliseconds } = checkInput(input, drawPieces(index));
      const megabytes = (0.75 * Object.values(input.files).join('').length) / 2 ** 20;
      return milliseconds > MAX_MS_PER_MB * Math.max(1, megabytes) ? `takes ${milliseconds} ms` : null;
    },
  },
  seeks: {
    unit: 'seeks',
    unitsPerCall: SEEKS_PER_RUN,
    check: (seed, index) => checkSeeks(seed, index, SEEKS_PER_RUN),
  },
  frames: { unit: 'damaged streams of messages', check: checkFrames },
  kills: { unit: 'kills of the engine', check: async (seed, index) => checkKill(await engineFile(), seed, index) },
  disk: {
    unit: 'files of limited size',
    check: async (seed, index) => drawLimitedWrite((cli ??= await buildCli()), seed, index),
  },
  layers: {
    unit: 'runs of adversarial layers',
    check: async (_seed, index) => {
      const kind = ADVERSARIAL_LAYERS[index % ADVERSARIAL_LAYERS.length]!;
      loss ??= await referenceLoss(await engineFile());
      const fault = judge(kind, await attack(await engineFile(), kind), loss);
      return fault && `${kind.name}: ${fault}`;
    },
  },
  requests: {
    unit: 'malformed requests',
    check: async (seed, index) => {
      if (!requestEngine || requestEngine.exits.length > 0 || index % 500 === 0) {
        await requestEngine?.client.dispose();
        requestEngine = new TestEngine(await engineFile());
        const random = new Random(seed, `engine ${index}`);
        await requestEngine.open(
          JSON.stringify({
            data: 'circles',
            layers: ['tanh', { type: 'linear', out_features: 2 }],
            loss: 'cross_entropy',
            seed: random.integerBelow(100),
          }),
        );
      }
      return checkRequest(requestEngine, seed, index);
    },
  },
};

const seed = Number(values.seed);
const stateFile = path.join(FOLDER, `seed-${seed}.json`);

function loadState(): Record<string, Progress> {
  const state = Object.fromEntries(
    Object.keys(PARTS).map((name): [string, Progress] => [name, { next: 0, seconds: 0, peakMb: 0, faults: [] }]),
  );
  if (values.fresh || !fs.existsSync(stateFile)) return state;
  return { ...state, ...(JSON.parse(fs.readFileSync(stateFile, 'utf8')) as Record<string, Progress>) };
}

async function runSlot(name: string, part: Part, progress: Progress, end: number): Promise<void> {
  const start = performance.now();
  while (performance.now() < end) {
    const index = progress.next++;
    let what: string | null;
    try {
      what = await part.check(seed, index);
    } catch (error) {
      what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    if (what === null) continue;
    console.log(`${name} ${index}: ${what.slice(0, 500)}`);
    if (progress.faults.length < MAX_FAULTS_KEPT) progress.faults.push({ index, what: what.slice(0, 4000) });
  }
  progress.seconds += (performance.now() - start) / 1000;
  progress.peakMb = Math.max(progress.peakMb, Math.round(process.resourceUsage().maxRSS / 1024));
}

function report(state: Readonly<Record<string, Progress>>): string {
  const rows = Object.entries(PARTS).map(([name, { unit, unitsPerCall = 1 }]) => {
    const { next, seconds, faults } = state[name]!;
    const count = next * unitsPerCall;
    const rate = seconds > 0 ? (count / seconds).toPrecision(3) : '0';
    return `| ${name} | ${count.toLocaleString('en-US')} ${unit} | ${rate} | ${faults.length} |`;
  });
  const found = Object.entries(state).flatMap(([name, { faults }]) =>
    faults.map(({ index, what }) => `- ${name} ${index}: ${what.split('\n', 1)[0]}`),
  );
  return [
    `# Campaign with the seed ${seed}`,
    '',
    '| part | reached | per second | faults |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    `Peak memory of the process: ${Math.max(...Object.values(state).map(({ peakMb }) => peakMb))} MB.`,
    ...(found.length > 0 ? ['', '## Faults', '', ...found] : []),
    '',
  ].join('\n');
}

async function main(): Promise<void> {
  const names = values.only?.split(',') ?? Object.keys(PARTS);
  const unknown = names.filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0) {
    console.error(`There is no part ${unknown.join(', ')}. There are: ${Object.keys(PARTS).join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  fs.mkdirSync(FOLDER, { recursive: true });
  const state = loadState();
  const save = (): void => {
    fs.writeFileSync(stateFile, JSON.stringify(state, null, 1));
    fs.writeFileSync(path.join(FOLDER, 'report.md'), report(state));
  };
  const end = performance.now() + Number(values.minutes) * 60_000;
  while (performance.now() < end)
    for (const name of names) {
      const now = performance.now();
      if (now >= end) break;
      // Every part gets its share, however short the campaign.
      const slot = Math.min(SLOT_SECONDS * 1000, (Number(values.minutes) * 60_000) / names.length);
      await runSlot(name, PARTS[name]!, state[name]!, Math.min(end, now + slot));
      save();
    }
  await (requestEngine as TestEngine | null)?.client.dispose();
  await (built as BuiltEngine | null)?.remove();
  (cli as BuiltCli | null)?.remove();
  console.log(report(state));
  if (names.some((name) => state[name]!.faults.length > 0)) process.exitCode = 1;
}

void main();
