// What stops the run as an exception. To add a filter, add an entry here and a row to docs/debugger.md.
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { BreakpointPlace } from '../protocol/breakpoints';

export interface ExceptionFilter extends DebugProtocol.ExceptionBreakpointsFilter {
  /**
   * Where the engine stops, given the condition of the filter; a string says what is wrong with the condition. Absent
   * for NaN and infinity, at which training ends anyway.
   */
  readonly place?: (condition: string) => BreakpointPlace | string;
}

const onFindings =
  (...findings: readonly string[]) =>
  (): BreakpointPlace => ({ findings });

export const NON_FINITE = 'nonFinite';

export const exceptionFilters: readonly ExceptionFilter[] = [
  {
    filter: NON_FINITE,
    label: 'First NaN or infinity',
    description: 'The run cannot go on from there. With this, the stop is shown as an exception.',
    default: true,
  },
  {
    filter: 'gradientCheck',
    label: 'Gradient check fails',
    description: 'A check while training finds a wrong gradient.',
    supportsCondition: true,
    conditionDescription: 'Number of steps between checks, such as 100. By default as the spec schedules them.',
    place: (condition) => {
      const every = condition.trim() === '' ? null : Number(condition);
      return every === null || (Number.isInteger(every) && every > 0)
        ? { checkEvery: every }
        : 'The condition is the number of steps between two checks, such as 100.';
    },
  },
  {
    filter: 'deadLayer',
    label: 'Dead layer',
    description: 'Most units of a layer output 0 for nearly all samples.',
    place: onFindings('dead-units'),
  },
  {
    filter: 'vanishingGradient',
    label: 'Vanishing gradient',
    description: 'The first layers, or the first time steps, receive almost no gradient.',
    place: onFindings('vanishing-gradient', 'vanishing-through-time', 'zero-gradient'),
  },
  {
    filter: 'explodingGradient',
    label: 'Exploding gradient',
    description: 'The gradient grows on its way back to the first layer.',
    place: onFindings('exploding-gradient'),
  },
  {
    filter: 'divergence',
    label: 'Divergence',
    description: 'The loss has grown to many times its first value.',
    place: onFindings('diverging'),
  },
];
