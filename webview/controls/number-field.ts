// A field that shows and edits a number: it shows the run's value until the user types, submits on Enter or blur, and
// resets on Escape. Invalid input is rejected with a message.
import { html, type TemplateResult } from 'lit/html.js';
import { ref } from 'lit/directives/ref.js';
import { parseNumber } from '../../src/presentation/numbers';

export interface NumberFieldOptions {
  readonly id: string;
  readonly label: string;
  readonly title: string;
  readonly width: 'narrow' | 'wide';
  /** @returns what is wrong, or null after applying the value */
  readonly commit: (value: number) => string | null;
  readonly onInvalid: (text: string) => void;
}

export class NumberField {
  #input: HTMLInputElement | undefined;
  #shown = '';
  #dirty = false;

  constructor(readonly options: NumberFieldOptions) {}

  /** @param visibleLabel whether its label is visible, or only for screen readers */
  template(shown: string, { disabled = false, visibleLabel = true } = {}): TemplateResult {
    this.#shown = shown;
    const input = this.#input;
    if (input && !this.#dirty && input.value !== shown) input.value = shown;
    const { id, label, title, width } = this.options;
    return html`<label class="field" title=${title}>
      <span class=${visibleLabel ? '' : 'visually-hidden'}>${label}</span>
      <input
        ${ref(this.#setInput)}
        id=${id}
        aria-label=${label}
        class=${width}
        type="text"
        inputmode="decimal"
        autocomplete="off"
        spellcheck="false"
        ?disabled=${disabled}
        @input=${this.#onInput}
        @change=${this.#commit}
        @keydown=${this.#onKeyDown}
        @blur=${this.#onBlur}
      />
    </label>`;
  }

  readonly #setInput = (element?: Element): void => {
    this.#input = element instanceof HTMLInputElement ? element : undefined;
    if (this.#input && !this.#dirty) this.#input.value = this.#shown;
  };

  readonly #onInput = (): void => {
    this.#dirty = true;
    this.#input?.removeAttribute('aria-invalid');
  };

  readonly #commit = (): void => {
    const input = this.#input;
    if (!input || !this.#dirty) return;
    this.#dirty = false;
    const value = parseNumber(input.value);
    const error = value === null ? `“${input.value}” is not a number.` : this.options.commit(value);
    if (error === null) return;
    input.setAttribute('aria-invalid', 'true');
    this.#dirty = true;
    this.options.onInvalid(error);
  };

  readonly #onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') this.#reset();
  };

  /** Rejected input is replaced by the run's value. */
  readonly #onBlur = (): void => {
    if (this.#input?.hasAttribute('aria-invalid')) this.#reset();
  };

  #reset(): void {
    const input = this.#input;
    if (!input) return;
    this.#dirty = false;
    input.value = this.#shown;
    input.removeAttribute('aria-invalid');
  }
}
