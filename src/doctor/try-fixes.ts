// Tries the fixes of all findings, and where they leave a network that learns little, the usual values of what is
// unusual. Fixes that help stay; the one that helps more comes first.
import { setLearningRate } from '../diagnostics';
import { applyTextEdit, editSpec, type Path, type Spec } from '../model-spec';
import { formatPercent, pluralize } from '../presentation/numbers';
import type { DoctorFinding, Trial } from '../protocol/doctor-report';
import type { QuickFix } from '../protocol/problem';
import { type Attempt, type Attempts, describeEffect, gainsFurther, gainsMuch, gainsSkill, helps } from './attempt';
import { enoughOfRepaired, hasLearnedLittle, LEARNED_WELL, scoreOf } from './trial';
import { usualValues } from './usual-values';

/** A finding whose fix has not been tried. */
export interface Candidate extends Omit<DoctorFinding, 'remedy' | 'trial' | 'effect'> {
  readonly remedy: string;
}

/** More fixes of findings are not tried. */
const MAX_TRIALS = 12;
/** A run that ends with more is no short one. */
const LEARNED_PARTLY = 0.8;

/** Codes of findings that name no cause, but what helps. */
const GENERIC: readonly string[] = ['other-rate', 'learns-little', 'few-steps'];

/** The network sees what it is to predict, so that its skill is none. */
const LEAKS: readonly string[] = ['target-among-inputs', 'attention-sees-target'];

/** The numbers are not what the file says. */
const MISREAD: readonly string[] = ['thousands-as-decimals'];

/** What only another code can repair. */
const FAULTS_OF_CODE: readonly string[] = [
  ...['wrong-gradient', 'layer-mixes-samples', 'loss-of-precision'],
  ...['layer-differs-in-evaluation', 'layer-random-in-evaluation'],
  ...['loss-reduction', 'loss-mixes-samples', 'loss-ignores-target', 'loss-rewards-errors'],
];

/** Their fixes change what is measured, so that the skill with a fix says nothing beside the one without. */
const OTHER_MEASURE: readonly string[] = [
  ...LEAKS,
  ...MISREAD,
  ...['classes-as-values', 'values-as-classes', 'padding-counted', 'ignored-class', 'few-samples', 'constant-target'],
];

/** Nothing can be learned from such data. */
const NOTHING_TO_LEARN: readonly string[] = ['constant-target', 'constant-inputs'];

/** What is odd about the data but keeps no network from learning. */
const HARMLESS: readonly string[] = ['constant-feature'];

/**
 * @param candidates of the spec, then of the run
 * @param places paths of the parts of the spec that findings are about, by code
 * @param onProgress receives the findings so far: those whose fixes were tried, then the others, without their fixes
 */
export async function tryFixes(
  candidates: readonly Candidate[],
  attempts: Attempts,
  places: ReadonlyMap<string, Path> = new Map(),
  onProgress: (findings: readonly DoctorFinding[]) => void = () => undefined,
): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = [];
  const report = (untried: readonly Candidate[]): void =>
    onProgress([
      ...rank(findings, attempts.baseline.spec),
      ...untried.map((each) => ({ ...each, fix: null, trial: null, effect: null })),
    ]);
  for (const [i, candidate] of candidates.entries()) {
    report(candidates.slice(i));
    const finding = await tryFixOf(candidate, attempts);
    if (finding) findings.push(finding);
  }
  report([]);
  const plausible = findings.filter(({ fix }) => !fix || !setsHugeRate(fix));
  if (bestScore(plausible, attempts) < LEARNED_WELL)
    findings.push(...(await tryTogether(plausible, candidates, attempts)));
  findings.push(...(await tryLongerRun(findings, attempts)));
  const isMemorized = findings.some(({ code }) => code === 'memorizing');
  // A rate that is usual is no cause: another one may make up for it.
  const { spec } = attempts.baseline;
  const named = findings.filter(({ fix }) => !fix || !setsRateOnly(fix) || !hasUsualRate(spec));
  const isExplained = named.some(({ code, trial }) => trial && !GENERIC.includes(code));
  const isHopeless = findings.some(({ code, fix }) => NOTHING_TO_LEARN.includes(code) && !fix);
  if (isHopeless) return rank(findings, spec);
  const { run, isRepaired } = attempts.baseline;
  const enough = isExplained ? LEARNABLE : isRepaired ? enoughOfRepaired(run) : LEARNED_WELL;
  if (isMemorized || bestScore(named, attempts) < enough)
    for (const usual of await tryUsualValues(findings, attempts)) addUsual(usual, findings, places);
  if (findings.length === 0 && hasLearnedLittle(attempts.baseline.trial))
    findings.push(learnsLittle(attempts.baseline.trial));
  return rank(findings, spec);
}

