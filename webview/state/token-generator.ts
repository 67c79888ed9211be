// Generates a text slice by slice, again for every step that is shown.
import type { GeneratedTokens, GenerateTokensRequest } from '../../src/protocol/queries';
import type { Context } from '../context';

/** Tokens of a text. */
const LENGTH = 160;

type Settings = Omit<GenerateTokensRequest, 'generated'>;

export class TokenGenerator {
  prompt: readonly string[] = [];
  tokens: GeneratedTokens['generated'] = [];
  /** Why there is no text, as a sentence. */
  error: string | null = null;
  /** False if the network does not predict tokens. */
  isSupported = true;
  /** What was requested last, and what the tokens belong to. */
  #wanted: { readonly key: string; readonly settings: Settings } | null = null;
  #isRunning = false;

  constructor(
    readonly context: Pick<Context, 'query'>,
    readonly onChange: () => void,
  ) {}

  /** @param version changes whenever the text may change, such as with the step */
  request(version: string, settings: Settings): void {
    const key = `${version} ${JSON.stringify(settings)}`;
    if (key === this.#wanted?.key) return;
    this.#wanted = { key, settings };
    if (!this.#isRunning) void this.#run();
  }

  stop(): void {
    this.#wanted = null;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    let done: string | null = null;
    // While a run trains, the text of the latest step follows when this one is complete.
    while (this.#wanted && this.#wanted.key !== done) {
      const { key, settings } = this.#wanted;
      await this.#generate(settings);
      done = key;
    }
    this.#isRunning = false;
  }

  /** The previous text stays until the new one is complete. */
  async #generate(settings: Settings): Promise<void> {
    const tokens: GeneratedTokens['generated'][number][] = [];
    try {
      while (tokens.length < LENGTH && this.#wanted) {
        const generated = tokens.map(({ index }) => index);
        const { value } = await this.context.query({ type: 'generate_tokens', ...settings, generated });
        this.isSupported = value !== null;
        if (!value) break;
        this.prompt = value.prompt;
        tokens.push(...value.generated);
      }
      this.tokens = tokens.slice(0, LENGTH);
      this.error = null;
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
    }
    if (this.#wanted) this.onChange();
  }
}
