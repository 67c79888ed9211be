// What `--help` prints. docs/terminal.md says the same at length.
import type { CommandName } from './arguments';

const exits = `Exit codes
  0    good
  1    the check failed, or the run diverged
  2    the spec or the call is wrong
  130  stopped by Ctrl-C`;

const general = `nablascope: train, look into and check small neural networks, from a *.nabla.json spec.

Usage
  nablascope check SPEC [--step K]              backprop against numeric derivatives, every entry
  nablascope train SPEC [--epochs N|--steps N]  losses and accuracies by part of the data, of a fork from any step, too
  nablascope trace SPEC [--step K] [--full]     every value and gradient of one training step
  nablascope summary SPEC                       shapes, parameters, multiply-adds, memory, receptive field
  nablascope sweep SPEC [--set PATH=V,V …]      every combination of options, side by side: mean and spread
  nablascope cost SPEC                          a gradient by one forward pass a parameter, and by backprop, timed
  nablascope report SPEC --out FILE [--step K]  a step or the whole run as one HTML file that opens anywhere

Options of all
  --json         the result as JSON; its form is described in docs/terminal.md
  --allow-code   run the code of the spec's own layers; without it such a spec is refused
  --data-folder FOLDER
                 data files may lie there too; can be given more than once
  -h, --help     this text, or more about a command
  -V, --version  the version

${exits}
`;

const about: Readonly<Record<CommandName, string>> = {
  check: `nablascope check SPEC [--step K] [--junit FILE] [--json]

Compares backprop's gradient with a central difference of the loss, in float64, for every entry of every
parameter, on one batch. An entry passes, is wrong, lies on a kink, or is below what round-off can tell.

  --step K      train K steps first, and check on the batch of step K (default 0: the untrained network, first batch)
  --junit FILE  write the result as JUnit XML too, for a build server: a case for each gradient
  --json        the report as JSON

The step of the difference and the tolerances are the spec's "gradient_check".

${exits}
`,
  train: `nablascope train SPEC [--epochs N | --steps N] [--fork-at K [--lr X] [--seed S]] [--json]

Trains, and prints loss and accuracy over training, validation and test data. On a terminal it shows how far
it is and how the loss goes. Gradients are checked on the way where the spec says "gradient_check": {"every": n}.

  --epochs N  train N epochs instead of the spec's "epochs"
  --steps N   train N steps
  --fork-at K also go on from step K with another learning rate (--lr X), another seed (--seed S), or both, and
              print the losses of the two ways side by side
  --json      losses and accuracies over the steps, as JSON

${exits}
`,
  trace: `nablascope trace SPEC [--step K] [--full] [--json]

Prints one training step in full: the batch, every intermediate value of the forward pass, the gradient of the
loss with respect to each of them, and the parameters before and after the update with their gradients.

  --step K  the step, counted from 1 (default 1)
  --full    all rows and columns, however many
  --json    every number to its last digit, as JSON

${exits}
`,
  summary: `nablascope summary SPEC [--json]

Prints for each layer the shape of its output, its parameters, multiply-adds, memory and receptive field, and the
parameters that a fully connected layer of the same input and output would need. Nothing is trained.

  --json  the table as JSON

${exits}
`,
  cost: `nablascope cost SPEC [--json]

Measures, on the data, the loss and the first activation of the spec, what one gradient of all parameters costs: by one forward
pass a parameter, and by backprop, as the network grows wider and deeper. Multiply-adds of both are counted beside it. Where the
naive way takes longer than a second, as many passes as fit into one are timed, the others are told by proportion, and that is said.

  --json  the figures as JSON

${exits}
`,
  report: `nablascope report SPEC --out FILE [--step K] [--check] [--json]

Trains, and writes what came of it as one HTML file without scripts: the spec, where the run stands, curves of losses, gradients
and updates, and for every layer its outputs, gradients and updates at the last step.

  --out FILE  the file to write
  --step K    stop after K steps instead of the spec's end
  --check     check every gradient at that step, and tell the result in the report
  --json      what was written, as JSON

${exits}
`,
  sweep: `nablascope sweep SPEC [--set PATH=VALUES]… [--seeds N] [--workers N] [--fresh] [--results FILE] [--json | --csv]

Trains every combination of the options that the spec's "sweep" lists, side by side on the machine's cores, and prints mean
and standard deviation of the final losses and accuracies over the seeds. Results are kept in NAME.sweep.json beside
NAME.nabla.json: what is done is not done again, as long as the spec stays what it was.

  --set PATH=VALUES  values to try of an option, instead of the spec's: --set optimizer.lr=0.01,0.1; as JSON where a
                     value is more than a number or a word: --set 'layers.1=["tanh","relu"]'
  --seeds N          N seeds, from the spec's own on
  --workers N        runs side by side (default: one a core, as far as memory goes)
  --fresh            leaves aside what was done before
  --results FILE     where results are kept
  --json             the result as JSON, with every curve
  --csv              a row for each run, its values at the end

Ctrl-C stops; runs that are done are kept, and the next call goes on with the others.

${exits}
`,
};

export const helpText = (command: CommandName | null): string => (command ? about[command] : general);
