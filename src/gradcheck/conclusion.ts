// What came of a check, in one sentence.
import type { CheckReport } from './report';
import { counted, grouped, indexText, short } from './words';

export function conclusion({ checked, complete, counts, entries, loss, parameters, passed }: CheckReport): string {
  const stopped = complete ? '' : `Stopped after ${grouped(checked)} of ${counted(entries, 'entry', 'entries')}. `;
  if (counts.wrong > 0) {
    const wrong = parameters.filter(({ verdict }) => verdict === 'wrong');
    const { name, worst } = wrong.reduce((a, b) => ((b.worst?.relativeError ?? 0) > (a.worst?.relativeError ?? 0) ? b : a));
    const where = `worst at ${name} ${indexText(worst?.index ?? [])}: backprop says ${short(worst?.analytic ?? NaN)}, the numeric derivative is ${short(worst?.numeric ?? NaN)}`;
    return `${stopped}Backprop is wrong at ${grouped(counts.wrong)} of ${counted(checked, 'entry', 'entries')}, ${where}.`;
  }
  if (!Number.isFinite(loss)) return `${stopped}The loss is ${loss}, so there is no derivative to compare with.`;
  if (!passed) {
    return checked === 0
      ? `${stopped}Nothing was checked.`
      : `${stopped}No entry could be told: ${untold(counts)}. That is not a pass.`;
  }
  const rest = untold(counts);
  const all = rest === '' ? 'all ' : '';
  const of = rest === '' ? counted(checked, 'entry', 'entries') : `${grouped(counts.pass)} of ${counted(checked, 'entry', 'entries')}`;
  return `${stopped}Backprop agrees with numeric derivatives at ${all}${of}${rest === '' ? '' : `; ${rest}`}.`;
}

/** Why entries that are neither right nor wrong could not be told; empty where there are none. */
export function untold({ kink, below_noise }: CheckReport['counts']): string {
  return [
    ...(below_noise > 0 ? [`${grouped(below_noise)} ${below_noise === 1 ? 'is' : 'are'} smaller than round-off can resolve`] : []),
    ...(kink > 0 ? [`${grouped(kink)} ${kink === 1 ? 'lies' : 'lie'} on a kink`] : []),
  ].join(', ');
}
