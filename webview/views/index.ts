// The workspaces, and the views of each in the order of their tabs. A new view is one file and one line here.
import type { View } from '../context';
import { activations } from './activations';
import { check } from './check';
import { cost } from './cost';
import { data } from './data';
import { doctor } from './doctor';
import { fit } from './fit';
import { gradients } from './gradients';
import { learn } from './learn';
import { network } from './network';
import { outputMap } from './output-map';
import { query } from './query';
import { sequence } from './sequence';
import { shapes } from './shapes';
import { step } from './step';
import { sweep } from './sweep';
import { tensors } from './tensors';
import { time } from './time';
import { whatIf } from './what-if';

export interface Workspace {
  readonly id: string;
  readonly title: string;
  /** The question that its views answer. */
  readonly question: string;
  readonly views: readonly View[];
}

export const workspaces: readonly Workspace[] = [
  {
    id: 'overview',
    title: 'Overview',
    question: 'Is it learning?',
    views: [learn, network, fit, data, shapes],
  },
  {
    id: 'explain',
    title: 'Explain',
    question: 'Where does a value come from?',
    views: [step, whatIf, tensors, sequence, outputMap],
  },
  {
    id: 'diagnose',
    title: 'Diagnose',
    question: 'What is wrong?',
    views: [gradients, activations, check, doctor, cost],
  },
  {
    id: 'compare',
    title: 'Compare',
    question: 'What differs between steps and runs?',
    views: [time, query, sweep],
  },
];

/** The workspace of a view. */
export const workspaceOf = (view: string): Workspace =>
  workspaces.find((workspace) => workspace.views.some(({ id }) => id === view)) ?? workspaces[0]!;

export const views: readonly View[] = workspaces.flatMap((workspace) => workspace.views);
