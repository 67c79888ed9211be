// The arithmetic of a training step as plain loops over typed arrays, without any framework: fully connected layers
// with an activation between, a loss, SGD.

type Numbers = Float32Array | Float64Array;

/** Returns a function that trains on the full batch once. */
export function createBaselineStep(
  sizes: readonly number[],
  activation: 'tanh' | 'sigmoid' | 'relu',
  batch: number,
  precision: 'float32' | 'float64',
  loss: 'cross_entropy' | 'mse' = 'cross_entropy',
): () => void {
  const allocate = (n: number): Numbers => (precision === 'float64' ? new Float64Array(n) : new Float32Array(n));
  const randomValues = (n: number): Numbers => {
    let state = 7;
    return allocate(n).map(() => ((state = (state * 48271) % 2147483647) / 2147483647 - 0.5) / Math.sqrt(n)) as Numbers;
  };
  const layers = sizes.slice(1).map((out, i) => ({
    inputs: sizes[i],
    out,
    w: randomValues(sizes[i] * out),
    b: allocate(out),
    dw: allocate(sizes[i] * out),
    db: allocate(out),
    y: allocate(batch * out),
    dy: allocate(batch * out),
  }));
  const x = randomValues(batch * sizes[0]);
  const labels = Array.from({ length: batch }, (_, i) => i % sizes[sizes.length - 1]);
  const values = randomValues(batch * sizes[sizes.length - 1]);
  const activationFunction = {
    tanh: Math.tanh,
    sigmoid: (v: number): number => 1 / (1 + Math.exp(-v)),
    relu: (v: number): number => (v > 0 ? v : 0),
  }[activation];
  const activationDerivative = {
    tanh: (y: number): number => 1 - y * y,
    sigmoid: (y: number): number => y * (1 - y),
    relu: (y: number): number => (y > 0 ? 1 : 0),
  }[activation];

  return () => {
    let input = x;
    layers.forEach(({ inputs, out, w, b, y }, depth) => {
      const last = depth === layers.length - 1;
      for (let i = 0; i < batch; i++) {
        for (let j = 0; j < out; j++) {
          let sum = b[j];
          for (let k = 0; k < inputs; k++) sum += input[i * inputs + k] * w[j * inputs + k];
          y[i * out + j] = last ? sum : activationFunction(sum);
        }
      }
      input = y;
    });
    const top = layers[layers.length - 1];
    if (loss === 'mse') {
      for (let i = 0; i < values.length; i++) top.dy[i] = (2 * (top.y[i] - values[i])) / values.length;
    }
    for (let i = 0; i < batch && loss === 'cross_entropy'; i++) {
      let max = -Infinity;
      for (let j = 0; j < top.out; j++) max = Math.max(max, top.y[i * top.out + j]);
      let sum = 0;
      for (let j = 0; j < top.out; j++) sum += Math.exp(top.y[i * top.out + j] - max);
      for (let j = 0; j < top.out; j++) {
        const p = Math.exp(top.y[i * top.out + j] - max) / sum;
        top.dy[i * top.out + j] = (p - (labels[i] === j ? 1 : 0)) / batch;
      }
    }
    for (let depth = layers.length - 1; depth >= 0; depth--) {
      const { inputs, out, w, b, dw, db, dy } = layers[depth];
      const below = layers[depth - 1];
      const from = below ? below.y : x;
      dw.fill(0);
      db.fill(0);
      for (let i = 0; i < batch; i++) {
        for (let j = 0; j < out; j++) {
          const d = dy[i * out + j];
          db[j] += d;
          for (let k = 0; k < inputs; k++) dw[j * inputs + k] += d * from[i * inputs + k];
        }
      }
      if (below) {
        for (let i = 0; i < batch; i++) {
          for (let k = 0; k < inputs; k++) {
            let sum = 0;
            for (let j = 0; j < out; j++) sum += dy[i * out + j] * w[j * inputs + k];
            below.dy[i * inputs + k] = sum * activationDerivative(below.y[i * inputs + k]);
          }
        }
      }
      for (let k = 0; k < w.length; k++) w[k] -= 0.1 * dw[k];
      for (let j = 0; j < out; j++) b[j] -= 0.1 * db[j];
    }
  };
}

/**
 * Perturbs weight `i` of the first of two layers by a step and returns the loss: the naive way to a numeric gradient,
 * in float64.
 */
export function createBaselineForward(sizes: readonly number[], batch: number): (i: number, by: number) => number {
  const [inputs, hidden, outputs] = sizes;
  let state = 7;
  const draw = (n: number): Float64Array =>
    new Float64Array(n).map(() => ((state = (state * 48271) % 2147483647) / 2147483647 - 0.5) / 10);
  const [x, w1, b1, w2, b2] = [batch * inputs, hidden * inputs, hidden, outputs * hidden, outputs].map(draw);
  const h = new Float64Array(hidden);
  const y = new Float64Array(outputs);
  return (i, by) => {
    w1[i] += by;
    let loss = 0;
    for (let sample = 0; sample < batch; sample++) {
      for (let j = 0; j < hidden; j++) {
        let sum = b1[j];
        for (let k = 0; k < inputs; k++) sum += x[sample * inputs + k] * w1[j * inputs + k];
        h[j] = 1 / (1 + Math.exp(-sum));
      }
      let total = 0;
      for (let j = 0; j < outputs; j++) {
        let sum = b2[j];
        for (let k = 0; k < hidden; k++) sum += h[k] * w2[j * hidden + k];
        y[j] = sum;
        total += Math.exp(sum);
      }
      loss += (Math.log(total) - y[sample % outputs]) / batch;
    }
    return loss;
  };
}
