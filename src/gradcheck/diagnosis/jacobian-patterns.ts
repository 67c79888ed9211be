// Explains the difference between two Jacobians, from differences of the forward pass and from the backward pass.
// Structure (windows, strides, factors by position, axes, masks) is inferred from numbers and shapes, not from names.
import { numel, type Shape } from '../../engine/kernels/tensor';
import { unravelIndex } from '../../presentation/tensor-index';
import { type Explanation, makeExplanation } from './explanation';
import { reorderings } from './forward-graph-weights';
import { type GradientComparison, type Jacobians, type LayerExperiment, maxAbs } from './gradient-comparison';

/** Two entries are equal if they differ by less than this share of the largest one. */
const TOLERANCE = 1e-4;
/** The largest shift of a window along each axis that is tried. */
const MAX_SHIFT = 12;
/** The share of a window that must stay inside the image after a shift. */
const MIN_OVERLAP = 0.3;
/** The most groups of outputs, such as those of a grouped convolution. */
const MAX_BLOCKS = 16;
/** Two inputs that differ by less than this share of the largest are a near tie. */
const NEAR_TIE = 0.05;

/** The best explanation of a wrong gradient by its Jacobian; null if there is none. */
export function* explainByJacobian(comparison: GradientComparison): Generator<undefined, Explanation | null> {
  const { layer, subject } = comparison;
  if (!layer) return null;
  if (subject === 'input') {
    const jacobians = yield* layer.jacobians();
    return jacobians && (yield* explainInput(layer, jacobians));
  }
  const jacobians = yield* layer.parameterJacobians();
  return jacobians && explainParameter(comparison, layer, jacobians);
}

function* explainInput(layer: LayerExperiment, jacobians: Jacobians): Generator<undefined, Explanation | null> {
  const pattern = new Pattern(layer.samples, jacobians);
  const [input, output] = [layer.inputShape.slice(1), layer.outputShape.slice(1)];
  const explanations = [
    () => explainDirection(pattern),
    () => explainAxes(pattern, input, output),
    () => explainTransposed(pattern),
    () => explainFactorsOfOutputs(pattern, output, layer.parameters),
    () => explainFactorsOfInputs(pattern, input),
    () => explainNearTies(pattern, layer),
  ];
  for (const explain of explanations) {
    yield;
    const found = explain();
    if (found) return found;
  }
  const shift = explainOffsets(pattern, 'input') ?? (yield* explainShift(pattern, input, output));
  if (shift) return shift;
  yield;
  return (
    explainTurned(pattern, input) ??
    explainOtherEntries(pattern, layer) ??
    explainStatistic(pattern) ??
    explainSupport(pattern)
  );
}

/** Rows of both Jacobians, one for each output of each sample. */
class Pattern {
  readonly inputs: number;
  readonly outputs: number;
  readonly numeric: Float64Array;
  readonly analytic: Float64Array;
  /** Entries up to this size count as 0. */
  readonly zero: number;

  constructor(
    readonly samples: number,
    { inputs, outputs, numeric, analytic }: Jacobians,
  ) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.numeric = numeric;
    this.analytic = analytic;
    this.zero = TOLERANCE * Math.max(maxAbs(numeric), maxAbs(analytic));
  }

  *rows(): Iterable<{ readonly sample: number; readonly output: number; readonly from: number }> {
    for (let row = 0; row < this.samples * this.outputs; row++)
      yield { sample: Math.floor(row / this.outputs), output: row % this.outputs, from: row * this.inputs };
  }

  isSame(a: number, b: number): boolean {
    return Number.isNaN(a) || Number.isNaN(b) || Math.abs(a - b) <= this.zero;
  }
}

/**
 * In the forward pass, outputs depend on their own step and earlier ones, as in a recurrent layer, and in the backward
 * pass on later ones; or the reverse.
 */
function explainDirection({ samples, inputs, outputs, numeric, analytic, zero }: Pattern): Explanation | null {
  for (let steps = Math.min(inputs, outputs); steps > 2; steps--) {
    if (inputs % steps !== 0 || outputs % steps !== 0) continue;
    /** Whether outputs depend on [earlier, later] steps. */
    const directionsOf = (jacobian: Float64Array): readonly [boolean, boolean] => {
      let [earlier, later] = [false, false];
      for (let row = 0; row < samples * outputs; row++)
        for (let i = 0; i < inputs; i++) {
          if (!(Math.abs(jacobian[row * inputs + i]!) > zero)) continue;
          const by = Math.floor((i * steps) / inputs) - Math.floor(((row % outputs) * steps) / outputs);
          earlier ||= by < 0;
          later ||= by > 0;
        }
      return [earlier, later];
    };
    const [right, wrong] = [directionsOf(numeric), directionsOf(analytic)];
    if (right[0] === right[1] || wrong[0] === wrong[1] || right[0] === wrong[0]) continue;
    return makeExplanation(
      'wrong_turn',
      `runs through the ${steps} steps in the wrong direction: outputs depend on ${right[0] ? 'earlier' : 'later'} steps, and the backward pass lets them depend on ${right[0] ? 'later' : 'earlier'} ones. Its loop must run from the ${right[0] ? 'last step to the first' : 'first step to the last'}`,
    );
  }
  return null;
}