/** A part of the spec that a finding without a fix is about, and that is replaced, is its fix. */
function addUsual(usual: DoctorFinding, findings: DoctorFinding[], places: ReadonlyMap<string, Path>): void {
  const replaced = usual.fix?.changes[0]?.path.join('\n');
  const at = findings.findIndex(
    ({ code, trial, isFailure }) => trial === null && !isFailure && places.get(code)?.join('\n') === replaced,
  );
  const { fix, trial, effect, remedy } = usual;
  if (at < 0 || replaced === undefined) findings.push(usual);
  else findings[at] = { ...findings[at]!, fix, trial, effect, remedy };
}

/** With the benefit of the doubt for the spec as it is. */
const bestScore = (findings: readonly DoctorFinding[], { baseline: { trial } }: Attempts): number =>
  Math.max(
    scoreOf(trial) + (scoreOf(trial) > 0 ? trial.standardError : 0),
    ...findings.flatMap(({ trial }) => (trial ? scoreOf(trial) : [])),
  );

const bestTrial = (findings: readonly DoctorFinding[]): number =>
  Math.max(...findings.flatMap(({ trial }) => (trial ? scoreOf(trial) : [])));

async function tryFixOf(candidate: Candidate, attempts: Attempts): Promise<DoctorFinding | null> {
  const { suggestedRate, spec } = attempts.baseline;
  const attempt = async (fix: QuickFix): Promise<Attempt | null> =>
    attempts.count - attempts.refinements < MAX_TRIALS ? attempts.attempt(fix) : null;
  const usual = candidate.fix && (await attempt(candidate.fix));
  // Rules only estimate a rate; the range test has tried some.
  const other =
    candidate.fix && setsRateOnly(candidate.fix) && suggestedRate !== null
      ? await attempt(setLearningRate(spec, suggestedRate))
      : null;
  const isOtherBetter = other !== null && helps(other) && (!usual || isBetter(other.trial, usual.trial));
  const estimate = isOtherBetter ? other : usual;
  const best =
    estimate && helps(estimate) && setsRateOnly(estimate.fix) ? await refineRate(estimate, attempts) : estimate;
  // Without the target before its eyes, a network knows less; on more samples, it is harder to be right.
  if (best && OTHER_MEASURE.includes(candidate.code) && !best.trial.diverged)
    return { ...candidate, fix: best.fix, trial: best.trial, effect: describeEffect(best) };
  const hasHelped = best !== null && helps(best) && (candidate.code !== 'other-rate' || gainsSkill(best));
  if (candidate.code === 'other-rate' && !hasHelped) return null;
  const remedy = best && best !== usual ? `${best.fix.title}.` : candidate.remedy;
  return {
    ...candidate,
    fix: hasHelped ? best.fix : null,
    trial: hasHelped ? best.trial : null,
    effect: hasHelped ? describeEffect(best) : null,
    remedy: best && !hasHelped ? null : remedy,
  };
}

/** Compares what the trials learn, and if that is the same up to noise, how fast. */
const isBetter = (a: Trial, b: Trial): boolean =>
  Math.abs(scoreOf(a) - scoreOf(b)) > NOISE ? scoreOf(a) > scoreOf(b) : a.pace > b.pace;

const setsRateOnly = ({ changes }: QuickFix): boolean =>
  changes.length === 1 && changes[0]?.path.join('.') === 'optimizer.lr';

