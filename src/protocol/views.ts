// The views of the panel: what commands and lecture files call them, and the titles of their tabs.

export const viewTitles = {
  learn: 'Loss',
  network: 'Network',
  fit: 'Fit',
  data: 'Data',
  shapes: 'Shapes',
  step: 'Step',
  what_if: 'What if',
  tensors: 'Tensors',
  sequence: 'Sequence',
  output_map: 'Output map',
  gradients: 'Gradients',
  activations: 'Activations',
  check: 'Check',
  doctor: 'Doctor',
  cost: 'Cost',
  time: 'Time',
  query: 'Query',
  sweep: 'Sweep',
} as const;

export type ViewId = keyof typeof viewTitles;
