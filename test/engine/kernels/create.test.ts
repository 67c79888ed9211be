import { describe, expect, it } from 'vitest';
import { createKernels, kernelsOf } from '../../../src/engine/kernels/create';
import { losses, type LossKind } from '../../../src/engine/losses';
import { optimizers } from '../../../src/engine/optimizers';
import { view } from '../../../src/engine/kernels/tensor';
import { sessionOf, smallSpec } from '../../support/run';
import { BACKENDS } from '../../support/backends';
import { imageLayers, requiredOptions, rowLayers } from '../../support/layers';
import { tensorOf, unwritten } from '../../support/tensors';

describe('createKernels', () => {
  it('takes the fastest of this engine, without relaxed SIMD where bits must be portable', () => {
    expect(createKernels('float32').backend).toBe('wasm-relaxed-simd');
    expect(createKernels('float64', { deterministic: 'portable' }).backend).toBe('wasm-simd');
    expect(createKernels('float64', { deterministic: 'portable' }).precision).toBe('float64');
  });

  it.each(BACKENDS)('gives exactly %s when asked', (backend) => {
    expect(createKernels('float32', { backend }).backend).toBe(backend);
  });

  it('falls back where the engine has no relaxed SIMD, or no WebAssembly at all', () => {
    const { Module } = WebAssembly;
    const without = (refuses: (count: number) => boolean): string => {
      let count = 0;
      class Refusing {
        constructor(bytes: BufferSource) {
          if (refuses(count++)) throw new WebAssembly.CompileError('no such instruction');
          return new Module(bytes);
        }
      }
      WebAssembly.Module = Refusing as unknown as typeof WebAssembly.Module;
      try {
        return createKernels('float32').backend;
      } finally {
        WebAssembly.Module = Module;
      }
    };
    expect(without((count) => count === 0)).toBe('wasm-simd');
    expect(without(() => true)).toBe('reference');
  });
});

describe('a session', () => {
  const train = (spec: object, backend?: (typeof BACKENDS)[number]) => {
    const session = sessionOf(spec, { backend });
    session.seek(30);
    return session;
  };

  it('says on which kernels it runs', () => {
    expect(train(smallSpec).model.backend).toBe('wasm-relaxed-simd');
    expect(train({ ...smallSpec, deterministic: 'portable' }).model.backend).toBe('wasm-simd');
    expect(train(smallSpec, 'reference').model.backend).toBe('reference');
  });

  it.each(['float32', 'float64'])('trains alike on all kernels in %s, and each repeats to the bit', (precision) => {
    const spec = { ...smallSpec, precision };
    const losses = BACKENDS.map((backend) => {
      const session = train(spec, backend);
      expect(train(spec, backend).hash()).toBe(session.hash());
      return session.loss ?? NaN;
    });
    for (const loss of losses) expect(Math.abs(loss / losses[0] - 1)).toBeLessThan(precision === 'float64' ? 1e-12 : 1e-4);
  });
});

describe('a small network trains in few calls, with the bits of phase by phase', () => {
  const compare = (spec: object, backend?: (typeof BACKENDS)[number]): void => {
    const whole = sessionOf(spec, { backend });
    const phases = sessionOf(spec, { backend });
    while (whole.position.step < 60) {
      if (whole.position.step === 20) for (const session of [whole, phases]) session.setLearningRate(0.05);
      whole.step();
      do phases.stepPhase();
      while (phases.position.phase > 0);
      expect(whole.hash()).toBe(phases.hash());
      expect(whole.loss).toBe(phases.loss);
    }
  };

  it.each(BACKENDS)('on %s', (backend) => compare(smallSpec, backend));

  // A layer or a loss that does arithmetic of its own would do it once, when the step is written down, and never again.
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

  it.each(Object.keys(losses) as LossKind[])('with the loss %s', (loss) => {
    const binary = loss.startsWith('bce');
    const last = { type: 'linear', out_features: binary ? 1 : 2 };
    const squash = loss === 'bce' ? ['sigmoid'] : loss === 'cross_entropy_on_probabilities' ? ['softmax'] : [];
    const data = losses[loss].target === 'values' ? { type: 'noisy_sine', samples: 50 } : smallSpec.data;
    compare({ ...smallSpec, data, loss, layers: [last, 'tanh', data === smallSpec.data ? last : { ...last, out_features: 1 }, ...squash] });
  });

  it.each([
    ...Object.keys(optimizers).map((type) => ({ optimizer: { type, lr: 0.02 } })),
    { optimizer: { type: 'sgd', lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.01 } },
    { schedule: { type: 'exponential', gamma: 0.99, per: 'step' } },
    { schedule: { type: 'constant', warmup: 3 } },
    { clip: { norm: 0.05 } }, { clip: { value: 0.01 } }, { penalty: { l1: 0.01, l2: 0.1 } },
  ])('with %o', (more) => compare({ ...smallSpec, ...more }));
});

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('memory of %s', (backend) => {
  it('grows by what is asked for and leaves the tensors that were there', () => {
    const kernels = kernelsOf(backend, 'float32');
    const first = tensorOf(kernels, [1, 2, 3]);
    const large = unwritten(kernels, [1000, 1000]);
    kernels.fill(large, 7);
    kernels.scale(first, first, 2);
    expect(Array.from(first.data)).toEqual([2, 4, 6]);
    expect(large.data.every((x) => x === 7)).toBe(true);
  });

  it('refuses what does not fit in 4 GB', () => {
    expect(() => unwritten(kernelsOf(backend, 'float64'), [2 ** 29])).toThrow(RangeError);
  });

  it('refuses a tensor of other memory rather than compute on what lies there', () => {
    const kernels = kernelsOf(backend, 'float64');
    const own = tensorOf(kernels, [1, 2]);
    const foreign = tensorOf(kernelsOf('reference', 'float64'), [1, 2]);
    expect(() => kernels.copy(own, foreign)).toThrow(TypeError);
    expect(() => kernels.copy(view(foreign, [1]), own)).toThrow(TypeError);
  });

  it('goes with its tensors: a thousand networks do not pile up', () => {
    for (let i = 0; i < 1000; i++) expect(unwritten(kernelsOf(backend, 'float32'), [16]).data.length).toBe(16);
  }, 120_000);
});
