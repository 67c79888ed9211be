// A check taken apart into cases, for Test Explorer and build servers: every parameter, what every layer hands back,
// and the loss. Which cases a network has follows from its layers alone, so they are known before it is checked.
import { untold } from './conclusion';
import type { CheckReport, Diagnosis, ParameterCheck } from './report';
import { counted, grouped, indexText, short, tiny } from './words';

/** As much of a layer as its cases follow from. */
export interface CaseLayer {
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly shortName: string }[];
}

export interface CasePlace {
  /** By its place in the network; null for the loss. */
  readonly layer: number | null;
  /** Whose gradient: a parameter by its short name, `input` for what a layer hands back, of the loss `prediction`. */
  readonly tensor: string;
  /** Full name of the parameter; null where it is none. */
  readonly parameter: string | null;
}

export interface CheckCase extends CasePlace {
  /** Skipped is what could not be told. */
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** What is wrong, or why it could not be told; empty where it passed. */
  readonly message: string;
  /** Of the worst entry, where it failed. */
  readonly worst: { readonly analytic: number; readonly numeric: number } | null;
}

/** In the order of the network. What a layer hands back is a case where there is a parameter ahead of it to feel it. */
export function casePlaces(layers: readonly CaseLayer[]): CasePlace[] {
  const places = layers.flatMap(({ parameters }, layer): CasePlace[] => {
    const felt = layers.slice(0, layer).some((ahead) => ahead.parameters.length > 0);
    return [
      ...parameters.map(({ name, shortName }) => ({ layer, tensor: shortName, parameter: name })),
      ...(felt ? [{ layer, tensor: 'input', parameter: null }] : []),
    ];
  });
  return [...places, { layer: null, tensor: 'prediction', parameter: null }];
}

export function casesOf(report: CheckReport, layers: readonly CaseLayer[]): CheckCase[] {
  const checks = new Map(report.parameters.map((check) => [check.name, check]));
  return casePlaces(layers).map((place) => {
    const { parameter, layer } = place;
    const check = parameter === null ? undefined : checks.get(parameter);
    if (check) return ofParameter(place, check, report);
    const ahead = layers.slice(0, layer ?? layers.length).flatMap(({ parameters }) => parameters.map(({ name }) => checks.get(name)));
    return ofSignal(place, layers, ahead.filter((each) => each !== undefined), report.diagnosis);
  });
}

/** The case as it is called in a sentence. */
export function caseName({ layer, tensor, parameter }: CasePlace, layers: readonly CaseLayer[]): string {
  if (parameter !== null) return parameter;
  return layer === null ? 'the gradient of the loss' : `what ${layers[layer].name} hands back (${tensor})`;
}

function ofParameter(place: CasePlace, check: ParameterCheck, { diagnosis }: CheckReport): CheckCase {
  const { name, counts, worst, entries, checked } = check;
  if (counts.wrong > 0) {
    const where = worst
      ? ` The worst is ${indexText(worst.index)}: backprop says ${short(worst.analytic)}, the numeric derivative is ${short(worst.numeric)} (relative error ${tiny(worst.relativeError)}).`
      : '';
    const what = `Backprop is wrong at ${grouped(counts.wrong)} of ${counted(checked, 'entry', 'entries')} of ${name}.${where}`;
    return { ...place, outcome: 'failed', message: diagnosis ? `${what}\nWhy: ${diagnosis.sentence}` : what, worst };
  }
  if (checked < entries) return skipped(place, `Stopped after ${grouped(checked)} of ${counted(entries, 'entry', 'entries')}.`);
  if (counts.pass > 0) return passed(place);
  return skipped(place, `No entry of ${name} could be told: ${untold(counts)}.`);
}

/** What a layer or the loss hands back has no numeric derivative of its own: it is right where those ahead that it reaches are. */
function ofSignal(place: CasePlace, layers: readonly CaseLayer[], ahead: readonly ParameterCheck[], diagnosis: Diagnosis | null): CheckCase {
  const name = place.layer === null ? null : layers[place.layer].name;
  if (diagnosis && diagnosis.layer === name && diagnosis.tensor === place.tensor) {
    const { analytic, numeric } = diagnosis;
    const worst = analytic !== null && numeric !== null ? { analytic, numeric } : null;
    return { ...place, outcome: 'failed', message: diagnosis.sentence, worst };
  }
  if (ahead.some(({ counts }) => counts.wrong > 0)) {
    return skipped(place, `It cannot be told while other gradients are wrong: ${list(ahead.filter(({ counts }) => counts.wrong > 0))}.`);
  }
  if (ahead.some(({ entries, checked }) => checked < entries)) return skipped(place, 'Stopped before all that it reaches was checked.');
  if (ahead.some(({ counts }) => counts.pass > 0)) return passed(place);
  return skipped(place, 'It could not be told, because no gradient that it reaches could be.');
}

const passed = (place: CasePlace): CheckCase => ({ ...place, outcome: 'passed', message: '', worst: null });
const skipped = (place: CasePlace, message: string): CheckCase => ({ ...place, outcome: 'skipped', message, worst: null });
const list = (checks: readonly ParameterCheck[]): string => checks.map(({ name }) => name).join(', ');
