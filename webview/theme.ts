// The editor's colours for what CSS cannot reach: canvases. Read from its `--vscode-*` variables, and read again when
// the theme changes. Where a theme gives two chart colours that look alike, or one that hardly shows, the next is taken.
import { contrast, difference, divergingTable, parseColour, type Rgb, sequentialTable, toCss } from './colours';

export type Part = 'train' | 'validation' | 'test';

export interface Theme {
  /** Rises with every change. */
  readonly version: number;
  readonly highContrast: boolean;
  readonly background: Rgb;
  readonly foreground: Rgb;
  readonly muted: Rgb;
  readonly grid: string;
  /** Series of a kind, the same everywhere. */
  readonly parts: Readonly<Record<Part, Rgb>>;
  readonly forward: Rgb;
  readonly backward: Rgb;
  readonly good: Rgb;
  readonly bad: Rgb;
  readonly warning: Rgb;
  /** For layers and parameters, in turn. */
  readonly palette: readonly Rgb[];
  readonly fontFamily: string;
  readonly sequential: Uint8Array;
  readonly diverging: Uint8Array;
}

/** Graphics must stand out this much (WCAG 2.2, 1.4.11). */
const LEAST_CONTRAST = 3;
const LEAST_DIFFERENCE = 0.09;

/** Takes, for each list of candidates in turn, the first that shows on the background and is unlike those taken. */
export function pickColours(background: Rgb, foreground: Rgb, wanted: readonly (readonly (Rgb | null)[])[]): Rgb[] {
  const taken: Rgb[] = [];
  for (const candidates of wanted) {
    const known = candidates.filter((colour) => colour !== null);
    const shown = known.filter((colour) => contrast(colour, background) >= LEAST_CONTRAST);
    const apart = shown.find((colour) => taken.every((other) => difference(colour, other) >= LEAST_DIFFERENCE));
    taken.push(apart ?? shown[0] ?? foreground);
  }
  return taken;
}

/** @param read the value of a CSS variable, empty when there is none */
export function readTheme(read: (name: string) => string, themeKind: string, version: number): Theme {
  const colour = (name: string): Rgb | null => parseColour(read(`--vscode-${name}`));
  const light = themeKind.includes('light');
  const background = colour('editor-background') ?? (light ? [255, 255, 255] : [30, 30, 30]);
  const foreground = colour('foreground') ?? colour('editor-foreground') ?? (light ? [59, 59, 59] : [204, 204, 204]);
  const [blue, orange, green, purple, red, yellow] = ['blue', 'orange', 'green', 'purple', 'red', 'yellow'].map((name) =>
    colour(`charts-${name}`),
  );
  const pick = (...wanted: (Rgb | null)[][]): Rgb[] => pickColours(background, foreground, wanted);
  const [train, validation, test] = pick([blue], [orange, yellow, red], [green, purple, yellow]);
  const [forward, backward] = pick([yellow, orange, green], [purple, red, blue]);
  const palette = pick([blue], [orange, yellow], [green], [purple], [red], [yellow, foreground]);
  const muted = colour('descriptionForeground') ?? foreground;
  return {
    version,
    highContrast: themeKind.includes('high-contrast'),
    background,
    foreground,
    muted,
    grid: toCss(foreground, 0.12),
    parts: { train, validation, test },
    forward,
    backward,
    good: pick([green, blue])[0],
    bad: pick([colour('errorForeground'), red])[0],
    warning: pick([colour('editorWarning-foreground'), yellow])[0],
    palette,
    fontFamily: read('--vscode-font-family') || 'system-ui, sans-serif',
    sequential: sequentialTable(),
    diverging: divergingTable(background),
  };
}

/** Watches the page's theme; also hands the chosen colours to CSS, so that both agree. */
export class ThemeWatcher {
  #theme: Theme;
  readonly #observer: MutationObserver;
  readonly #listeners = new Set<() => void>();

  constructor(readonly document: Document) {
    this.#theme = this.#read(1);
    let waiting = false;
    this.#observer = new MutationObserver(() => {
      // Variables and class change one after the other; one reading does for both.
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        this.#refresh();
      });
    });
    const { body, documentElement } = document;
    this.#observer.observe(body, { attributeFilter: ['class', 'data-vscode-theme-kind', 'data-vscode-theme-id'] });
    this.#observer.observe(documentElement, { attributeFilter: ['style'] });
    this.#publish();
  }

  get theme(): Theme {
    return this.#theme;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #read(version: number): Theme {
    const { body, documentElement } = this.document;
    const style = getComputedStyle(documentElement);
    const kind = `${body.dataset.vscodeThemeKind ?? ''} ${body.className}`;
    return readTheme((name) => style.getPropertyValue(name), kind, version);
  }

  #refresh(): void {
    const next = this.#read(this.#theme.version + 1);
    if (JSON.stringify({ ...next, version: 0 }) === JSON.stringify({ ...this.#theme, version: 0 })) return;
    this.#theme = next;
    this.#publish();
    for (const listener of this.#listeners) listener();
  }

  #publish(): void {
    const { parts, forward, backward, good, bad, warning } = this.#theme;
    const colours = { ...parts, forward, backward, good, bad, warning };
    // On <body>: the editor owns the style of <html>.
    for (const [name, value] of Object.entries(colours)) {
      this.document.body.style.setProperty(`--nabla-${name}`, toCss(value));
    }
  }
}