/** Along which axes outputs depend on inputs at other positions, in either Jacobian. */
function explainAxes(pattern: Pattern, input: Shape, output: Shape): Explanation | null {
  if (input.length !== output.length || input.some((size, axis) => size !== output[axis])) return null;
  if (input.length > 1) return explainAxesOf(pattern, input, '');
  // One axis may hold several rows one after the other, such as tokens.
  const [count = 0] = input;
  for (let length = 2; 2 * length <= count; length++) {
    if (count % length !== 0) continue;
    const rows = `, where an input is ${count / length} rows of ${length} numbers`;
    const found = explainAxesOf(pattern, [count / length, length], rows);
    if (found) return found;
  }
  return null;
}

function explainAxesOf(pattern: Pattern, shape: Shape, remark: string): Explanation | null {
  const coupled = (values: Float64Array): boolean[] => {
    const axes = shape.map(() => false);
    for (const { output: o, from } of pattern.rows()) {
      const at = unravelIndex(o, shape);
      for (let i = 0; i < pattern.inputs; i++)
        if (Math.abs(values[from + i]!) > pattern.zero)
          unravelIndex(i, shape).forEach((place, axis) => (axes[axis] ||= place !== at[axis]));
    }
    return axes;
  };
  const [right, wrong] = [coupled(pattern.numeric), coupled(pattern.analytic)];
  if (right.every((value, axis) => value === wrong[axis])) return null;
  if (!right.some(Boolean)) return null;
  // Rows that were guessed show in the forward pass, which keeps them apart, and in whole sums over the other axis.
  if (remark && (right.every(Boolean) || !sumsAlong(pattern, shape, right.indexOf(false)))) return null;
  const names = (axes: readonly boolean[]): string => {
    const chosen = axes.flatMap((value, axis) => (value ? [axis + 1] : []));
    return chosen.length === 0 ? 'no axis' : `${chosen.length === 1 ? 'axis' : 'axes'} ${chosen.join(' and ')}`;
  };
  return makeExplanation(
    'axes_wrong',
    `works along the wrong axes: the forward pass mixes values along ${names(right)}, the backward pass along ${names(wrong)} (axis 0 is the batch${remark})`,
  );
}

/** Whether the wrong Jacobian connects all places along an axis that the right one keeps apart. */
function sumsAlong({ analytic, inputs, outputs, zero }: Pattern, shape: Shape, axis: number): boolean {
  const inner = numel(shape.slice(axis + 1));
  for (let o = 0; o < outputs; o++) {
    const first = o - (Math.floor(o / inner) % shape[axis]!) * inner;
    for (let k = 0; k < shape[axis]!; k++)
      if (Math.abs(analytic[o * inputs + first + k * inner]!) <= zero) return false;
  }
  return true;
}

/**
 * The Jacobian itself in place of its transpose, each output possibly times a number that does not change: the backward
 * pass repeats what the forward pass does.
 */
function explainTransposed(pattern: Pattern): Explanation | null {
  const { numeric, analytic, inputs, outputs, samples, zero } = pattern;
  if (inputs !== outputs || inputs < 2) return null;
  // analytic[o, i] scale[i] = numeric[i, o] scale[o], where scale is found from one place to the next.
  const ratios = new Map<string, number>();
  for (const { sample, output, from } of pattern.rows())
    for (let i = 0; i < inputs; i++) {
      const [wrong, right] = [analytic[from + i]!, numeric[(sample * outputs + i) * inputs + output]!];
      if (Math.abs(wrong) > zero !== Math.abs(right) > zero) return null;
      if (Math.abs(right) > zero && i !== output) ratios.set(`${output} ${i}`, wrong / right);
    }
  const scale = new Float64Array(inputs);
  const visit = (start: number): void => {
    const pending = [start];
    for (let at = pending.pop(); at !== undefined; at = pending.pop())
      for (let next = 0; next < inputs; next++) {
        const [there, back] = [ratios.get(`${at} ${next}`), ratios.get(`${next} ${at}`)];
        if (scale[next] !== 0 || (there === undefined && back === undefined)) continue;
        scale[next] = there === undefined ? scale[at]! * back! : scale[at]! / there;
        pending.push(next);
      }
  };
  for (let i = 0; i < inputs; i++)
    if (scale[i] === 0) {
      scale[i] = 1;
      visit(i);
    }
  // With few dependencies, some numbers always fit.
  if (ratios.size < Math.min(samples, 2) * (inputs - 1)) return null;
  for (const { sample, output, from } of pattern.rows())
    for (let i = 0; i < inputs; i++) {
      const right = (numeric[(sample * outputs + i) * inputs + output]! * scale[output]!) / scale[i]!;
      if (!pattern.isSame(analytic[from + i]!, right)) return null;
    }
  return makeExplanation(
    'not_transposed',
    'moves numbers from place to place as the forward pass does, and must move them back: its Jacobian is transposed, as when a sum runs in the same direction or an order is applied once more',
  );
}

/** Whether each row of the right Jacobian has its own factor. */
const explainFactorsOfOutputs = (
  pattern: Pattern,
  output: Shape,
  parameters: LayerExperiment['parameters'] = new Map(),
): Explanation | null => explainFactors(pattern, pattern.outputs, output, 'outputs', (o) => o, parameters);

