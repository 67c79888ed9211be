// The picture of the network in presentation mode: the numbers of one sample on units and lines, and what the phase
// moves from unit to unit. A key moves on by a phase; then the parts of its sums move once, and their results appear.
import { nothing, render, html } from 'lit/html.js';
import type { Phase, Query } from '../../src/protocol/panel';
import { NetworkDiagram, type NetworkGraph, weightSource } from '../canvas/network-diagram';
import { canvasSize } from '../canvas/canvas-size';
import { drawStage, type LineValue, type StageDrawing } from '../canvas/stage-overlay';
import type { Context, Settings, View } from '../context';
import type { PanelData } from '../state/store';
import { highlightedNode, positionKey } from '../state/highlight';
import { lastCompletedPhase } from '../../src/presentation/phases';
import type { StepNodeId } from '../../src/presentation/step-nodes';
import { activePhase, columnLabels, describeNetwork } from './network-columns';

const SCALE = 1.45;
const DURATION_MS = 1400;
/** More numbers on lines could not be told apart. */
const MAX_LINE_VALUES = 24;

type EdgeKind = 'weight' | 'gradient' | 'update';

const graphQuery = ({ sample }: Settings, edges: EdgeKind): Query<'network_graph'> => ({
  type: 'network_graph',
  sample,
  edges,
  maps: false,
});

/** What the lines show besides the weights: what the backward pass or the update computed. */
function extraEdges({ model, frame }: Pick<PanelData, 'model' | 'frame'>): EdgeKind | null {
  const phase = lastCompletedPhase(model, frame);
  if (phase?.kind === 'backward') return 'gradient';
  return phase?.kind === 'update' ? 'update' : null;
}

/** As the editor or the system asks for. */
const isMotionReduced = (): boolean =>
  matchMedia('(prefers-reduced-motion: reduce)').matches || document.body.classList.contains('vscode-reduce-motion');

export const networkStage: View = {
  id: 'network',
  title: 'Network',
  probes: [],
  queries(data, settings) {
    const extra = extraEdges(data);
    return [graphQuery(settings, 'weight'), ...(extra ? [graphQuery(settings, extra)] : [])];
  },
  mount(host, context) {
    const map = document.createElement('div');
    map.className = 'map stage-map';
    const missing = document.createElement('div');
    host.append(map, missing);
    const picture = new NetworkDiagram(
      () => undefined,
      ({ column }) => column > 0 && context.selectLayer(column - 1),
    );
    // The keys of the picture would be those that step.
    picture.canvas.tabIndex = -1;
    picture.canvas.setAttribute('role', 'img');
    map.append(picture.canvas);
    let shownAt = '';
    let previousPhase: readonly [step: number, phase: number] | null = null;
    let started = 0;
    let animation = 0;

    const progress = (): number => (started === 0 ? 1 : Math.min(1, (performance.now() - started) / DURATION_MS));
    const stop = (): void => {
      cancelAnimationFrame(animation);
      animation = 0;
      started = 0;
      delete picture.canvas.dataset.moving;
    };
    const animate = (): void => {
      draw();
      if (progress() < 1) animation = requestAnimationFrame(animate);
      else stop();
    };
    /** Moves once when a key has led to the next phase; whatever was moving ends. */
    const follow = (): void => {
      const { frame, model } = context.data;
      if (!frame || !model) return;
      const key = `${context.data.runVersion} ${positionKey(frame)}`;
      if (key === shownAt) return;
      shownAt = key;
      const { step, phase } = frame.position;
      const now = [step, phase] as const;
      const count = model.phases.length;
      const index = ([s, p]: readonly [number, number]): number => s * count + p;
      const isNext = previousPhase !== null && index(now) === index(previousPhase) + 1;
      previousPhase = now;
      stop();
      if (!isNext || isMotionReduced()) return;
      started = performance.now();
      picture.canvas.dataset.moving = 'true';
      animation = requestAnimationFrame(animate);
    };

    const draw = (): void => {
      const { data, theme, settings } = context;
      const weights = context.latestResult(graphQuery(settings, 'weight'));
      const labels = columnLabels(context);
      const { model } = data;
      map.hidden = !weights || labels.length !== weights.columns.length;
      if (!weights || !model || map.hidden) return;
      const extra = extraEdges(data);
      const edges = extra ? context.latestResult(graphQuery(settings, extra)) : weights;
      const phase = lastCompletedPhase(model, data.frame);
      const overlay = stageDrawing(context, phase, weights, edges ?? weights, progress());
      picture.canvas.setAttribute('aria-label', describeNetwork(labels, weights.sample));
      const { width, height } = canvasSize(host);
      picture.draw(
        {
          graph: edges ? { ...weights, edges: edges.edges } : weights,
          labels,
          fill: overlay.gradients.some((each) => each !== null) ? 'gradients' : 'values',
          activePhase: activePhase(context),
          selected: data.layer === null ? null : data.layer + 1,
          scale: SCALE,
          overlay: (ctx, geometry) => drawStage(ctx, geometry, theme, overlay),
        },
        theme,
        { width: canvasSize(map).width || width, height: Math.min(height, window.innerHeight) - 24 },
      );
    };
    return {
      update(text) {
        follow();
        draw();
        if (text)
          render(map.hidden ? html`<section class="empty"><p>Loading network…</p></section>` : nothing, missing);
      },
      dispose() {
        stop();
        render(nothing, missing);
      },
    };
  },
};