/** Rates that are usual, for plain steps and for those that are scaled by the size of gradients. */
const USUAL_RATES = { plain: [0.005, 0.3], scaled: [3e-4, 0.02] } as const;

/** Beyond the usual ones, a rate may still suit a task. */
const UNUSUAL = 4;

/**
 * With the steps that momentum adds up.
 * @param other a rate instead of that of the spec
 * @param margin beyond usual rates
 */
function hasUsualRate({ optimizer }: Spec, other?: number, margin = 1): boolean {
  const { lr, momentum = 0 } = optimizer.options as { readonly lr: number; readonly momentum?: number };
  const isPlain = optimizer.type === 'sgd' || optimizer.type === 'adagrad';
  const [low, high] = USUAL_RATES[isPlain ? 'plain' : 'scaled'];
  const rate = isPlain ? (other ?? lr) / (1 - momentum) : (other ?? lr);
  return rate >= low / margin && rate <= high * margin;
}

/** Whether only a rate far from usual ones helps: it makes up for something else. */
const setsOddRate = (spec: Spec, fix: QuickFix): boolean =>
  setsRateOnly(fix) && hasUsualRate(spec) && !hasUsualRate(spec, rateOf(fix), UNUSUAL);

/** Rates that are tried around those that help. */
const MAX_REFINEMENTS = 6;
/** Half a decade, as between the rates of the range test. */
const RATE_FACTOR = 3;
/** A loss that is lower than by noise. */
const LOWER_LOSS = 0.8;

/** Looks for a better rate above and below one that helps, as rules and the range test only estimate it. */
async function refineRate(estimate: Attempt, attempts: Attempts): Promise<Attempt> {
  const { spec } = attempts.baseline;
  let best = estimate;
  for (const factor of [1 / RATE_FACTOR, RATE_FACTOR]) {
    while (attempts.refinements < MAX_REFINEMENTS) {
      const lr = Number((rateOf(best.fix) * factor).toPrecision(1));
      const next = await attempts.refine(setLearningRate(spec, lr));
      if (!next || !trainsBetter(next.trial, best.trial)) break;
      best = next;
    }
    if (best !== estimate) break;
  }
  return best;
}

const rateOf = ({ changes }: QuickFix): number => Number(changes[0]?.value);

/** A higher rate than the range test has makes up for gradients that something else keeps small, such as a clip. */
const HUGE_RATE = 10;
const setsHugeRate = (fix: QuickFix): boolean => setsRateOnly(fix) && rateOf(fix) > HUGE_RATE;

/** Whether a run learns more, or the same with a lower loss. */
function trainsBetter(a: Trial, b: Trial): boolean {
  if (a.diverged || Math.abs(scoreOf(a) - scoreOf(b)) > NOISE) return !a.diverged && scoreOf(a) > scoreOf(b);
  const [loss, other] = [a, b].map(({ evaluation }) => (evaluation.validation ?? evaluation.train)?.loss ?? NaN);
  return loss! < LOWER_LOSS * other!;
}

/** Faults that are fixed together, at most. */
const MAX_FAULTS = 5;

/** Several fixes, each for the spec with those before it. */
interface Combination {
  readonly fix: QuickFix;
  readonly codes: readonly string[];
}

/** Applies the fixes of the spec's rules one after the other, except those of some rules. */
async function combineFixes(
  candidates: readonly Candidate[],
  attempts: Attempts,
  except: readonly string[],
): Promise<Combination | null> {
  const first = candidates.find(({ fix, range, code }) => fix && range && !except.includes(code));
  if (!first?.fix) return null;
  const fixes: QuickFix[] = [first.fix];
  const codes = [first.code];
  let { text } = attempts.baseline;
  while (fixes.length < MAX_FAULTS) {
    text = applyTextEdit(text, editSpec(text, fixes.at(-1)!.changes));
    const { problems } = await attempts.load(text);
    const next = problems.find(({ fix, code }) => fix && !codes.includes(code) && !except.includes(code));
    if (!next?.fix) break;
    codes.push(next.code);
    fixes.push(next.fix);
  }
  const title = fixes.map((fix) => fix.title).join('; ');
  return { fix: { title, changes: fixes.flatMap(({ changes }) => changes) }, codes };
}