/** Whether each column of the right Jacobian has its own factor. */
const explainFactorsOfInputs = (pattern: Pattern, input: Shape): Explanation | null =>
  explainFactors(pattern, pattern.inputs, input, 'inputs', (_, i) => i);

function explainFactors(
  pattern: Pattern,
  count: number,
  shape: Shape,
  what: string,
  indexOf: (output: number, i: number) => number,
  parameters: LayerExperiment['parameters'] = new Map(),
): Explanation | null {
  const { numeric, analytic, inputs } = pattern;
  const products = new Float64Array(count);
  const squares = new Float64Array(count);
  const entries = new Uint32Array(count);
  for (const { output: o, from } of pattern.rows())
    for (let i = 0; i < inputs; i++) {
      const [n, a] = [numeric[from + i]!, analytic[from + i]!];
      if (Number.isNaN(n) || Number.isNaN(a)) continue;
      products[indexOf(o, i)]! += n * a;
      squares[indexOf(o, i)]! += n * n;
      if (Math.abs(n) > pattern.zero) entries[indexOf(o, i)]!++;
    }
  const factors = products.map((product, k) => (squares[k]! > 0 ? product / squares[k]! : 1));
  for (const { output: o, from } of pattern.rows())
    for (let i = 0; i < inputs; i++)
      if (!pattern.isSame(analytic[from + i]!, factors[indexOf(o, i)]! * numeric[from + i]!)) return null;
  const wrong = [...factors.keys()].filter((k) => Math.abs(factors[k]! - 1) > TOLERANCE);
  if (wrong.length === 0 || wrong.length === count) return null;
  const values = [...new Set(wrong.map((k) => formatShort(factors[k]!)))];
  // A single entry has some factor, whatever was done to it.
  if (values.length > 2 && wrong.every((k) => entries[k]! < 2)) return null;
  const where = describePlaces(wrong, shape, what);
  const other = wrong.length > 1 ? findOtherEntries(wrong, factors, parameters) : null;
  if (other) return makeExplanation('wrong_operand', `is right except for the contribution of ${where}: ${other}`);
  const cause = values.every((value) => value === '0')
    ? 'place_missing'
    : values.every((value) => value === '-1')
      ? 'part_sign'
      : 'factor_by_place';
  const is =
    cause === 'place_missing'
      ? 'is missing'
      : cause === 'part_sign'
        ? 'has the wrong sign'
        : `is ${values.slice(0, 4).join(' or ')} times what it should be`;
  const hint = cause === 'factor_by_place' ? ': it has another factor there' : '';
  return makeExplanation(cause, `is right except for the contribution of ${where}, which ${is}${hint}`);
}

/** Factors that turn each entry of a parameter into another one of it. */
function findOtherEntries(
  places: readonly number[],
  factors: Float64Array,
  parameters: LayerExperiment['parameters'],
): string | null {
  for (const [name, values] of parameters) {
    if (values.length !== factors.length) continue;
    const used = places.map((k) =>
      values.findIndex((value) => Math.abs(value - factors[k]! * values[k]!) <= TOLERANCE * Math.abs(value)),
    );
    if (!used.includes(-1))
      return `there it uses ${name}[${used[0]}] instead of ${name}[${places[0]}]${new Set(places.map((k, i) => used[i]! - k)).size === 1 ? `, and all others are off by ${Math.abs(used[0]! - places[0]!)} as well` : ''}`;
  }
  return null;
}

/** "outputs in the last column (axis 3)", or their number. */
function describePlaces(chosen: readonly number[], shape: Shape, what: string): string {
  const indices = chosen.map((flat) => unravelIndex(flat, shape));
  const total = shape.reduce((product, size) => product * size, 1);
  const isBorder = (index: readonly number[], axis: number): boolean =>
    shape[axis]! > 1 && index[axis] === shape[axis]! - 1;
  const axes = shape.flatMap((size, axis) =>
    size > 1 && indices.some((index) => isBorder(index, axis)) ? [axis] : [],
  );
  const border = axes.filter((axis) => {
    const all = Array.from({ length: total }, (_, flat) => unravelIndex(flat, shape)).filter((index) =>
      isBorder(index, axis),
    );
    return all.every((index) => indices.some((each) => each.every((place, a) => place === index[a])));
  });
  if (border.length > 0 && indices.every((index) => border.some((axis) => isBorder(index, axis))))
    return `${what} at the end of ${border.length === 1 ? 'axis' : 'axes'} ${border.map((axis) => axis + 1).join(' and ')}, at the border`;
  for (let axis = 0; axis < shape.length; axis++) {
    const places = [...new Set(indices.map((index) => index[axis]))];
    if (places.length < shape[axis]! && (places.length * total) / shape[axis]! === chosen.length)
      return `${what} ${places.slice(0, 6).join(', ')} of axis ${axis + 1}`;
  }
  const shown = indices.slice(0, 3).map((index) => `[${index.join(', ')}]`);
  return `${chosen.length} of ${total} ${what} (${shown.join(', ')}${indices.length > 3 ? ', …' : ''})`;
}

