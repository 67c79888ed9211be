// The timeline: the loss of every batch, the current step, pins, and a slider to any step that the run has reached.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { live } from 'lit/directives/live.js';
import { seriesName } from '../../src/history/history';
import { StickyRange } from '../charts/axes';
import { envelope, extent, spansDecades } from '../charts/envelope';
import { drawLine } from '../charts/strokes';
import { toCss } from '../canvas/colors';
import type { Context, Component } from '../context';
import { formatInteger } from '../../src/presentation/numbers';
import { getPins, togglePin } from '../state/pins';
import { prepareCanvas } from './mini-histogram';
import type { Frame } from '../../src/protocol/panel';
import { renderIcon } from './number-value';
import { styleProperties } from './style-properties';

export function mountTimeline(host: HTMLElement, context: Context): Component {
  const ranges = { linear: StickyRange.linear(), logarithmic: StickyRange.decades() };
  let run = -1;
  /** The step of the thumb while it is dragged. */
  let draggedStep: number | null = null;

  const draw = (): void => {
    const canvas = host.querySelector('canvas');
    const fitted = canvas && prepareCanvas(canvas);
    if (!fitted) return;
    const { ctx, width, height } = fitted;
    const { data, theme } = context;
    const end = Math.max(1, data.frame?.furthestStep ?? 0);
    const losses = data.history.get(seriesName.batchLoss)?.data();
    const isLogarithmic = spansDecades([{ data: losses }]);
    const range = isLogarithmic ? ranges.logarithmic : ranges.linear;
    const shown = range.fit(extent([losses], isLogarithmic), performance.now());
    const x = (step: number): number => 1.5 + (step / end) * (width - 3);
    if (losses && shown) {
      const scale = (loss: number): number => (isLogarithmic ? Math.log10(loss) : loss);
      const [low, high] = [scale(shown.min), scale(shown.max)];
      const y = (loss: number): number => height - 3 - ((scale(loss) - low) / (high - low)) * (height - 6);
      const points = envelope(losses, end, Math.max(10, width));
      const places = new Float64Array(2 * points.length);
      // Zero is not on a logarithmic axis, and breaks the line.
      points.forEach((point, i) => places.set([x(point.x), Number.isFinite(scale(point.y)) ? y(point.y) : NaN], 2 * i));
      drawLine(ctx, places, { color: toCss(theme.splits.train), width: 1.25, dash: [] });
    }
    const broken = data.frame?.nonFinite?.step;
    if (broken !== undefined) {
      ctx.fillStyle = toCss(theme.bad);
      ctx.fillRect(x(Math.min(broken, end)) - 1, 0, 2, height);
    }
    ctx.fillStyle = toCss(theme.foreground, 0.85);
    for (const pin of getPins(context.settings).steps) {
      if (pin > end) continue;
      // Shaped like a flag, so that it is not mistaken for the thumb.
      const at = Math.round(x(pin));
      ctx.fillRect(at, 0, 1, height);
      ctx.fillRect(at < width / 2 ? at : at - 6, 0, 7, 6);
    }
    if (context.crosshair.step !== null) {
      ctx.fillStyle = toCss(theme.foreground, 0.5);
      ctx.fillRect(Math.round(x(context.crosshair.step)), 0, 1, height);
    }
  };

  const text = (): void => {
    const { frame, state } = context.data;
    const frontier = frame?.furthestStep ?? 0;
    const step = draggedStep ?? frame?.position.step ?? 0;
    const off = frontier === 0 || state?.kind !== 'run';
    const pinned = getPins(context.settings).steps.includes(step);
    const pin = pinned ? `Unpin step ${step}` : `Pin step ${step} to compare other steps with it`;
    render(
      html`
        <span class="from number">0</span>
        <div class="strip">
          <canvas aria-hidden="true" width="1" height="1"></canvas>
          <input
            type="range"
            min="0"
            max=${Math.max(1, frontier)}
            step="1"
            .value=${live(String(step))}
            ?disabled=${off}
            aria-label="Step of the run"
            aria-valuetext=${`step ${step} of ${frontier}`}
            title="Drag to a step that this run has reached"
            @input=${(event: Event) => {
              draggedStep = Number((event.target as HTMLInputElement).value);
              context.seek(draggedStep);
              text();
            }}
            @change=${() => (draggedStep = null)}
          />
          ${findingMarks(frame, (step) => context.seek(step))}
        </div>
        <span class="until number" title="The furthest step of this run">${formatInteger(frontier)}</span>
        <button
          class="tool"
          data-action="pin"
          aria-pressed=${pinned ? 'true' : 'false'}
          aria-label=${pin}
          title=${pin}
          ?disabled=${state?.kind !== 'run'}
          @click=${() => togglePin(context, step)}
        >
          ${renderIcon(pinned ? 'pinned' : 'pin')}
        </button>
      `,
      host,
    );
    draw();
  };

  const stop = context.crosshair.subscribe(draw);
  return {
    update(refresh) {
      if (run !== context.data.runVersion) {
        run = context.data.runVersion;
        ranges.linear.reset();
        ranges.logarithmic.reset();
      }
      if (refresh) text();
      else draw();
    },
    dispose() {
      stop();
      render(nothing, host);
    },
  };
}

/** A mark at the first step of each finding; a click goes there. Several that begin together share one. */
function findingMarks(frame: Frame | null, seek: (step: number) => void): readonly TemplateResult[] {
  const steps = [...new Set(frame?.findings.map(({ since }) => since))].filter((step) => step <= frontierOf(frame));
  return steps.map((step) => {
    const texts = frame?.findings.filter(({ since }) => since === step).map(({ observation }) => observation) ?? [];
    return html`<button
      class="finding-mark"
      data-step=${step}
      tabindex="-1"
      title=${`Step ${formatInteger(step)}: ${texts.join(' ')}`}
      aria-label=${`Go to the finding at step ${formatInteger(step)}`}
      ${styleProperties({ left: `${((100 * step) / Math.max(1, frontierOf(frame))).toFixed(2)}%` })}
      @click=${() => seek(step)}
    ></button>`;
  });
}

const frontierOf = (frame: Frame | null): number => frame?.furthestStep ?? 0;