/**
 * Where each of several faults keeps the network from learning, none of their fixes helps alone. Applies the fixes of
 * the spec's rules one after the other, and leaves those out that add nothing.
 * @returns the finding that matters most of them again, with all of these fixes, if they help together
 */
async function tryTogether(
  findings: readonly DoctorFinding[],
  candidates: readonly Candidate[],
  attempts: Attempts,
): Promise<DoctorFinding[]> {
  const all = await combineFixes(candidates, attempts, []);
  if (!all || all.codes.length < 2) return [];
  const isBest = (each: Attempt): boolean => gainsSkill(each) && scoreOf(each.trial) > bestTrial(findings);
  const complete = await attempts.attempt(all.fix);
  if (!complete || !isBest(complete)) return [];
  let attempt = complete;
  const left: string[] = [];
  /** What a fix is worth: how much less is learned without it. */
  const worth = new Map<string, number>();
  for (const code of all.codes) {
    const others = await combineFixes(candidates, attempts, [...left, code]);
    const without = others && (await attempts.attempt(others.fix));
    // Small losses would add up if each were measured from the one before.
    const loss = scoreOf(complete.trial) - (without ? Math.max(0, scoreOf(without.trial)) : 0);
    worth.set(code, loss);
    if (!without || loss > NOISE) continue;
    left.push(code);
    attempt = without;
  }
  if (!isBest(attempt)) return [];
  const kept = all.codes.filter((code) => !left.includes(code));
  const cause = kept
    .sort((a, b) => worth.get(b)! - worth.get(a)!)
    .flatMap((code) => candidates.find((each) => each.code === code) ?? [])[0];
  if (!cause) return [];
  return [{ ...cause, fix: attempt.fix, trial: attempt.trial, effect: describeEffect(attempt), remedy: cause.remedy }];
}

/** A run that ends with this much skill may still be short, if its losses fall to this part. */
const STILL_FALLING = 0.5;

/** Whether a run that has not learned all learns much more in a longer one, in skill or in loss. */
function gainsByLength(attempt: Attempt): boolean {
  const { trial, before } = attempt;
  if (scoreOf(before) + before.standardError < LEARNED_PARTLY) return gainsMuch(attempt);
  const [loss, lossBefore] = [trial, before].map(({ evaluation }) => (evaluation.validation ?? evaluation.train)?.loss);
  const isFalling = (loss ?? NaN) < STILL_FALLING * (lossBefore ?? NaN);
  return scoreOf(before) < LEARNED_WELL && isFalling && scoreOf(trial) > scoreOf(before) + 2 * NOISE;
}

/** The trial is longer than a short run: whether that is what the run lacks. */
async function tryLongerRun(findings: readonly DoctorFinding[], attempts: Attempts): Promise<DoctorFinding[]> {
  const { run, trial, steps } = attempts.baseline;
  const length = run.epochs * Math.ceil(run.split.train.length / run.batchSize);
  if (length >= steps || hasLearnedLittle(trial) || findings.some(({ code }) => code === 'few-steps')) return [];
  const own = await attempts.trainToEnd('training to the end of the run');
  if (!gainsByLength({ fix: { title: '', changes: [] }, trial, before: own })) return [];
  const held = await tryOptionsAtOwnLength(own, attempts);
  if (held) return [held];
  const epochs = Math.ceil((run.epochs * steps) / length);
  const fix = { title: `Train for ${epochs} epochs`, changes: [{ path: ['epochs'], value: epochs }] };
  const attempt = await attempts.attempt(fix);
  if (!attempt || !gainsByLength(attempt)) return [];
  return [
    {
      code: 'few-steps',
      message: `The run ends too early: after ${pluralize(length, 'step')} the network ${describeSkill(own)}, and it is still learning.`,
      remedy: `Train for longer, such as ${epochs} epochs.`,
      range: null,
      since: null,
      fix,
      trial: attempt.trial,
      effect: describeEffect(attempt),
    },
  ];
}

