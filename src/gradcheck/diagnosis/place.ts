// Where the code of a layer of the user's own stands, beside what is wrong with it.
import { describePlace } from '../../engine/custom/fault';
import type { NetworkModel } from '../../engine/network';
import type { Diagnosis } from '../report';

export function placed({ layers }: NetworkModel, diagnosis: Diagnosis | null): Diagnosis | null {
  const code = layers.find(({ name }) => name === diagnosis?.layer)?.definition.code;
  if (!diagnosis || !code) return diagnosis;
  const place = code.backward ?? code.forward;
  const what = code.backward ? 'The backward' : 'The forward, from which the gradients follow,';
  return { ...diagnosis, place, sentence: `${diagnosis.sentence} ${what} is at ${describePlace(place)}.` };
}
