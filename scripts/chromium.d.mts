import type { Browser, LaunchOptions } from 'playwright-core';

export const chromiumFlags: readonly string[];
export function chromiumLaunchOptions(): Promise<LaunchOptions>;
export function launchChromium(): Promise<Browser>;
