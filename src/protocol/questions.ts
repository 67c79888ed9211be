// The questions of docs/systems.md that the panel links to, by their ids in docs/questions. The text of a question is
// also its heading on the page.

export const panelQuestions = {
  'why-activations': 'Why are there activation functions between the linear layers?',
  'fused-loss': 'Why can softmax and cross-entropy be written as l = -Σ y ỹ + log Σ exp(ỹ)?',
  'logits-gradient': 'What is the gradient of cross-entropy with respect to the logits?',
  'naive-gradient': 'How much more does the naive way cost than backpropagation?',
  'gradient-check': 'How do I know that a gradient is right?',
  'convolution-weights': 'How many weights does a convolution have, and how many would a fully connected layer need?',
  'why-pooling': 'Why is there pooling?',
  'max-or-average': 'What is the difference between max pooling and average pooling?',
  'receptive-fields': 'What is the receptive field of a layer, and how does it grow?',
  'first-loss': 'Why is the first loss of C classes about ln C, such as ln 10?',
  'train-and-test-code': 'What differs between the computation in training and in the test?',
  overfitting: 'The training loss falls, but the validation loss rises. What is this?',
  'dropout-modes': 'What does dropout do in training, and what in evaluation?',
  'batch-norm-modes': 'What does batch norm do in training, and what in evaluation?',
  'sigmoid-derivative': 'Why can a sigmoid unit learn only slowly?',
  'several-runs': 'Why are there several runs for each rate, with mean and standard deviation?',
  'squared-distance': 'Why is the gradient of the squared distance 2 (ŷ - y)?',
  'activations-and-depth': 'Which activation is good for deep networks?',
  'bce-with-sigmoid': 'Why do sigmoid and binary cross-entropy fit together?',
  'dead-units': 'What is a dead ReLU unit?',
  'softmax-sharpens': 'Why does softmax sharpen when its inputs grow?',
  'zero-gradients': 'Why must the gradients be set to zero?',
  splits: 'What are the training, validation and test splits for?',
} as const;

export type PanelQuestion = keyof typeof panelQuestions;
