// Shared by the JavaScript peers: one JSON request per line as input, µs per step as output.
import { createInterface } from 'node:readline';

/** Numbers from -0.5 to 0.5, divided by the square root of their count. */
export function numbersOf() {
  let state = 7;
  return (n) =>
    Float32Array.from({ length: n }, () => ((state = (state * 48271) % 2147483647) / 2147483647 - 0.5) / Math.sqrt(n));
}

/** @param workloadOf returns a function that trains one step */
export async function answerRequests(version, workloadOf) {
  const workloads = new Map();
  console.log(JSON.stringify({ version }));
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    if (!workloads.has(request.name)) workloads.set(request.name, workloadOf(request));
    const step = workloads.get(request.name);
    for (let i = 0; i < request.calls / 4 + 1; i++) await step();
    const start = performance.now();
    for (let i = 0; i < request.calls; i++) await step();
    console.log(JSON.stringify(((performance.now() - start) / request.calls) * 1000));
  }
}
