// The step under the pointer, shared by all charts.

export class Crosshair {
  #step: number | null = null;
  readonly #listeners = new Set<() => void>();

  get step(): number | null {
    return this.#step;
  }

  set(step: number | null): void {
    if (step === this.#step) return;
    this.#step = step;
    for (const listener of this.#listeners) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
