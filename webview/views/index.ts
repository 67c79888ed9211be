// The views in the order of their tabs. A new view is one file and one line here.
import type { View } from '../context';
import { activations } from './activations';
import { check } from './check';
import { cost } from './cost';
import { fit } from './fit';
import { gradients } from './gradients';
import { learn } from './learn';
import { network } from './network';
import { shapes } from './shapes';
import { step } from './step';
import { sweep } from './sweep';
import { tensors } from './tensors';
import { time } from './time';
import { whatIf } from './what-if';

export const views: readonly View[] = [learn, step, network, whatIf, fit, gradients, activations, check, tensors, time, shapes, sweep, cost];
