// The editor's colors for what CSS cannot style: canvases. Read from the `--vscode-*` variables, and again when the
// theme changes. If two chart colors of a theme look alike, or one has too little contrast, the next candidate is used.
import { contrast, colorDifference, divergingTable, parseColor, type Rgb, sequentialTable, toCss } from './colors';

export type Split = 'train' | 'validation' | 'test';

export interface Theme {
  /** Increases with every change. */
  readonly version: number;
  readonly highContrast: boolean;
  readonly background: Rgb;
  readonly foreground: Rgb;
  readonly muted: Rgb;
  readonly grid: string;
  /** The colors of the splits, the same everywhere. */
  readonly splits: Readonly<Record<Split, Rgb>>;
  readonly forward: Rgb;
  readonly backward: Rgb;
  readonly good: Rgb;
  readonly bad: Rgb;
  readonly warning: Rgb;
  /** Of the highlighted term. */
  readonly laser: Rgb;
  /** Colors for layers and parameters, which cycle. */
  readonly palette: readonly [Rgb, Rgb, ...Rgb[]];
  readonly fontFamily: string;
  readonly sequential: Uint8Array;
  readonly diverging: Uint8Array;
}

/** Minimum contrast of graphics (WCAG 2.2, 1.4.11). */
const MIN_CONTRAST = 3;
const MIN_COLOR_DIFFERENCE = 0.09;

/** For each list of candidates, picks the first with enough contrast that differs from those already picked. */
export function pickColors(background: Rgb, foreground: Rgb, wanted: readonly (readonly (Rgb | null)[])[]): Rgb[] {
  const picked: Rgb[] = [];
  for (const candidates of wanted) {
    const known = candidates.filter((color) => color !== null);
    const shown = known.filter((color) => contrast(color, background) >= MIN_CONTRAST);
    const distinct = shown.find((color) =>
      picked.every((other) => colorDifference(color, other) >= MIN_COLOR_DIFFERENCE),
    );
    picked.push(distinct ?? shown[0] ?? foreground);
  }
  return picked;
}

/** @param read returns the value of a CSS variable, or an empty string */
export function readTheme(read: (name: string) => string, themeKind: string, version: number): Theme {
  const color = (name: string): Rgb | null => parseColor(read(`--vscode-${name}`));
  const light = themeKind.includes('light');
  const background = color('editor-background') ?? (light ? [255, 255, 255] : [30, 30, 30]);
  const foreground = color('foreground') ?? color('editor-foreground') ?? (light ? [59, 59, 59] : [204, 204, 204]);
  const blue = color('charts-blue');
  const orange = color('charts-orange');
  const green = color('charts-green');
  const purple = color('charts-purple');
  const red = color('charts-red');
  const yellow = color('charts-yellow');
  const pick = <Wanted extends (Rgb | null)[][]>(...wanted: Wanted) =>
    pickColors(background, foreground, wanted) as { [Index in keyof Wanted]: Rgb };
  const [train, validation, test] = pick([blue], [orange, yellow, red], [green, purple, yellow]);
  const [forward, backward] = pick([yellow, orange, green], [purple, red, blue]);
  const palette = pick([blue], [orange, yellow], [green], [purple], [red], [yellow, foreground]);
  const muted = color('descriptionForeground') ?? foreground;
  return {
    version,
    highContrast: themeKind.includes('high-contrast'),
    background,
    foreground,
    muted,
    grid: toCss(foreground, 0.12),
    splits: { train, validation, test },
    forward,
    backward,
    good: pick([green, blue])[0],
    bad: pick([color('errorForeground'), red])[0],
    warning: pick([color('editorWarning-foreground'), yellow])[0],
    palette,
    laser: pick([red, orange, yellow])[0],
    fontFamily: read('--vscode-font-family') || 'system-ui, sans-serif',
    sequential: sequentialTable(),
    diverging: divergingTable(background),
  };
}

/** Watches the page's theme, and exposes the chosen colors to CSS, so that canvases and CSS agree. */
export class ThemeWatcher {
  #theme: Theme;
  readonly #observer: MutationObserver;
  readonly #listeners = new Set<() => void>();

  constructor(readonly document: Document) {
    this.#theme = this.#read(1);
    let waiting = false;
    this.#observer = new MutationObserver(() => {
      // Variables and class change one after the other; they are read once for both.
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
    const { splits, forward, backward, good, bad, warning, laser } = this.#theme;
    const colors = { ...splits, forward, backward, good, bad, warning, laser };
    // On <body>, because the editor owns the style of <html>.
    for (const [name, value] of Object.entries(colors)) {
      this.document.body.style.setProperty(`--nabla-${name}`, toCss(value));
    }
  }
}