/** The numbers of a phase, on the units and lines that it is about. */
function stageDrawing(
  context: Context,
  phase: Phase | null,
  weights: NetworkGraph,
  edges: NetworkGraph,
  progress: number,
): StageDrawing {
  const labels = columnLabels(context);
  const isBackward = phase?.kind === 'backward' || phase?.kind === 'loss_backward';
  const active = phase && 'layer' in phase ? phase.layer + 1 : null;
  const inputs = active === null ? [] : labels[active]!.inputs;
  const numbered = active === null && phase?.kind === 'update' ? edges.edges.map(({ layer }) => layer + 1) : [active];
  return {
    // A unit of an image is a channel, which no single number describes.
    values: weights.columns.map(({ values }, i) => (labels[i]!.shape.length === 3 ? null : values)),
    gradients: weights.columns.map(({ gradients }, i) =>
      isBackward && labels[i]!.shape.length !== 3 ? gradients : null,
    ),
    lines: numbered.flatMap((column) => (column === null ? [] : lineValues(labels, edges, column))),
    flow: phase && active !== null ? flowOf(labels, weights, phase, active) : null,
    progress,
    arriving: phase?.kind === 'forward' ? [active!] : inputs,
    arrows: inputs.map((input) => (phase?.kind === 'backward' ? [active!, input] : [input, active!])),
    laser: laserOf(highlightedNode(context), labels),
    scale: SCALE,
  };
}

type Labels = ReturnType<typeof columnLabels>;

/** The weights of a layer, their gradients or their updates; none if they are too many to be read. */
function lineValues(labels: Labels, graph: NetworkGraph, column: number): LineValue[] {
  const edges = graph.edges.find(({ layer }) => layer === column - 1);
  const source = weightSource(labels, column);
  const [own, before] = [graph.columns[column]!.shown.length, graph.columns[source]!.shown.length];
  if (!edges?.values || own * before > MAX_LINE_VALUES) return [];
  return [...edges.values].map((value, i) => ({
    from: { column: source, unit: i % before },
    to: { column, unit: Math.floor(i / before) },
    value,
  }));
}

/**
 * The parts of a phase's sums, from the values that the step has computed: forward w · x for each line into a unit,
 * backward w · dL/dz for each line out of it. Of a layer without weights, the value of each unit itself.
 */
function flowOf(labels: Labels, graph: NetworkGraph, phase: Phase, column: number): StageDrawing['flow'] {
  const direction = phase.kind === 'backward' ? 'backward' : 'forward';
  const isForward = direction === 'forward';
  const source = weightSource(labels, column);
  const [before, own] = [graph.columns[source]!, graph.columns[column]!];
  const moved = isForward ? before.values : own.gradients;
  const weights = graph.edges.find(({ layer }) => layer === column - 1)?.values;
  const part = (from: number, to: number, value: number): LineValue => {
    const [a, b] = [
      { column: source, unit: from },
      { column, unit: to },
    ];
    return isForward ? { from: a, to: b, value } : { from: b, to: a, value };
  };
  if (!moved) return { direction, parts: [] };
  const width = before.shown.length;
  if (weights) {
    const parts = [...weights].map((weight, i) => {
      const [to, from] = [Math.floor(i / width), i % width];
      return part(from, to, weight * (isForward ? moved[from]! : moved[to]!));
    });
    return { direction, parts };
  }
  if (width !== own.shown.length) return { direction, parts: [] };
  const results = isForward ? own.values : before.gradients;
  return { direction, parts: [...(results ?? moved)].map((value, i) => part(i, i, value)) };
}

/** The columns of a term; for weights, the lines between two columns. */
function laserOf(id: StepNodeId | null, labels: Labels): StageDrawing['laser'] {
  switch (id?.of) {
    case undefined:
      return null;
    case 'input':
    case 'input_gradient':
      return { columns: [0], between: false };
    case 'target':
    case 'target_gradient':
    case 'loss':
    case 'loss_gradient':
      return { columns: [labels.length - 1], between: false };
    case 'output':
    case 'output_gradient':
      return { columns: [id.layer + 1], between: false };
    case 'parameter':
    case 'parameter_gradient':
    case 'update':
    case 'updated':
      return { columns: [weightSource(labels, id.layer + 1), id.layer + 1], between: true };
  }
}
