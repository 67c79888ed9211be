// A peer of kernels.bench.ts: the same training steps in jax-js on WebAssembly. Reads one JSON request per line, and
// answers with µs per step. A whole step is one compiled function. The result is awaited, since jax-js is lazy.
import { readFileSync } from 'node:fs';
import { blockUntilReady, defaultDevice, grad, init, jit, nn, numpy as np, tree } from '@jax-js/jax';
import { answerRequests, numbersOf } from './peer-process.mjs';

const activations = { tanh: np.tanh, sigmoid: nn.sigmoid, relu: nn.relu };

function workloadOf({ sizes, activation, batch, loss }) {
  const draw = numbersOf();
  const array = (...shape) => np.array(draw(shape.reduce((a, b) => a * b, 1)), { shape });
  const outputs = sizes[sizes.length - 1];
  const x = array(batch, sizes[0]);
  const classes = Float32Array.from({ length: batch * outputs }, (_, i) =>
    i % outputs === Math.floor(i / outputs) % outputs ? 1 : 0,
  );
  const t = loss === 'mse' ? array(batch, outputs) : np.array(classes, { shape: [batch, outputs] });
  let parameters = sizes.slice(1).map((out, i) => ({ w: array(sizes[i], out), b: array(out) }));

  const lossOf = (layers, x, t) => {
    const y = layers.reduce((h, { w, b }, i) => {
      const z = np.matmul(h, w).add(b);
      return i < layers.length - 1 ? activations[activation](z) : z;
    }, x);
    return loss === 'mse'
      ? np.square(y.sub(t)).mean()
      : nn
          .logSoftmax(y)
          .mul(t)
          .sum()
          .mul(-1 / batch);
  };
  const step = jit((layers, x, t) => {
    const gradients = grad(lossOf)(tree.ref(layers), x, t);
    return tree.map((value, gradient) => value.sub(gradient.mul(0.01)), layers, gradients);
  });
  return async () => {
    parameters = step(parameters, x.ref, t.ref);
    await blockUntilReady(parameters);
  };
}

await init('wasm');
defaultDevice('wasm');
const { version } = JSON.parse(readFileSync('bench/node_modules/@jax-js/jax/package.json', 'utf8'));
answerRequests(`jax-js ${version}`, workloadOf);
