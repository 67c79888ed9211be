// Specs that bring a run into the states that tests are about.

/** Its loss grows until a value leaves the range of float32, within some forty steps. */
export const diverging = `{
  "data": { "type": "noisy_sine" },
  "layers": [{ "type": "linear", "out_features": 8 }, "relu", { "type": "linear", "out_features": 1 }],
  "loss": "mse", "optimizer": { "type": "sgd", "lr": 5 }, "batch_size": 16, "epochs": 50
}`;

/** So sure and so wrong that the guard in BCE's gradient shows: the check calls it wrong. */
export const guarded = JSON.stringify({
  data: { type: 'inline', inputs: [[1]], targets: [[1]] },
  layers: [{ type: 'linear', weight: [[-15]], bias: [-15] }, 'sigmoid'],
  loss: 'bce', batch_size: 1, precision: 'float64',
});

/** Trains for minutes. */
export const long = (circles: string): string => circles.replace(/"epochs": \d+/, '"epochs": 1000000');

/** Ten linear layers with sigmoids between: gradients vanish towards the input. */
export const deep = `{
  "data": "circles",
  "layers": [${'{ "type": "linear", "out_features": 24 }, "sigmoid", '.repeat(9)}{ "type": "linear", "out_features": 2 }],
  "loss": "cross_entropy", "optimizer": { "type": "sgd", "lr": 0.1 }, "batch_size": 100, "epochs": 50
}`;

/** Wide enough that tensors are reduced. */
export const wide = `{
  "data": "circles",
  "layers": [{ "type": "linear", "out_features": 200 }, "relu", { "type": "linear", "out_features": 2 }],
  "loss": "cross_entropy", "optimizer": { "type": "sgd", "lr": 0.1 }, "batch_size": 240, "epochs": 5
}`;

/** Names that would be markup, if anybody took them for it. */
export const hostileName = '<img src=x onerror="window.broken=1"><b>${alert(1)}</b>';

export const hostile = JSON.stringify({
  name: hostileName,
  data: 'circles',
  layers: [
    { type: 'linear', out_features: 4, name: hostileName },
    { type: 'tanh', name: '</script><script>window.broken=1</script>' },
    { type: 'linear', out_features: 2, name: 'a'.repeat(100) },
  ],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.1 },
  batch_size: 100,
});
