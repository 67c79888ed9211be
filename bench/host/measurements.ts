// The results of all suites, in the file that NABLASCOPE_BENCH_OUT names; bench/host.bench.ts prints them.
import { writeFileSync } from 'node:fs';

const measurements: Record<string, number[]> = {};

export function recordMeasurement(name: string, ...values: number[]): void {
  (measurements[name] ??= []).push(...values);
  const file = process.env.NABLASCOPE_BENCH_OUT;
  if (file) writeFileSync(file, JSON.stringify(measurements));
  else console.log(`${name}: ${values.map((value) => value.toFixed(1)).join(' ')}`);
}
