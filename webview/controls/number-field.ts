// A field for a number that is also shown: it follows the run until somebody types, sends on Enter or when left, and
// comes back on Escape. What is no number is refused in words.
import { html, type TemplateResult } from 'lit/html.js';
import { ref } from 'lit/directives/ref.js';

export interface FieldOptions {
  readonly id: string;
  readonly label: string;
  readonly title: string;
  readonly width: 'narrow' | 'wide';
  /** @returns what is wrong, or null after acting on it */
  readonly commit: (value: number) => string | null;
  readonly refuse: (text: string) => void;
}

export class NumberField {
  #input: HTMLInputElement | undefined;
  #shown = '';
  #dirty = false;

  constructor(readonly options: FieldOptions) {}

  /** @param visibleLabel whether its label is on the page, or only for who cannot see it */
  template(shown: string, { disabled = false, visibleLabel = true } = {}): TemplateResult {
    this.#shown = shown;
    const input = this.#input;
    if (input && !this.#dirty && input.value !== shown) input.value = shown;
    const { id, label, title, width } = this.options;
    return html`<label class="field" title=${title}>
      <span class=${visibleLabel ? '' : 'unseen'}>${label}</span>
      <input
        ${ref(this.#attach)}
        id=${id} class=${width} type="text" inputmode="decimal" autocomplete="off" spellcheck="false"
        ?disabled=${disabled}
        @input=${this.#typed} @change=${this.#commit} @keydown=${this.#key} @blur=${this.#leave}
      />
    </label>`;
  }

  readonly #attach = (element?: Element): void => {
    this.#input = element instanceof HTMLInputElement ? element : undefined;
    if (this.#input && !this.#dirty) this.#input.value = this.#shown;
  };

  readonly #typed = (): void => {
    this.#dirty = true;
    this.#input?.removeAttribute('aria-invalid');
  };

  readonly #commit = (): void => {
    const input = this.#input;
    if (!input || !this.#dirty) return;
    this.#dirty = false;
    const text = input.value.trim().replace('−', '-').replace(/\s/g, '');
    const wrong = text === '' || !Number.isFinite(Number(text)) ? `“${input.value}” is not a number.` : this.options.commit(Number(text));
    if (wrong === null) return;
    input.setAttribute('aria-invalid', 'true');
    this.#dirty = true;
    this.options.refuse(wrong);
  };

  readonly #key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') this.#follow();
  };

  /** What was refused does not stay: a field nobody types in shows the run's own number. */
  readonly #leave = (): void => {
    if (this.#input?.hasAttribute('aria-invalid')) this.#follow();
  };

  #follow(): void {
    const input = this.#input;
    if (!input) return;
    this.#dirty = false;
    input.value = this.#shown;
    input.removeAttribute('aria-invalid');
  }
}
