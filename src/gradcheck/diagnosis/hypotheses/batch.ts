// Mistakes in sums over the batch, and in the values that a layer keeps for its backward pass.
import type { Hypothesis, Hypotheses } from './hypothesis';
import type { Overrides, LayerExperiment, GradientComparison } from '../gradient-comparison';

export function* batchHypotheses({ subject, numeric, layer, tensor }: GradientComparison): Hypotheses {
  if (!layer) return;
  const { upstream, input, previousCall } = layer;
  const width = upstream.length / layer.samples;
  const withOverrides = function* (change: Overrides, cause: Hypothesis['cause'], description: string): Hypotheses {
    const values = yield* layer.numericGradientWith(change);
    if (values) yield { cause, description, values };
  };
  const keepSamples = (keep: (sample: number) => boolean): Overrides => ({
    upstream: upstream.map((u, i) => (keep(Math.floor(i / width)) ? u : 0)),
  });
  const last = layer.samples - 1;
  const bias = tensor === 'bias' ? ': it is not summed over the batch' : '';
  yield* withOverrides(
    keepSamples((sample) => sample === 0),
    'one_sample',
    `comes only from the first sample${bias}`,
  );
  yield* withOverrides(
    keepSamples((sample) => sample === last),
    'one_sample',
    `comes only from the last sample${bias}`,
  );
  yield* withOverrides(
    keepSamples((sample) => sample !== last),
    'sample_missing',
    'omits the last sample',
  );
  yield* withOverrides(
    keepSamples((sample) => sample !== 0),
    'sample_missing',
    'omits the first sample',
  );
  yield* withOverrides(
    keepSamples((sample) => sample % 2 === 0),
    'sample_missing',
    'omits every second sample',
  );
  yield* withOverrides(
    keepSamples((sample) => sample % 2 === 1),
    'sample_missing',
    'omits every second sample',
  );
  yield* toggledOptionHypotheses(layer);
  if (subject === 'parameter') {
    yield* withOverrides({ upstream: upstream.map(() => 1) }, 'upstream_ignored', 'ignores the output gradient');
    yield* withOverrides({ input: input.map(() => 1) }, 'input_ignored', "does not depend on the layer's input");
    yield* withOverrides(
      { input: layer.output },
      'derivative_at_output',
      "uses the layer's output instead of its input",
    );
  }
  if (layer.defaultOptions !== null)
    yield* withOverrides(
      { options: layer.defaultOptions },
      'options_ignored',
      'ignores the options: it is that of the layer with default options',
    );
  if (subject === 'parameter') {
    for (const [by, other] of [
      [width, 'next'],
      [-width, 'previous'],
    ] as const) {
      const rolled = upstream.map((_, i) => upstream[(i + by + upstream.length) % upstream.length]!);
      yield* withOverrides(
        { upstream: rolled },
        'samples_mixed',
        `pairs each sample with the output gradient of the ${other} one`,
      );
    }
    if (numeric.length === width && width > 1) {
      const sums = numeric.map((_, j) =>
        upstream.subarray((j % layer.samples) * width, ((j % layer.samples) + 1) * width).reduce((a, b) => a + b, 0),
      );
      yield {
        cause: 'wrong_sum',
        description: 'is summed over the units instead of the samples',
        values: sums,
      };
    }
  }
  yield* withOverrides({ input: previousCall.input }, 'from_earlier_call', 'uses the input of an earlier step');
  yield* withOverrides(
    { upstream: previousCall.upstream },
    'from_earlier_call',
    'uses the output gradient of an earlier step',
  );
  yield* withOverrides(previousCall, 'from_earlier_call', 'is that of an earlier step');
  if (numeric.length < 2) return;
  // In relative terms, since a sample's weight in the sum cannot be inferred from one number.
  yield* withOverrides(
    { upstream: upstream.map(Math.abs) },
    'absolute_value',
    'has lost the signs of the output gradient',
  );
}

/** As if a boolean option had its other value. */
function* toggledOptionHypotheses({ options, numericGradientWith }: LayerExperiment): Hypotheses {
  if (typeof options !== 'object' || options === null) return;
  for (const [name, on] of Object.entries(options)) {
    if (typeof on !== 'boolean') continue;
    const values = yield* numericGradientWith({ options: { ...options, [name]: !on } });
    if (values)
      yield { cause: 'options_ignored', description: `is computed as if "${name}" were ${String(!on)}`, values };
  }
}