/** Whether the network is slow because of an option: without it, it learns as much in the run's own length. */
async function tryOptionsAtOwnLength(own: Trial, attempts: Attempts): Promise<DoctorFinding | null> {
  const { spec, run, trial } = attempts.baseline;
  const [options = []] = usualValues(spec, run);
  let best: { readonly attempt: Attempt; readonly cause: string } | null = null;
  for (const { cause, fix } of options.slice(0, MAX_OPTIONS)) {
    const attempt = await attempts.attemptAtOwnLength(fix, own);
    if (!attempt || !gainsByLength(attempt) || scoreOf(attempt.trial) < scoreOf(trial) - NOISE) continue;
    if (!best || trainsBetter(attempt.trial, best.attempt.trial)) best = { attempt, cause };
  }
  return best && { ...heldBack(best.attempt, best.cause, trial) };
}

/** More are not tried at the run's own length. */
const MAX_OPTIONS = 8;

const heldBack = (attempt: Attempt, cause: string, trial: Trial): DoctorFinding => ({
  ...learnsLittle(trial),
  message: `The network ${describeSkill(attempt.before)}. ${cause}`,
  remedy: `${attempt.fix.title}.`,
  fix: attempt.fix,
  trial: attempt.trial,
  effect: describeEffect(attempt),
});

/** Replaces what is unusual, one at a time. @returns the best of what gains much */
async function tryUsualValues(findings: readonly DoctorFinding[], attempts: Attempts): Promise<DoctorFinding[]> {
  const { spec, run, trial, isRepaired } = attempts.baseline;
  const gains = isRepaired ? gainsFurther : gainsMuch;
  const isMemorized = findings.some(({ code }) => code === 'memorizing');
  // Another optimizer says less than another rate.
  const ofRate = findings.filter(({ fix }) => fix && setsRateOnly(fix));
  const isOfRate = ofRate.length > 0;
  const byRate = bestTrial(ofRate.filter(({ fix }) => fix && !setsOddRate(spec, fix)));
  const lacksSamples = isMemorized || trial.skill - (trial.validationSkill ?? trial.skill) > GENERALIZATION_GAP;
  let best: { readonly attempt: Attempt; readonly cause: string } | null = null;
  for (const group of usualValues(spec, run)) {
    // What is not unusual is no cause where another rate is as good.
    if (byRate >= LEARNED_WELL && group.every(({ isCapacity }) => isCapacity)) break;
    for (const { cause, fix, isOptimizer, isMoreSamples, isCapacity } of group) {
      if ((isOptimizer && isOfRate) || (isCapacity && byRate >= LEARNED_WELL) || !attempts.canGuess) continue;
      const tried = await attempts.attempt(fix, true);
      // Too few validation samples to measure it: what is memorized is not learned.
      const attempt = tried && isMemorized ? { ...tried, before: { ...tried.before, validationSkill: 0 } } : tried;
      if (
        !attempt ||
        !gains(attempt) ||
        scoreOf(attempt.trial) < byRate - NOISE ||
        (isMemorized && attempt.trial.validationSkill === null)
      )
        continue;
      if (isMoreSamples && lacksSamples && scoreOf(attempt.trial) >= LEARNABLE) {
        const { isFailure: _, ...finding } = heldBack(attempt, cause, trial);
        return [{ ...finding, code: 'few-samples' }];
      }
      if (!best || scoreOf(attempt.trial) > scoreOf(best.attempt.trial) + NOISE) best = { attempt, cause };
    }
    if (best && scoreOf(best.attempt.trial) >= LEARNED_WELL) break;
  }
  if (!best) return [];
  const { attempt, cause } = best;
  const changes = JSON.stringify(attempt.fix.changes);
  if (findings.some(({ fix }) => fix && JSON.stringify(fix.changes) === changes)) return [];
  return [heldBack(attempt, cause, trial)];
}

/** Of skill: what is learned of the training samples alone. */
const GENERALIZATION_GAP = 0.2;

/** A more general fix must be better by more than this. */
const NOISE = 0.05;

