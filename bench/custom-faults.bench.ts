// Custom layers with one mistake in their manual backward pass: how many the check catches, and how often it names
// layer, tensor and cause first. Then correct layers, none of which may be called wrong. `SEED=1` draws other layers,
// `FAULTS=2000` plants more, `CORRECT=5000` checks more correct ones, `ONLY=attention` selects one template,
// `SET=loops` those that are written as loops, `SET=held-out` those that no explanation was written for at first.
// `FROM=400 TO=600` checks only these of the correct layers.
import { GradientCheck } from '../src/gradcheck';
import { checkTemplate } from '../test/gradcheck/custom/check-template';
import { HELD_OUT_TEMPLATES } from '../test/gradcheck/custom/held-out-templates';
import { type Disguise, type Template, TEMPLATES } from '../test/gradcheck/custom/layer-templates';
import { LOOP_TEMPLATES } from '../test/gradcheck/custom/loop-templates';
import { MORE_TEMPLATES } from '../test/gradcheck/custom/more-templates';
import { PATH_TEMPLATES } from '../test/gradcheck/custom/path-templates';
import { TERM_TEMPLATES } from '../test/gradcheck/custom/term-templates';
import { SECOND_STYLE_TEMPLATES, STYLE_TEMPLATES } from '../test/gradcheck/custom/style-templates';
import { formatTable } from './measure';

const SEED = Number(process.env.SEED ?? 0);
const FAULTS = Number(process.env.FAULTS ?? 500);
const CORRECT = Number(process.env.CORRECT ?? 1000);
const sets: Readonly<Record<string, readonly Template[]>> = {
  'held-out': HELD_OUT_TEMPLATES,
  loops: LOOP_TEMPLATES,
  paths: PATH_TEMPLATES,
  styles: STYLE_TEMPLATES,
  'styles-2': SECOND_STYLE_TEMPLATES,
  terms: TERM_TEMPLATES,
};
const main = [...TEMPLATES, ...MORE_TEMPLATES, ...LOOP_TEMPLATES];
const templates = (sets[process.env.SET ?? ''] ?? main).filter(({ name }) => name.includes(process.env.ONLY ?? ''));

const disguiseFor = (i: number, rounds: boolean): Disguise => ({
  renames: i % 2 === 1,
  hidesOperations: i % 3 === 2,
  rounds,
});

const kinds = templates.flatMap((template) => Object.keys(template.mistakes).map((mistake) => ({ template, mistake })));
const perKind = Math.ceil(FAULTS / kinds.length);
/** The longest that a check computed without a turn of the event loop, in ms of processor time. */
let longest = 0;
let longestIn = '';
let current = '';
const { advance } = GradientCheck.prototype;
GradientCheck.prototype.advance = function (this: GradientCheck, entries: number): boolean {
  const start = process.cpuUsage().user;
  const isUnfinished = advance.call(this, entries);
  const took = (process.cpuUsage().user - start) / 1000;
  if (took > longest) [longest, longestIn] = [took, current];
  return isUnfinished;
};

let [planted, caught, named, compositions] = [0, 0, 0, 0];
/** Pairs of a planted kind and the cause that was named instead. */
const confusion = new Map<string, number>();
const rows = kinds.map(({ template, mistake }) => {
  let [here, right] = [0, 0];
  for (let i = 0; i < perKind; i++) {
    current = `${template.name}, ${mistake}`;
    const { isCaught, isNamed, report } = checkTemplate(template, mistake, 1000 * SEED + i, disguiseFor(i, false));
    if (isCaught) here++;
    if (isNamed) right++;
    else {
      const instead = `${template.name}, ${mistake} -> ${report.diagnosis?.cause ?? 'none'} of ${report.diagnosis?.tensor === 'input' ? 'the input' : 'a parameter'}${disguiseFor(i, false).hidesOperations ? ', operations hidden' : ''}`;
      confusion.set(instead, (confusion.get(instead) ?? 0) + 1);
    }
  }
  planted += perKind;
  if (template.isComposition) compositions += perKind;
  caught += here;
  named += right;
  return [template.name, mistake, String(perKind), String(here), String(right)];
});
if (planted > 0) console.log(formatTable(['layer', 'mistake', 'planted', 'caught', 'cause named first'], rows));
if (planted > 0)
  console.log(
    `\n${kinds.length} kinds, ${planted} faults (${compositions} in compositions): ${caught} caught; layer, tensor and cause named first in ${named} (${((100 * named) / planted).toFixed(1)} %).`,
  );
if (confusion.size > 0)
  console.log(`\nNamed instead:\n${[...confusion].map(([what, count]) => `${count} x ${what}`).join('\n')}`);

let [passed, wrong] = [0, 0];
const accused: string[] = [];
/** Seconds of each template, and its slowest check. */
const seconds = new Map<string, { total: number; longest: number }>();
const range = { from: Number(process.env.FROM ?? 0), to: Number(process.env.TO ?? CORRECT) };
for (let i = range.from; i < range.to; i++) {
  const template = templates[i % templates.length]!;
  const rounds = Math.floor(i / templates.length) % 4 === 3;
  const seed = 1_000_000 + 1000 * SEED + i;
  const start = performance.now();
  const { report } = checkTemplate(template, null, seed, disguiseFor(Math.floor(i / templates.length), rounds));
  const took = (performance.now() - start) / 1000;
  const before = seconds.get(template.name);
  seconds.set(template.name, { total: (before?.total ?? 0) + took, longest: Math.max(before?.longest ?? 0, took) });
  if (report.passed) passed++;
  if (report.counts.wrong > 0 || report.diagnosis) {
    wrong++;
    accused.push(
      `${template.name} (${seed}${rounds ? ', single precision' : ''}): ${report.diagnosis?.sentence ?? `${report.counts.wrong} wrong`}`,
    );
  }
  if (!report.passed && !report.diagnosis && report.counts.wrong === 0)
    accused.push(`${template.name} (${seed}): not passed, ${JSON.stringify(report.counts)}`);
}
console.log(
  `\nCorrect layers ${range.from} to ${range.to - 1} of seed ${SEED}: ${passed} passed, ${wrong} called wrong.`,
);
if (accused.length > 0) console.log(accused.join('\n'));
const slowest = [...seconds].sort(([, a], [, b]) => b.total - a.total).slice(0, 5);
console.log(
  `Most time: ${slowest.map(([name, { total, longest: most }]) => `${name} ${total.toFixed(1)} s (one check ${most.toFixed(1)} s)`).join(', ')}.`,
);
console.log(`The longest stretch without a turn of the event loop took ${longest.toFixed(0)} ms (${longestIn}).`);
