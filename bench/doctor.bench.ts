// Diagnoses broken models that somebody else has planted: what is said first of each, and how well its fixed spec
// trains beside the healthy one. `CASES=folder` holds a folder for each: broken.nabla.json, healthy.nabla.json and
// answer.json with `kind`, the name of the fault.
import fs from 'node:fs';
import path from 'node:path';
import { specRules } from '../src/diagnostics';
import { type DoctorContext, openTrial, repair, runTrial, scoreOf } from '../src/doctor';
import { loadRun, type LoadedRun } from '../src/model-spec';
import type { Trial } from '../src/protocol/doctor-report';
import { folderFiles } from '../test/support/data-files';
import { formatTable } from './measure';

/** Part of what the healthy spec learns that the fixed one must learn as well. */
const AS_WELL = 0.9;

const context: DoctorContext = {
  isCancelled: () => false,
  yieldToEventLoop: () => Promise.resolve(),
  now: () => performance.now(),
  onProgress: () => undefined,
};

/** A whole run, at its own length. */
async function train({ run }: LoadedRun, text: string): Promise<Trial | null> {
  if (!run) return null;
  const session = openTrial(run, text);
  return runTrial(session, session.totalSteps, context, '');
}

const format = (trial: Trial | null): string => (trial ? scoreOf(trial).toFixed(3) : 'invalid');

async function main(): Promise<void> {
  const folder = path.resolve(process.env.CASES ?? '');
  const names = fs.readdirSync(folder).filter((name) => fs.existsSync(path.join(folder, name, 'broken.nabla.json')));
  const chosen = process.env.ONLY ? names.filter((name) => name.startsWith(process.env.ONLY ?? '')) : names;
  const rows: string[][] = [];
  let asWell = 0;
  for (const name of chosen) {
    const files = folderFiles(path.join(folder, name));
    const load = (text: string): LoadedRun => loadRun(text, files, { rules: specRules });
    const read = (file: string): string => fs.readFileSync(path.join(folder, name, file), 'utf8');
    const text = read('broken.nabla.json');
    const { run, spec, problems } = load(text);
    const { kind } = JSON.parse(read('answer.json')) as { readonly kind: string };
    if (!run || !spec) {
      console.log(`${name} (${kind}) cannot run: ${problems.map(({ message }) => message).join(' ')}`);
      continue;
    }
    const start = performance.now();
    const repaired = await repair(text, { run, spec, problems }, (variant) => Promise.resolve(load(variant)), context);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const { findings } = repaired.report;
    const healthyText = read('healthy.nabla.json');
    const [broken, healthy, fixed] = [
      await train(load(text), text),
      await train(load(healthyText), healthyText),
      await train(load(repaired.fixedText), repaired.fixedText),
    ];
    const isAsWell = !!fixed && !!healthy && scoreOf(fixed) >= AS_WELL * scoreOf(healthy);
    if (isAsWell) asWell++;
    rows.push([kind, findings[0]?.code ?? 'none', format(broken), format(fixed), format(healthy), seconds]);
    console.log(`\n${name}: ${kind}${isAsWell ? '' : ' (not as well)'}`);
    for (const { code, message, remedy, effect } of findings.slice(0, 4))
      console.log(`  [${code}] ${message} ${remedy ?? '–'} ${effect ?? ''}`);
    console.log(`  fixes: ${repaired.fixes.map(({ title }) => title).join('; ')}`);
  }
  console.log(`\n${formatTable(['fault', 'first finding', 'broken', 'fixed', 'healthy', 's'], rows)}`);
  console.log(`\nFixed specs that train as well as the healthy ones: ${asWell} of ${rows.length}.`);
}

void main();
