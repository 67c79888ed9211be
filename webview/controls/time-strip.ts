// The run so far at the bottom: the loss of every batch, where the run stands, and a slider that goes to any step
// that was reached.
import { html, nothing, render } from 'lit/html.js';
import { live } from 'lit/directives/live.js';
import { seriesName } from '../../src/history/history';
import { StickyRange } from '../charts/axes';
import { envelope, extent } from '../charts/envelope';
import { drawLine } from '../charts/strokes';
import { toCss } from '../colours';
import type { Context, Mounted } from '../context';
import { formatCount } from '../numbers';
import { pinsOf, togglePin } from '../pins';
import { fitCanvas } from './mini-histogram';
import { icon } from './value';

export function mountTimeStrip(host: HTMLElement, context: Context): Mounted {
  const range = StickyRange.linear();
  let run = -1;
  /** Where the thumb is held, while it is. */
  let held: number | null = null;

  const draw = (): void => {
    const canvas = host.querySelector('canvas');
    const fitted = canvas && fitCanvas(canvas);
    if (!fitted) return;
    const { ctx, width, height } = fitted;
    const { data, theme } = context;
    const end = Math.max(1, data.frame?.frontier ?? 0);
    const losses = data.history.get(seriesName.batchLoss)?.data();
    const shown = range.fit(extent([losses], false), performance.now());
    const x = (step: number): number => 1.5 + (step / end) * (width - 3);
    if (losses && shown) {
      const y = (loss: number): number => height - 3 - ((loss - shown.min) / (shown.max - shown.min)) * (height - 6);
      const points = envelope(losses, end, Math.max(10, width));
      const places = new Float64Array(2 * points.length);
      points.forEach((point, i) => places.set([x(point.x), Number.isFinite(point.y) ? y(point.y) : NaN], 2 * i));
      drawLine(ctx, places, { colour: toCss(theme.parts.train), width: 1.25, dash: [] });
    }
    const broken = data.frame?.nonFinite?.step;
    if (broken !== undefined) {
      ctx.fillStyle = toCss(theme.bad);
      ctx.fillRect(x(Math.min(broken, end)) - 1, 0, 2, height);
    }
    ctx.fillStyle = toCss(theme.foreground, 0.85);
    for (const pin of pinsOf(context.settings).steps) {
      if (pin > end) continue;
      // A flag, so that it is not taken for the thumb.
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
    const frontier = frame?.frontier ?? 0;
    const step = held ?? frame?.position.step ?? 0;
    const off = frontier === 0 || state?.kind !== 'run';
    const pinned = pinsOf(context.settings).steps.includes(step);
    const pin = pinned ? `Take the pin off step ${step}` : `Pin step ${step}, to compare other steps with it`;
    render(
      html`
        <span class="from number">0</span>
        <div class="strip">
          <canvas aria-hidden="true" width="1" height="1"></canvas>
          <input type="range" min="0" max=${Math.max(1, frontier)} step="1" .value=${live(String(step))} ?disabled=${off}
            aria-label="Step to look at, of the run so far" aria-valuetext=${`step ${step} of ${frontier}`}
            title="Drag to any step this run has reached"
            @input=${(event: Event) => {
              held = Number((event.target as HTMLInputElement).value);
              context.seek(held);
              text();
            }}
            @change=${() => (held = null)} />
        </div>
        <span class="until number" title="The furthest step of this run">${formatCount(frontier)}</span>
        <button class="tool" data-action="pin" aria-pressed=${pinned ? 'true' : 'false'} aria-label=${pin} title=${pin}
          ?disabled=${state?.kind !== 'run'} @click=${() => togglePin(context, step)}>${icon(pinned ? 'pinned' : 'pin')}</button>
      `,
      host,
    );
    draw();
  };

  const stop = context.crosshair.subscribe(draw);
  return {
    update(refresh) {
      if (run !== context.data.run) {
        run = context.data.run;
        range.reset();
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
