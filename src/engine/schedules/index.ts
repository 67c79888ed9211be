// All learning-rate schedules. To add one, add a file to this folder and a line to the table.
import { constant } from './constant';
import { cosine } from './cosine';
import { exponential } from './exponential';
import { linear } from './linear';
import { step } from './step';

export const schedules = { constant, step, exponential, cosine, linear } as const;

export type ScheduleKind = keyof typeof schedules;
