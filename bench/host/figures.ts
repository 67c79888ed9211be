// The figures of all suites here, in the file that NABLASCOPE_BENCH_OUT names; bench/host.bench.ts prints them.
import { writeFileSync } from 'node:fs';

const figures: Record<string, number[]> = {};

export function keep(name: string, ...values: number[]): void {
  (figures[name] ??= []).push(...values);
  const file = process.env.NABLASCOPE_BENCH_OUT;
  if (file) writeFileSync(file, JSON.stringify(figures));
  else console.log(`${name}: ${values.map((value) => value.toFixed(1)).join(' ')}`);
}