/** The gradient of one input also goes to others with nearly the same value. */
function explainNearTies(pattern: Pattern, { input }: LayerExperiment): Explanation | null {
  const { numeric, analytic, inputs } = pattern;
  const near = NEAR_TIE * maxAbs(input);
  let extras = 0;
  let example = '';
  for (const { sample, output, from } of pattern.rows())
    for (let i = 0; i < inputs; i++) {
      const [n, a] = [numeric[from + i]!, analytic[from + i]!];
      if (pattern.isSame(a, n)) continue;
      if (!pattern.isSame(n, 0)) return null;
      let winner = -1;
      for (let k = 0; k < inputs; k++)
        if (k !== i && !pattern.isSame(numeric[from + k]!, 0) && pattern.isSame(numeric[from + k]!, a)) {
          const distance = Math.abs(input[sample * inputs + k]! - input[sample * inputs + i]!);
          if (distance <= near) winner = k;
        }
      if (winner < 0) return null;
      extras++;
      example ||= `in sample ${sample} output ${output} comes from input ${winner}, which is ${formatShort(input[sample * inputs + winner]!)}, and the gradient goes to input ${i} as well, which is ${formatShort(input[sample * inputs + i]!)}`;
    }
  if (extras === 0) return null;
  return makeExplanation(
    'near_ties',
    `goes to entries that are not the maximum but close to it: ${example}. The mask must select only the maximum`,
  );
}

