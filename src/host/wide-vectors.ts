// Vectors of 256 bits are an experiment of the JavaScript engine. Whether an engine may be told to use them: not after
// one that did ended for a reason that nobody knows.
import type { Fault } from '../engine/custom/fault';
import type { OpenRequest } from '../protocol/engine';

export class WideVectorsTrust {
  #tried = false;
  #lost = false;

  /** What an engine is told, without them where they are not trusted any more. */
  request(request: OpenRequest): OpenRequest {
    return this.#lost ? { ...request, wideVectors: false } : request;
  }

  /** The engine uses them from now on. */
  tried(): void {
    this.#tried = true;
  }

  /** The engine died. @returns whether they may be to blame */
  ended(fault: Fault | null): boolean {
    const suspect = this.#tried && fault === null;
    // Word of them may not have come before the end.
    this.#lost ||= fault === null;
    this.#tried = false;
    return suspect;
  }
}

/** Said when a run goes on at `step`. */
export const withoutWideVectors = (step: number): string =>
  `It computed in vectors of 256 bits, which are an experiment of the JavaScript engine: the run goes on from step ${step} without them.`;
