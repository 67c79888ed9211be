// How often the rules name the planted fault of a broken network first, whether their fix makes it learn, and how often
// they find something in healthy ones. `MODELS=300` plants more faults, `HEALTHY=2000` takes more healthy specs,
// `FROM=200 HEALTHY=100` takes those from the 200th on, and `STEPS=5000` observes whole runs.
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { nextObservedStep, specRules } from '../src/diagnostics';
import { diagnose, type DoctorContext, openTrial, runTrial } from '../src/doctor';
import { applyTextEdit, editSpec, loadRun, type LoadedRun } from '../src/model-spec';
import { observeStep } from '../src/session/observe-step';
import { brokenModels, type BrokenModel } from '../test/support/broken-models';
import { folderFiles, noFiles } from '../test/support/data-files';
import { healthySpec } from '../test/support/healthy-specs';
import { formatTable } from './measure';

const MODELS = Number(process.env.MODELS ?? 102);
const HEALTHY = Number(process.env.HEALTHY ?? 500);
/** Healthy specs before them. */
const FROM = Number(process.env.FROM ?? 0);
/** Steps of each healthy run that are observed. */
const HEALTHY_STEPS = Number(process.env.STEPS ?? 600);
/** Share of what there is to learn, from which a repaired network learns. */
const LEARNS = 0.5;

const context: DoctorContext = {
  isCancelled: () => false,
  yieldToEventLoop: () => Promise.resolve(),
  now: () => performance.now(),
  onProgress: () => undefined,
};
const load = (text: string): LoadedRun => loadRun(text, noFiles, { rules: specRules });

interface Outcome extends BrokenModel {
  readonly named: string;
  readonly hasFix: boolean;
  readonly skill: number;
}

async function examine(model: BrokenModel): Promise<Outcome> {
  const text = JSON.stringify(model.spec, null, 2);
  const { run, spec, problems } = load(text);
  if (!run || !spec) throw new Error(`${model.kind}: ${problems.map(({ message }) => message).join(' ')}`);
  const { findings } = await diagnose(
    text,
    { run, spec, problems },
    (variant) => Promise.resolve(load(variant)),
    context,
  );
  const [first] = findings;
  // The fix of the editor's light bulb, whether it helped or not.
  const fix = first?.fix ?? problems.find(({ code }) => code === first?.code)?.fix;
  let skill = -Infinity;
  if (fix) {
    const fixed = applyTextEdit(text, editSpec(text, fix.changes));
    const repaired = load(fixed).run;
    if (repaired) ({ skill } = await runTrial(openTrial(repaired, fixed, 3000), 3000, context, ''));
  }
  return { ...model, named: first?.code ?? 'none', hasFix: fix !== undefined, skill };
}

const percent = (part: number, whole: number): string => `${part} of ${whole} (${((100 * part) / whole).toFixed(1)} %)`;

async function reportFaults(): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const model of brokenModels(MODELS)) outcomes.push(await examine(model));
  const isRight = ({ expected, named }: Outcome): boolean => expected.includes(named);
  const learns = ({ skill }: Outcome): boolean => skill >= LEARNS;
  const byKind = new Map(outcomes.map(({ kind }) => [kind, outcomes.filter((each) => each.kind === kind)] as const));
  console.log(
    formatTable(
      ['fault', 'networks', 'named first', 'learns with the fix', 'named instead'],
      [...byKind].map(([kind, all]) => [
        kind,
        String(all.length),
        String(all.filter(isRight).length),
        all[0]?.isInData ? 'in the data' : String(all.filter(learns).length),
        [...new Set(all.filter((each) => !isRight(each)).map(({ named }) => named))].join(', '),
      ]),
    ),
  );
  const fixable = outcomes.filter(({ isInData }) => !isInData);
  console.log(
    `\n${byKind.size} kinds of faults. Named first: ${percent(outcomes.filter(isRight).length, outcomes.length)}.`,
  );
  console.log(
    `Learns with the fix: ${percent(outcomes.filter(learns).length, outcomes.length)}; ` +
      `without faults in the data: ${percent(fixable.filter(learns).length, fixable.length)}.`,
  );
}

/** Codes of all findings of a run. */
function findingsOf({ run, problems }: LoadedRun, text: string): string[] {
  if (!run) throw new Error(problems.map(({ message }) => message).join(' '));
  const session = openTrial(run, text);
  const steps = Math.min(session.totalSteps, HEALTHY_STEPS);
  const { batchesPerEpoch } = session.model;
  for (let step = 1; step <= steps; step++) {
    const isObserved = step === nextObservedStep(step - 1);
    session.step(isObserved);
    if (step % (5 * batchesPerEpoch) === 0) session.evaluate();
    if (isObserved) observeStep(session);
  }
  const warnings = problems.filter(({ severity }) => severity === 'warning').map(({ code }) => code);
  return [...warnings, ...session.monitor.findings.map(({ code }) => code)];
}

async function reportHealthySpecs(): Promise<void> {
  const alarms: string[] = [];
  const specs = fc.sample(healthySpec, { numRuns: FROM + HEALTHY, seed: 1 }).slice(FROM);
  for (const spec of specs) {
    const text = JSON.stringify(spec);
    const found = findingsOf(load(text), text);
    if (found.length === 0) continue;
    // Of a network that does not learn, the finding is true.
    const session = openTrial(load(text).run!, text);
    const { skill } = await runTrial(session, session.totalSteps, context, '');
    alarms.push(`${[...new Set(found)].join(', ')}; the whole run learns ${(100 * skill).toFixed(0)} %: ${text}`);
  }
  console.log(`\nHealthy random specs with a finding: ${percent(alarms.length, specs.length)}.`);
  for (const alarm of alarms.slice(0, 20)) console.log(alarm);
}

function reportExamples(): void {
  const folder = path.resolve('examples');
  const examples = fs.readdirSync(folder).filter((file) => file.endsWith('.nabla.json'));
  for (const file of examples) {
    const text = fs.readFileSync(path.join(folder, file), 'utf8');
    const loaded = loadRun(text, folderFiles(folder), { rules: specRules });
    // Custom layers need permission, and a tenth of a large run is not observed here.
    if (!loaded.run) continue;
    const found = findingsOf(loaded, text);
    if (found.length > 0) console.log(`examples/${file}: ${[...new Set(found)].join(', ')}`);
  }
}

async function main(): Promise<void> {
  if (MODELS > 0) await reportFaults();
  await reportHealthySpecs();
  reportExamples();
}

void main();