/** Windows whose values are turned around, mirrored or transposed within the window. */
function explainTurned(
  { numeric, analytic, inputs, outputs, samples, zero }: Pattern,
  input: Shape,
): Explanation | null {
  const [height, width] = spatialSize(input);
  if (input.length < 2) return null;
  /** The rows and columns on which an output depends, in any sample and channel. */
  const boxOf = (output: number): readonly [top: number, left: number, rows: number, columns: number] => {
    let [top, left, bottom, right] = [height, width, -1, -1];
    for (let sample = 0; sample < samples; sample++)
      for (let i = 0; i < inputs; i++) {
        if (!(Math.abs(numeric[(sample * outputs + output) * inputs + i]!) > zero)) continue;
        const [row, column] = [Math.floor(i / width) % height, i % width];
        [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
        [left, right] = [Math.min(left, column), Math.max(right, column)];
      }
    return [top, left, bottom - top + 1, right - left + 1];
  };
  const boxes = Array.from({ length: outputs }, (_, output) => boxOf(output));
  const [rows, columns] = [2, 3].map((side) => Math.max(...boxes.map((box) => box[side]!))) as [number, number];
  if (rows * columns < 2 || (rows === height && columns === width)) return null;
  // Windows that hang over the border are cut off and do not show all values.
  const whole = boxes.flatMap((box, output) => (box[2] === rows && box[3] === columns ? [{ box, output }] : []));
  if (whole.length < 2) return null;
  type Source = (row: number, column: number) => readonly [number, number];
  const transposed: Source = (row, column) => [column, row];
  const turns: readonly (readonly [what: string, source: Source])[] = [
    ['turned by 180°', (row, column) => [rows - 1 - row, columns - 1 - column]],
    ['upside down', (row, column) => [rows - 1 - row, column]],
    ['mirrored from left to right', (row, column) => [row, columns - 1 - column]],
    ...(rows === columns ? [['transposed', transposed] as const] : []),
  ];
  for (const [what, source] of turns) {
    const isTurned = whole.every(({ box: [top, left], output }) => {
      for (let sample = 0; sample < samples; sample++) {
        const from = (sample * outputs + output) * inputs;
        for (let plane = 0; plane < inputs; plane += height * width)
          for (let row = 0; row < rows; row++)
            for (let column = 0; column < columns; column++) {
              const [r, c] = source(row, column);
              const expected = numeric[from + plane + (top + r) * width + left + c]!;
              const actual = analytic[from + plane + (top + row) * width + left + column]!;
              if (Math.abs(expected - actual) > zero) return false;
            }
      }
      return true;
    });
    if (isTurned) return makeExplanation('mirrored', `is made with the window of ${rows}×${columns} values ${what}`);
  }
  return null;
}

interface Shift {
  readonly output: readonly number[];
  readonly by: readonly [rows: number, columns: number];
}

/** Each output's window is shifted, by a constant or by an amount that grows with the output's position. */
function* explainShift(pattern: Pattern, input: Shape, output: Shape): Generator<undefined, Explanation | null> {
  for (const size of layoutsOf(input)) {
    const by: (readonly [rows: number, columns: number] | null)[] = [];
    for (let o = 0; o < pattern.outputs; o++) {
      const found = findShift(pattern, o, ...size);
      yield;
      if (found === undefined) break;
      by.push(found);
    }
    if (by.length < pattern.outputs) continue;
    for (const layout of layoutsOf(output)) {
      const found = describeShifts(placesOf(by, layout), pattern, size, layout);
      if (found) return found;
    }
  }
  return null;
}

const placesOf = (
  by: readonly (readonly [rows: number, columns: number] | null)[],
  [rows, columns]: readonly [number, number],
): Shift[] =>
  by.flatMap((shift, o) => (shift ? [{ output: [Math.floor(o / columns) % rows, o % columns], by: shift }] : []));

/** Rows and columns; one axis may hold several rows one after the other, such as channels. */
function layoutsOf(shape: Shape): readonly (readonly [rows: number, columns: number])[] {
  const [rows, columns] = spatialSize(shape);
  return shape.length > 1
    ? [[rows, columns]]
    : rowLengths(columns).map((length) => [columns / length, length] as const);
}

/** From the longest to the shortest. */
const rowLengths = (width: number): readonly number[] =>
  Array.from({ length: width }, (_, i) => width - i).filter(
    (length) => length === width || (length > 1 && width % length === 0),
  );

/** The last two axes of a sample, or one row if there is one axis. */
const spatialSize = (shape: Shape): readonly [number, number] => [
  shape.length > 2 ? shape[shape.length - 2]! : 1,
  shape[shape.length - 1] ?? 1,
];

/** Undefined if no shift turns the right row into the wrong one; null if several do, or if the row is empty. */
function findShift(
  { numeric, analytic, inputs, outputs, zero, samples }: Pattern,
  output: number,
  height: number,
  width: number,
): readonly [number, number] | null | undefined {
  const found: (readonly [number, number])[] = [];
  let isEmpty = true;
  // Too little of the window is left to say where it went.
  let isAtBorder = false;
  // The whole window left the image.
  let isPresent = false;
  for (let sample = 0; sample < samples; sample++)
    for (let i = 0, from = (sample * outputs + output) * inputs; i < inputs; i++)
      isPresent ||= Math.abs(analytic[from + i]!) > zero;
  for (let dr = -Math.min(MAX_SHIFT, height - 1); dr <= Math.min(MAX_SHIFT, height - 1); dr++)
    for (let dq = -Math.min(MAX_SHIFT, width - 1); dq <= Math.min(MAX_SHIFT, width - 1); dq++) {
      let fits = true;
      let [inside, total] = [0, 0];
      for (let sample = 0; sample < samples && fits; sample++) {
        const from = (sample * outputs + output) * inputs;
        for (let i = 0; i < inputs && fits; i++) {
          const n = numeric[from + i]!;
          total += n * n;
          const [r, q] = [(Math.floor(i / width) % height) + dr, (i % width) + dq];
          if (r < 0 || r >= height || q < 0 || q >= width) continue;
          inside += n * n;
          const a = analytic[from + i + dr * width + dq]!;
          // Where the right row is 0, the wrong one may contain what the border had cut off.
          if (Math.abs(n) > zero && Math.abs(a - n) > zero) fits = false;
        }
        for (let i = 0; i < inputs && fits; i++) {
          const [r, q] = [(Math.floor(i / width) % height) - dr, (i % width) - dq];
          const isFromInside = r >= 0 && r < height && q >= 0 && q < width;
          if (
            isFromInside &&
            Math.abs(analytic[from + i]!) > zero &&
            Math.abs(numeric[from + i - dr * width - dq]!) <= zero
          )
            fits = false;
        }
      }
      if (total > 0) isEmpty = false;
      if (!fits || total === 0) continue;
      if (inside >= MIN_OVERLAP * total) found.push([dr, dq]);
      else isAtBorder ||= inside > 0;
    }
  if (isEmpty || found.length > 1 || (found.length === 0 && (isAtBorder || !isPresent))) return null;
  return found[0];
}

function describeShifts(
  shifts: readonly Shift[],
  pattern: Pattern | null,
  input: readonly [number, number],
  output: readonly [number, number],
): Explanation | null {
  if (shifts.length < 2) return null;
  const facts: string[] = [];
  let isStride = false;
  for (const axis of [0, 1] as const) {
    const line = fitLine(shifts.map(({ output: place, by }) => [place[axis]!, by[axis]]));
    if (!line) return null;
    const name = axis === 0 ? 'rows' : 'columns';
    const [offset, growth] = line;
    if (growth !== 0) {
      isStride = true;
      const stride = pattern ? strideOf(pattern, axis, input, output) : null;
      facts.push(
        stride === null
          ? `along the ${name} the windows of the backward pass are ${Math.abs(growth)} ${growth < 0 ? 'less' : 'more'} apart than those of the forward pass: the stride is wrong`
          : `along the ${name} the forward pass moves its window by a stride of ${stride}, the backward pass by ${stride + growth}`,
      );
    }
    if (offset !== 0)
      facts.push(
        `along the ${name} the backward pass is ${Math.abs(offset)} ${Math.abs(offset) === 1 ? 'position' : 'positions'} too far ${offset > 0 ? 'towards the end' : 'towards the start'}: the padding or offset is wrong`,
      );
  }
  if (facts.length === 0) return null;
  return makeExplanation(
    isStride ? 'stride_wrong' : 'shifted',
    `uses windows at the wrong positions: ${facts.join('; ')}`,
  );
}

/** y = offset + growth · x through all points, in integers; null if there is no such line. */
function fitLine(
  points: readonly (readonly [x: number, y: number])[],
): readonly [offset: number, growth: number] | null {
  const [first] = points;
  if (!first) return null;
  const [x0, y0] = first;
  const other = points.find(([x]) => x !== x0);
  const growth = other ? (other[1] - y0) / (other[0] - x0) : 0;
  const offset = y0 - growth * x0;
  return Number.isInteger(growth) && points.every(([x, y]) => y === offset + growth * x) ? [offset, growth] : null;
}

/**
 * How far the first input position that the forward pass reads moves from one output to the next; null if that varies.
 */
function strideOf(
  { numeric, inputs, zero }: Pattern,
  axis: 0 | 1,
  [height, width]: readonly [number, number],
  [rows, columns]: readonly [number, number],
): number | null {
  const count = axis === 0 ? rows : columns;
  const places: number[] = [];
  for (let k = 0; k < count; k++) {
    const output = axis === 0 ? k * columns : k;
    let last = -1;
    for (let i = 0; i < inputs; i++)
      if (Math.abs(numeric[output * inputs + i]!) > zero)
        last = Math.max(last, axis === 0 ? Math.floor(i / width) % height : i % width);
    places.push(last);
  }
  const strides = places.slice(1).map((place, k) => place - places[k]!);
  return strides.length > 0 && strides.every((stride) => stride === strides[0]) ? strides[0]! : (strides[0] ?? null);
}

/** The fewest inputs that make a statistic. */
const MIN_POPULATION = 4;

/**
 * Errors that are a number for each output times a number for each input: what passes through one number that is made
 * from all inputs, such as a mean or a deviation, is missing or wrong.
 */
function explainStatistic({ samples, inputs, outputs, numeric, analytic, zero }: Pattern): Explanation | null {
  let isMissing = true;
  let found = 0;
  for (let sample = 0; sample < samples; sample++) {
    const at = (o: number, i: number): number => (sample * outputs + o) * inputs + i;
    const isLinked = (o: number, i: number): boolean => Math.abs(numeric[at(o, i)]!) > zero;
    const pending = new Set(Array.from({ length: inputs }, (_, i) => i));
    for (const first of pending) {
      // Outputs that depend on the same inputs, such as those of one group.
      const rows = Array.from({ length: outputs }, (_, o) => o).filter((o) => isLinked(o, first));
      const columns = [...pending].filter((i) => rows.some((o) => isLinked(o, i)));
      for (const i of columns) pending.delete(i);
      pending.delete(first);
      const errorAt = (o: number, i: number): number => analytic[at(o, i)]! - numeric[at(o, i)]!;
      const rank = rankOfMatrix(rows, columns, errorAt, zero);
      if (rank === 0) continue;
      if (rank > 1 || columns.length < MIN_POPULATION || rows.length < MIN_POPULATION) return null;
      found++;
      // Away from the diagonal there are statistics alone.
      const [above, right] = [rows.slice(0, rows.length / 2), columns.slice(columns.length / 2)];
      const [ofForward, ofBackward] = [numeric, analytic].map((values) =>
        rankOfMatrix(above, right, (o, i) => values[at(o, i)]!, zero),
      );
      isMissing &&= ofBackward! < ofForward!;
    }
  }
  if (found === 0) return null;
  return isMissing
    ? makeExplanation(
        'statistics_constant',
        'lacks what passes through one number that is made from many inputs, such as a mean, a norm or a deviation: it is treated as constant',
      )
    : makeExplanation(
        'error_pattern',
        'is right except for what passes through one number that is made from many inputs, such as a mean, a norm or a deviation: that term has a wrong factor, sign or operand',
      );
}

/** Up to 3. */
function rankOfMatrix(
  rows: readonly number[],
  columns: readonly number[],
  valueAt: (row: number, column: number) => number,
  zero: number,
): number {
  const rest = rows.map((o) => Float64Array.from(columns, (i) => valueAt(o, i)));
  for (let rank = 0; rank < 3; rank++) {
    let [row, column] = [0, 0];
    rest.forEach((values, r) => {
      values.forEach((value, c) => {
        if (Math.abs(value) > Math.abs(rest[row]?.[column] ?? 0)) [row, column] = [r, c];
      });
    });
    const pivot = rest[row]?.[column] ?? 0;
    if (!(Math.abs(pivot) > zero)) return rank;
    const own = rest[row]!.slice();
    for (const values of rest) {
      const factor = values[column]! / pivot;
      for (let c = 0; c < values.length; c++) values[c]! -= factor * own[c]!;
    }
  }
  return 3;
}

/** Entries that the backward pass has and the forward pass does not, or vice versa. */
function explainSupport(pattern: Pattern): Explanation | null {
  const { numeric, analytic } = pattern;
  let [extra, missing, other, total] = [0, 0, 0, 0];
  for (let i = 0; i < numeric.length; i++) {
    if (Number.isNaN(numeric[i])) continue;
    const isRight = !pattern.isSame(numeric[i]!, 0);
    if (isRight) total++;
    if (pattern.isSame(analytic[i]!, numeric[i]!)) continue;
    if (!isRight) extra++;
    else if (pattern.isSame(analytic[i]!, 0)) missing++;
    else other++;
  }
  if (other > 0 || total === 0 || extra + missing === 0) return null;
  const facts = [
    ...(missing > 0 ? [`lacks ${missing} of ${total} dependencies of outputs on inputs`] : []),
    ...(extra > 0 ? [`has ${extra} dependencies that the forward pass lacks`] : []),
  ];
  return makeExplanation(
    missing > 0 && extra === 0 ? 'share_missing' : 'error_pattern',
    `${facts.join(' and ')}; all others are right`,
  );
}

/** Contributions to a parameter where its output does not depend on it, as without a mask. */
function explainMissingMask(pattern: Pattern): Explanation | null {
  const { numeric, analytic } = pattern;
  let [extra, total] = [0, 0];
  for (let i = 0; i < numeric.length; i++) {
    if (Number.isNaN(numeric[i])) continue;
    const isRight = !pattern.isSame(numeric[i]!, 0);
    if (isRight) total++;
    if (pattern.isSame(analytic[i]!, numeric[i]!)) continue;
    if (isRight) return null;
    extra++;
  }
  if (total === 0 || extra === 0) return null;
  return makeExplanation(
    'mask_missing',
    `has ${extra} contributions of outputs that do not depend on it, beside the right ${total}: its sum runs over too many outputs, or a mask, such as the sign of the input, is missing`,
  );
}

/** A parameter's contributions, one per sample and output. */
function explainParameter(
  { shape }: GradientComparison,
  layer: LayerExperiment,
  jacobians: Jacobians,
): Explanation | null {
  // Treats the rows of all samples as one.
  const pattern = new Pattern(1, jacobians);
  return (
    explainOverwriting(layer, jacobians) ??
    explainParameterFactors(pattern, shape) ??
    explainMissingMask(pattern) ??
    explainPairing(pattern, layer, shape) ??
    explainOffsets(pattern, 'entry')
  );
}

/** Entries whose factor depends on one axis of the parameter. */
function explainParameterFactors(pattern: Pattern, shape: Shape): Explanation | null {
  const explanation = explainFactorsOfOutputs(pattern, [pattern.outputs]) ?? explainFactorsOfInputs(pattern, shape);
  return explanation?.cause === 'part_sign' || explanation?.description.includes('inputs')
    ? { ...explanation, description: explanation.description.replace('what comes from inputs', 'entries') }
    : explanation;
}

/**
 * Contributions that overwrite each other. Such a backward is not linear in dy, so its gradient is compared instead of
 * its Jacobian.
 */
function explainOverwriting(layer: LayerExperiment, { numeric, inputs, outputs }: Jacobians): Explanation | null {
  const { upstream } = layer;
  const given = layer.gradientFor(upstream);
  const tolerance = TOLERANCE * maxAbs(given);
  for (const [which, order] of [
    ['last', Array.from({ length: outputs }, (_, o) => o)],
    ['first', Array.from({ length: outputs }, (_, o) => outputs - 1 - o)],
  ] as const) {
    const values = new Float64Array(inputs);
    const counts = new Uint32Array(inputs);
    for (const o of order)
      for (let i = 0; i < inputs; i++) {
        const derivative = numeric[o * inputs + i]!;
        if (Math.abs(derivative) <= 1e-9) continue;
        values[i] = derivative * upstream[o]!;
        counts[i]!++;
      }
    if (counts.every((count) => count < 2)) return null;
    if (values.every((value, i) => Math.abs(value - given[i]!) <= tolerance))
      return makeExplanation(
        'overwritten',
        `has only the ${which} contribution if an entry is used several times: contributions must be added (+=), not overwritten (=)`,
      );
  }
  return null;
}

/** Each contribution is an input value, and the backward pass uses another one. */
function explainPairing(pattern: Pattern, layer: LayerExperiment, shape: Shape): Explanation | null {
  const { input, samples, inputShape, outputShape } = layer;
  const perSample = input.length / samples;
  const outputsPerSample = pattern.outputs / samples;
  const scale = maxAbs(input);
  const find = (value: number, sample: number): number => {
    let at = -1;
    for (let i = 0; i < perSample; i++)
      if (Math.abs(input[sample * perSample + i]! - value) <= 1e-6 * scale) {
        if (at >= 0) return -2;
        at = i;
      }
    return at;
  };
  const pairs: { readonly output: number; readonly right: number; readonly wrong: number }[] = [];
  const byEntry: [number, number][] = [];
  const last = shape.at(-1) ?? 1;
  for (const { output, from } of pattern.rows()) {
    const sample = Math.floor(output / outputsPerSample);
    for (let i = 0; i < pattern.inputs; i++) {
      const [n, a] = [pattern.numeric[from + i]!, pattern.analytic[from + i]!];
      if (pattern.isSame(n, 0) || pattern.isSame(a, 0)) continue;
      const [right, wrong] = [find(n, sample), find(a, sample)];
      if (right === -1 || wrong === -1) return null;
      if (right < 0 || wrong < 0) continue;
      pairs.push({ output: output % outputsPerSample, right, wrong });
      byEntry.push([i % last, wrong - right]);
    }
  }
  const offsets = pairs.map(({ output, right, wrong }) => ({ at: output, by: wrong - right }));
  const grouped = describeOffsets(offsets, outputsPerSample, 'input');
  if (grouped) return grouped;
  for (const [height, width] of layoutsOf(inputShape.slice(1)))
    for (const [rows, columns] of layoutsOf(outputShape.slice(1))) {
      const shifts = pairs.map(({ output, right, wrong }): Shift => {
        const by = [
          (Math.floor(wrong / width) % height) - (Math.floor(right / width) % height),
          (wrong % width) - (right % width),
        ] as const;
        return { output: [Math.floor(output / columns) % rows, output % columns], by };
      });
      const found = describeShifts(shifts, null, [height, width], [rows, columns]);
      if (found) return found;
    }
  return describeSpacing(byEntry);
}

interface Offset {
  readonly at: number;
  readonly by: number;
}

/** Contributions of each output that go to other places: by a distance that depends on a block of outputs alone. */
function explainOffsets(pattern: Pattern, what: 'input' | 'entry'): Explanation | null {
  const { numeric, analytic, inputs, zero } = pattern;
  const offsets: Offset[] = [];
  const perSample = pattern.outputs / pattern.samples;
  for (const { output, from } of pattern.rows()) {
    const firstOf = (values: Float64Array): number => {
      for (let i = 0; i < inputs; i++) if (Math.abs(values[from + i]!) > zero) return i;
      return -1;
    };
    const [right, wrong] = [firstOf(numeric), firstOf(analytic)];
    if (right < 0 && wrong < 0) continue;
    if (right < 0 || wrong < 0) return null;
    const by = wrong - right;
    for (let i = 0; i < inputs; i++) {
      const moved = i - by >= 0 && i - by < inputs ? numeric[from + i - by]! : 0;
      if (!pattern.isSame(analytic[from + i]!, moved)) return null;
    }
    offsets.push({ at: output, by });
  }
  return describeOffsets(offsets, what === 'input' ? pattern.outputs : perSample, what);
}

/** The first of several equal blocks of outputs is right, and the others are off by more and more. */
function describeOffsets(offsets: readonly Offset[], outputs: number, what: 'input' | 'entry'): Explanation | null {
  for (let count = 2; count <= Math.min(outputs / 2, MAX_BLOCKS); count++) {
    if (outputs % count !== 0) continue;
    const blockOf = (at: number): number => Math.floor((at % outputs) / (outputs / count));
    const line = fitLine(offsets.map(({ at, by }) => [blockOf(at), by]));
    if (!line || line[0] !== 0 || line[1] === 0) continue;
    const places = what === 'input' ? 'inputs' : 'entries';
    return makeExplanation(
      'shifted',
      `is right for the first of ${count} groups of outputs, and for each further group ${Math.abs(line[1])} ${places} too far towards the ${line[1] < 0 ? 'start' : 'end'}: the offset of the group is ${line[1] < 0 ? 'missing' : 'wrong'}`,
    );
  }
  return null;
}

/** The derivatives are entries of a parameter, and the backward pass takes others. */
function explainOtherEntries({ numeric, analytic, zero }: Pattern, layer: LayerExperiment): Explanation | null {
  for (const [name, values] of layer.parameters) {
    const key = (value: number): string => value.toPrecision(5);
    const entryOf = new Map(Array.from(values, (value, i) => [key(value), i] as const));
    if (entryOf.size < values.length || values.length < 2) continue;
    const used = new Map<number, number>();
    const fits = numeric.every((right, i) => {
      const [isNone, isAlsoNone] = [Math.abs(right) <= zero, Math.abs(analytic[i]!) <= zero];
      if (isNone || isAlsoNone) return isNone && isAlsoNone;
      const [own, other] = [entryOf.get(key(right)), entryOf.get(key(analytic[i]!))];
      if (own === undefined || other === undefined || (used.get(own) ?? other) !== other) return false;
      used.set(own, other);
      return true;
    });
    const wrong = [...used].filter(([own, other]) => own !== other);
    if (!fits || wrong.length === 0) continue;
    const offsets = [...used].map(([own, other]) => ({ at: own, by: other - own }));
    const grouped = describeOffsets(offsets, values.length, 'entry');
    if (grouped)
      return {
        ...grouped,
        description: `uses entries of ${name}: it ${grouped.description.replace('of outputs', 'of them')}`,
      };
    for (const [cause, what, source] of reorderings(layer.shapeOf(name)))
      if ([...used].every(([own, other]) => source(own) === other))
        return makeExplanation(cause, `uses ${name} ${what}`);
    const [own, other] = wrong[0]!;
    // Each entry of a filter, or a channel, in place of another one.
    const isReordered = wrong.length === used.size && new Set(used.values()).size === used.size;
    return makeExplanation(
      isReordered ? 'permuted' : 'wrong_operand',
      `uses other entries of ${name} than the forward pass: entry ${other} in place of entry ${own}, and so on for ${wrong.length} of ${used.size}`,
    );
  }
  return null;
}

/** Entries of a window that read inputs at other distances from each other. */
function describeSpacing(shifts: readonly (readonly [entry: number, by: number])[]): Explanation | null {
  const line = shifts.length > 2 ? fitLine(shifts) : null;
  if (!line || line[1] === 0) return null;
  return makeExplanation(
    'stride_wrong',
    `uses inputs at the wrong distance: from one entry of a window to the next, they are ${Math.abs(line[1])} ${line[1] < 0 ? 'less' : 'more'} apart than in the forward pass, as with another dilation`,
  );
}

const formatShort = (value: number): string => String(Number(value.toPrecision(4)));
