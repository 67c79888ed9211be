// A peer of kernels.bench.ts: the same training steps in TensorFlow.js on its WebAssembly backend, which has no
// gradients of convolutions. Reads one JSON request per line, and answers with µs per step.
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { answerRequests, numbersOf } from './peer-process.mjs';

const activations = { tanh: tf.tanh, sigmoid: tf.sigmoid, relu: tf.relu };

function workloadOf({ sizes, activation, batch, loss }) {
  const draw = numbersOf();
  const array = (...shape) => tf.tensor(draw(shape.reduce((a, b) => a * b, 1)), shape);
  const outputs = sizes[sizes.length - 1];
  const x = array(batch, sizes[0]);
  const t =
    loss === 'mse'
      ? array(batch, outputs)
      : tf.cast(
          tf.oneHot(
            Array.from({ length: batch }, (_, i) => i % outputs),
            outputs,
          ),
          'float32',
        );
  const layers = sizes.slice(1).map((out, i) => ({ w: tf.variable(array(sizes[i], out)), b: tf.variable(array(out)) }));
  const optimizer = tf.train.sgd(0.01);
  const lossOf = () => {
    const y = layers.reduce((h, { w, b }, i) => {
      const z = tf.add(tf.matMul(h, w), b);
      return i < layers.length - 1 ? activations[activation](z) : z;
    }, x);
    return loss === 'mse'
      ? tf.mean(tf.squaredDifference(y, t))
      : tf.neg(tf.div(tf.sum(tf.mul(tf.logSoftmax(y), t)), batch));
  };
  return async () => void optimizer.minimize(lossOf);
}

setWasmPaths(join(process.cwd(), 'bench/node_modules/@tensorflow/tfjs-backend-wasm/dist/'));
await tf.setBackend('wasm');
await tf.ready();
answerRequests(`TensorFlow.js ${tf.version_core}`, workloadOf);