/** "has learned 12 % of what there is to learn (0 % is a constant prediction)". */
function describeSkill({ skill, validationSkill, diverged }: Trial): string {
  if (diverged) return 'diverges';
  const percent = (value: number): string => formatPercent(Math.max(0, Number(value.toFixed(2))));
  const validation = validationSkill === null ? '' : `, and ${percent(validationSkill)} in the validation split`;
  return `has learned ${percent(skill)} of what there is to learn in the training split${validation}; a constant prediction has 0 %`;
}

const learnsLittle = (trial: Trial): DoctorFinding => ({
  code: 'learns-little',
  isFailure: true,
  message: `The network ${describeSkill(trial)}.`,
  remedy: 'No rule explains it, and no usual change helps. Check that the targets follow from the inputs.',
  range: null,
  since: null,
  fix: null,
  trial: null,
  effect: null,
});

/** Findings of the data come first if no fix makes the network learn this much. */
const LEARNABLE = 0.7;

/** Between what helps and names no cause, and what helps and does. */
const FAULT_OF_DATA = 2.5;

/** What names no cause must gain this much more skill to come before what does. */
const GENERIC_PENALTY = 0.6;
/** The same of another rate, where that of the spec is usual: anything else that helps as much names the cause. */
const [USUAL_RATE_PENALTY, ODD_RATE_PENALTY] = [0.75, 1.2];
/** The same of a run that ends early, which other rates make up for. */
const SHORT_RUN_PENALTY = 0.4;

/** The same of what only a run shows: another rate or a clip also makes up for the faults of a spec. */
const RUN_PENALTY = 0.2;

/** Labels of which a network learns so much follow from the inputs. */
const REFUTED = 0.4;
const UNRELATED: readonly string[] = ['unrelated-labels', 'unrelated-targets'];

/** One finding for each code, those to act on first at the top. */
function rank(findings: readonly DoctorFinding[], spec: Spec): DoctorFinding[] {
  const isRefuted = findings.some(({ trial }) => trial && scoreOf(trial) >= REFUTED);
  const isLearnable = findings.some(({ trial }) => trial && scoreOf(trial) >= LEARNABLE);
  const sorted = findings
    .map((finding) => ({
      finding,
      rank: rankOf(finding, isLearnable || (isRefuted && UNRELATED.includes(finding.code)), spec),
    }))
    .sort((a, b) => b.rank - a.rank)
    .map(({ finding }) => finding);
  const hasCause = sorted.some(({ fix }) => fix !== null);
  return sorted.filter(
    ({ code, fix }, i) =>
      sorted.findIndex((each) => each.code === code) === i &&
      // What has failed to learn is said once.
      !(code === 'not-learning' && fix === null && hasCause && sorted.some((each) => each.code === 'learns-little')),
  );
}

/**
 * Fixes by what they achieve, those that name a cause first; what no fix can repair, the data, before them unless a fix
 * makes the network learn; then the spec before the run.
 */
function rankOf(
  { code, isFailure, trial, range, remedy, fix }: DoctorFinding,
  isLearnable: boolean,
  spec: Spec,
): number {
  if ([LEAKS, MISREAD, FAULTS_OF_CODE].some((codes) => codes.includes(code))) return 5;
  // Differences in skill of less than a tenth are noise: then the order of the rules decides.
  if (trial) {
    // What the spec says is a cause; what a run shows may be its effect.
    const isGeneric = GENERIC.includes(code) || isFailure || (fix && setsHugeRate(fix));
    const isOfUsualRate = fix && setsRateOnly(fix) && hasUsualRate(spec);
    const penalty = isOfUsualRate
      ? setsOddRate(spec, fix)
        ? ODD_RATE_PENALTY
        : USUAL_RATE_PENALTY
      : isGeneric
        ? code === 'few-steps'
          ? SHORT_RUN_PENALTY
          : GENERIC_PENALTY
        : range
          ? 0
          : RUN_PENALTY;
    return 2 + Math.round(10 * Math.max(0, scoreOf(trial))) / 10 - penalty;
  }
  if (range && remedy === null) return 1;
  // A fault of the data is a cause, which the usual values of options are not.
  if (range) return !isLearnable ? 4 : HARMLESS.includes(code) ? 1.5 : FAULT_OF_DATA;
  return isFailure ? 0 : 0.5;
}
