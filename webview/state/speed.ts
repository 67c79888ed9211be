// The speed of Run: as fast as possible, or slow enough to watch.
import type { ModelInfo } from '../../src/protocol/panel';

export const speeds = {
  watch: { label: 'to watch', title: 'The whole run takes about 8 seconds or longer' },
  full: { label: 'full', title: 'As fast as possible' },
  '10': { label: '10 steps/s', title: 'Ten steps per second' },
  '1': { label: '1 step/s', title: 'One step per second' },
} as const;

export type Speed = keyof typeof speeds;

const WATCH_SECONDS = 8;

/** Steps per second; null for no limit. */
export function stepsPerSecond(speed: Speed, { totalSteps }: Pick<ModelInfo, 'totalSteps'>): number | null {
  if (speed === 'full') return null;
  return speed === 'watch' ? totalSteps / WATCH_SECONDS : Number(speed);
}
