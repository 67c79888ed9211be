import { describe, expect, it } from 'vitest';
import { createKernels, createBackend } from '../../../src/engine/kernels/create-kernels';
import { losses, type LossKind } from '../../../src/engine/losses';
import { optimizers } from '../../../src/engine/optimizers';
import { view } from '../../../src/engine/kernels/tensor';
import { createSession, smallSpec } from '../../support/session-fixtures';
import { BACKENDS } from '../../support/backends';
import { imageLayers, indexLayers, requiredOptions, rowLayers, sequenceLayers } from '../../support/layers';
import { tensorOf, nanTensor } from '../../support/tensors';

describe('createKernels', () => {
  it('uses the fastest supported backend, without relaxed SIMD if bits must be portable', () => {
    expect(createKernels('float32').backend).toBe('wasm-relaxed-simd');
    expect(createKernels('float64', { deterministic: 'portable' }).backend).toBe('wasm-simd');
    expect(createKernels('float64', { deterministic: 'portable' }).precision).toBe('float64');
  });

  it.each(BACKENDS)('uses exactly %s on request', (backend) => {
    expect(createKernels('float32', { backend }).backend).toBe(backend);
  });

  it('falls back without relaxed SIMD, or without WebAssembly', () => {
    const { Module } = WebAssembly;
    const without = (refuses: (count: number) => boolean, options = {}): string => {
      let count = 0;
      class Refusing {
        constructor(bytes: BufferSource) {
          if (refuses(count++)) throw new WebAssembly.CompileError('no such instruction');
          return new Module(bytes);
        }
      }
      WebAssembly.Module = Refusing as unknown as typeof WebAssembly.Module;
      try {
        return createKernels('float32', options).backend;
      } finally {
        WebAssembly.Module = Module;
      }
    };
    expect(without((count) => count === 0)).toBe('wasm-simd');
    expect(without(() => true)).toBe('reference');
    // Any other backend would give other bits than those of another machine.
    expect(() => without(() => true, { deterministic: 'portable' })).toThrow('no such instruction');
  });
});

describe('a session', () => {
  const train = (spec: object, backend?: (typeof BACKENDS)[number]) => {
    const session = createSession(spec, { backend });
    session.seek(30);
    return session;
  };

  it('names its backend', () => {
    expect(train(smallSpec).model.backend).toBe('wasm-relaxed-simd');
    expect(train({ ...smallSpec, deterministic: 'portable' }).model.backend).toBe('wasm-simd');
    expect(train(smallSpec, 'reference').model.backend).toBe('reference');
  });

  it.each(['float32', 'float64'])(
    'trains alike on all kernels in %s, and each is reproducible bit for bit',
    (precision) => {
      const spec = { ...smallSpec, precision };
      const losses = BACKENDS.map((backend) => {
        const session = train(spec, backend);
        expect(train(spec, backend).stateHash()).toBe(session.stateHash());
        return session.loss ?? NaN;
      });
      for (const loss of losses)
        expect(Math.abs(loss / losses[0] - 1)).toBeLessThan(precision === 'float64' ? 1e-12 : 1e-4);
    },
  );
});

describe('a small network trains in few calls with the same bits as phase by phase', () => {
  const compare = (spec: object, backend?: (typeof BACKENDS)[number]): void => {
    const whole = createSession(spec, { backend });
    const phases = createSession(spec, { backend });
    while (whole.position.step < 60) {
      if (whole.position.step === 20) for (const session of [whole, phases]) session.setLearningRate(0.05);
      whole.step();
      do phases.stepPhase();
      while (phases.position.phase > 0);
      expect(whole.stateHash()).toBe(phases.stateHash());
      expect(whole.loss).toBe(phases.loss);
    }
  };

  it.each(BACKENDS)('on %s', (backend) => compare(smallSpec, backend));

  // A layer or loss with arithmetic outside of kernels would compute it only once, while the step is recorded.
  it.each(rowLayers)('with the layer %s', (type) => {
    const layer = { type, ...requiredOptions(type) };
    const ahead = type === 'kernel' ? [] : [{ type: 'linear', out_features: 3 }];
    compare({ ...smallSpec, layers: [...ahead, layer, { type: 'linear', out_features: 2 }] });
  });

  it.each(imageLayers)('with the layer %s', (type) => {
    const layer = { type, ...requiredOptions(type) };
    const data = { type: 'images', samples: 30, size: 6, classes: 2 };
    compare({ ...smallSpec, data, layers: [layer, layer, 'flatten', { type: 'linear', out_features: 2 }] });
  });

  it.each([...indexLayers, ...sequenceLayers])('with the layer %s', (type) => {
    const layer = { type, ...requiredOptions(type) };
    const inputs = Array.from({ length: 30 }, (_, i) => [i % 5, (i * i) % 5, (7 * i) % 4]);
    const data = { type: 'inline', inputs, labels: inputs.map(([first]) => first % 2) };
    const ahead = indexLayers.includes(type) ? [] : [{ type: 'embedding', num_embeddings: 5, embedding_dim: 4 }];
    compare({ ...smallSpec, data, layers: [...ahead, layer, 'flatten', { type: 'linear', out_features: 2 }] });
  });

  it.each(Object.keys(losses) as LossKind[])('with the loss %s', (loss) => {
    const binary = loss.startsWith('bce');
    const last = { type: 'linear', out_features: binary ? 1 : 2 };
    const squash = loss === 'bce' ? ['sigmoid'] : loss === 'cross_entropy_on_probabilities' ? ['softmax'] : [];
    const data = losses[loss].target === 'values' ? { type: 'noisy_sine', samples: 50 } : smallSpec.data;
    compare({
      ...smallSpec,
      data,
      loss,
      layers: [last, 'tanh', data === smallSpec.data ? last : { ...last, out_features: 1 }, ...squash],
    });
  });

  it.each([
    ...Object.keys(optimizers).map((type) => ({ optimizer: { type, lr: 0.02 } })),
    { optimizer: { type: 'sgd', lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.01 } },
    { schedule: { type: 'exponential', gamma: 0.99, per: 'step' } },
    { schedule: { type: 'constant', warmup: 3 } },
    { clip: { norm: 0.05 } },
    { clip: { value: 0.01 } },
    { penalty: { l1: 0.01, l2: 0.1 } },
  ])('with %o', (more) => compare({ ...smallSpec, ...more }));
});

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('memory of %s', (backend) => {
  it('grows and keeps existing tensors', () => {
    const kernels = createBackend(backend, 'float32');
    const first = tensorOf(kernels, [1, 2, 3]);
    const large = nanTensor(kernels, [1000, 1000]);
    kernels.fill(large, 7);
    kernels.scale(first, first, 2);
    expect(Array.from(first.data)).toEqual([2, 4, 6]);
    expect(large.data.every((x) => x === 7)).toBe(true);
  });

  it('rejects what does not fit into 4 GB', () => {
    expect(() => nanTensor(createBackend(backend, 'float64'), [2 ** 29])).toThrow(RangeError);
  });

  it('rejects a tensor of another memory', () => {
    const kernels = createBackend(backend, 'float64');
    const own = tensorOf(kernels, [1, 2]);
    const foreign = tensorOf(createBackend('reference', 'float64'), [1, 2]);
    expect(() => kernels.copy(own, foreign)).toThrow(TypeError);
    expect(() => kernels.copy(view(foreign, [1]), own)).toThrow(TypeError);
  });

  it('is freed with its tensors: a thousand networks do not accumulate', () => {
    for (let i = 0; i < 1000; i++) expect(nanTensor(createBackend(backend, 'float32'), [16]).data.length).toBe(16);
  });
});
