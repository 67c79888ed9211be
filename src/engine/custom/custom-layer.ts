// A layer of the user's own as the engine knows layers. The user's functions work on copies: whatever they do to
// them, the run stays as it was. What they give is looked at before it is taken over.
import { opsOn } from '../autograd/ops';
import { Tape } from '../autograd/tape';
import { type Shape, type Tensor } from '../kernels/tensor';
import type { BackwardContext, ForwardContext, LayerDefinition, ParameterDeclaration } from '../layers/layer';
import { type Complaint, declarations, notFinite, same, shapeComplaint, shown, tensorComplaint } from './checks';
import type { BackwardCall, ForwardCall, Layer } from './contract';
import { type CodePlace, describeCall, type LayerCall, LayerFault } from './fault';
import { custom, type CustomOptions } from './unit';

/** A layer file that was loaded. */
export interface LayerModule {
  /** What it exports as its default. */
  readonly exported: unknown;
  /** The place of one of its functions, or where an exception arose; the file where that is not known. */
  placeOf(what: unknown): CodePlace;
}

/** Told when the user's code begins and ends, for a watchdog. */
export interface LayerWatch {
  enter(layer: number, call: LayerCall): void;
  leave(): void;
}

/** Which layer of the spec it is. */
export interface LayerIdentity {
  readonly name: string;
  readonly index: number;
}

type Tensors = Readonly<Record<string, Tensor>>;

/** A forward pass that was done, with the copies that it was done on. */
interface Done {
  readonly tape: Tape;
  readonly x: Tensor;
  readonly parameters: Tensors;
  readonly y: Tensor;
}

const copyOf = ({ shape, data }: Tensor): Tensor => ({ shape: [...shape], data: data.slice() });
const copiesOf = (tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, copyOf(tensor)]));

function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

/** @throws LayerFault where the module exports no layer. */
export function customLayer(identity: LayerIdentity, module: LayerModule, watch: LayerWatch): LayerDefinition<'custom', CustomOptions> {
  return new CustomLayer(identity, module, watch).definition;
}

class CustomLayer {
  readonly definition: LayerDefinition<'custom', CustomOptions>;
  readonly #identity: LayerIdentity;
  readonly #module: LayerModule;
  readonly #watch: LayerWatch;
  readonly #layer: Layer;
  readonly #current: { tape: Tape } = { tape: new Tape(new Float64Array(0)) };
  readonly #ops = opsOn(this.#current);
  /** What was declared for an input shape and options: asked once, so that it cannot change. */
  readonly #shapes = new Map<string, Shape>();
  readonly #parameters = new Map<string, readonly ParameterDeclaration[]>();
  /** The last forward pass of each output that the engine keeps. */
  readonly #done = new WeakMap<Tensor, Done>();

  constructor(identity: LayerIdentity, module: LayerModule, watch: LayerWatch) {
    this.#identity = identity;
    this.#module = module;
    this.#watch = watch;
    this.#layer = this.#exported();
    const { parameters, forward, backward } = this.#layer;
    this.definition = {
      kind: 'custom',
      summary: custom.summary,
      options: custom.options as unknown as LayerDefinition<'custom', CustomOptions>['options'],
      code: { forward: module.placeOf(forward), backward: backward ? module.placeOf(backward) : null },
      outputShape: (input, options) => this.#outputShape(input, options),
      ...(parameters && { parameters: (input: Shape, options: CustomOptions) => this.#declared(input, options) }),
      forward: (context) => void this.#forward(context),
      backward: (context) => (backward ? this.#written(context) : this.#automatic(context)),
      ...(backward && { autograd: (context: BackwardContext<CustomOptions>) => this.#followable(context) && (this.#automatic(context), true) }),
      sides: (context) => this.#forward(context).tape.sides(),
    };
  }

  #exported(): Layer {
    const { exported } = this.#module;
    const remedy = 'Write: export default { forward({ x, ops }) { … } };';
    if (typeof exported !== 'object' || exported === null) {
      throw this.#fault('load', exported === undefined ? 'has no default export' : `exports ${shown(exported)} as its default, not a layer`, remedy);
    }
    const layer = exported as Layer;
    if (typeof layer.forward !== 'function') throw this.#fault('load', 'exports a layer without "forward"', remedy);
    for (const name of ['backward', 'parameters', 'outputShape'] as const) {
      if (layer[name] !== undefined && typeof layer[name] !== 'function') {
        throw this.#fault('load', `exports a layer whose "${name}" is ${shown(layer[name])}`, `Make "${name}" a function, or leave it out.`);
      }
    }
    return layer;
  }

  #outputShape(input: Shape, { options }: CustomOptions): Shape {
    const key = JSON.stringify([input, options]);
    const known = this.#shapes.get(key);
    if (known) return known;
    const { outputShape } = this.#layer;
    const shape = outputShape
      ? this.#run('outputShape', () => outputShape.call(this.#layer, [...input], frozen(options)))
      : input;
    this.#require('outputShape', shapeComplaint(shape));
    this.#shapes.set(key, [...shape]);
    return shape;
  }

  #declared(input: Shape, { options }: CustomOptions): readonly ParameterDeclaration[] {
    const key = JSON.stringify([input, options]);
    const known = this.#parameters.get(key);
    if (known) return known;
    const given = this.#run('parameters', () => this.#layer.parameters?.([...input], frozen(options)));
    const declared = declarations(given);
    if ('what' in declared) throw this.#complain('parameters', declared);
    this.#parameters.set(key, declared.parameters);
    return declared.parameters;
  }

  #forward({ input, parameters: own, options, output }: ForwardContext<CustomOptions>): Done {
    const tape = new Tape(input.data);
    const x = copyOf(input);
    const parameters = copiesOf(own);
    tape.watch(x);
    for (const parameter of Object.values(parameters)) tape.watch(parameter);
    this.#current.tape = tape;
    const call: ForwardCall = { x, parameters, options: frozen(options.options), ops: this.#ops };
    const y = this.#run('forward', () => this.#layer.forward(call));
    this.#requireUntouched('forward', { input: [x, input], ...pairs(parameters, own) });
    this.#require('forward', tensorComplaint(y, 'an output', output.shape));
    if (!this.#layer.backward && !tape.reaches(y)) {
      throw this.#fault(
        'forward', 'does not compute its output with ops, so no gradient follows from it',
        'Compute with the operations in "ops", or write "backward" as well.',
      );
    }
    this.#requireFinite('forward', { 'an output': y }, [x, ...Object.values(parameters)]);
    output.data.set(y.data);
    const done = { tape, x, parameters, y };
    this.#done.set(output, done);
    return done;
  }

  /** The forward pass that a backward pass is about: the one done last, if it was on these very numbers. */
  #doneFor(context: BackwardContext<CustomOptions>): Done {
    const done = this.#done.get(context.output);
    const { input, parameters } = context;
    if (done && same(done.x.data, input.data) && Object.entries(parameters).every(([name, { data }]) => same(done.parameters[name].data, data))) {
      return done;
    }
    return this.#forward(context);
  }

  #followable(context: BackwardContext<CustomOptions>): boolean {
    const { tape, y } = this.#doneFor(context);
    return tape.reaches(y);
  }

  #automatic(context: BackwardContext<CustomOptions>): void {
    const { gradOutput, gradInput, gradParameters } = context;
    const { tape, x, parameters, y } = this.#doneFor(context);
    const names = Object.keys(gradParameters);
    const [dx, ...rest] = tape.gradients(y, gradOutput.data, [x, ...names.map((name) => parameters[name])]);
    const found = Object.fromEntries(names.map((name, i) => [`a gradient of ${name}`, { shape: parameters[name].shape, data: rest[i] }]));
    this.#requireFinite('backward', { 'a gradient of x': { shape: x.shape, data: dx }, ...found }, [x, y, gradOutput, ...Object.values(parameters)]);
    gradInput?.data.set(dx);
    names.forEach((name, at) => add(gradParameters[name].data, rest[at]));
  }

  #written(context: BackwardContext<CustomOptions>): void {
    const { input, output, parameters: own, options, gradOutput, gradInput, gradParameters } = context;
    const [x, y, dy] = [input, output, gradOutput].map(copyOf);
    const parameters = copiesOf(own);
    this.#current.tape = new Tape(input.data);
    const call: BackwardCall = { x, y, dy, parameters, options: frozen(options.options), ops: this.#ops };
    const given = this.#run('backward', () => this.#layer.backward?.(call));
    this.#requireUntouched('backward', { input: [x, input], output: [y, output], 'upstream gradient': [dy, gradOutput], ...pairs(parameters, own) });
    if (typeof given !== 'object' || given === null || !('dx' in given)) {
      throw this.#fault('backward', `gave ${shown(given)} in place of gradients`, 'Return { dx, parameters: { … } }.');
    }
    this.#require('backward', tensorComplaint(given.dx, '"dx"', input.shape));
    const names = Object.keys(gradParameters);
    const found = given.parameters ?? {};
    for (const name of names) {
      if (!(name in found)) throw this.#fault('backward', `gave no gradient of "${name}"`, `Return { dx, parameters: { ${names.join(', ')} } }.`);
      this.#require('backward', tensorComplaint(found[name], `a gradient of "${name}"`, own[name].shape));
    }
    const unknown = Object.keys(found).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw this.#fault('backward', `gave a gradient of "${unknown}", which is no parameter`, names.length > 0 ? `There are ${names.join(', ')}.` : 'Leave "parameters" out.');
    }
    this.#requireFinite('backward', { '"dx"': given.dx, ...found }, [x, y, dy, ...Object.values(parameters)]);
    gradInput?.data.set(given.dx.data);
    for (const name of names) add(gradParameters[name].data, found[name].data);
  }

  #run<Result>(call: LayerCall, work: () => Result): Result {
    this.#watch.enter(this.#identity.index, call);
    try {
      return work();
    } catch (error) {
      throw this.#thrown(call, error);
    } finally {
      this.#watch.leave();
    }
  }

  #thrown(call: LayerCall, error: unknown): LayerFault {
    const known = error instanceof Error;
    const what = known ? `threw ${error.name}: ${firstLine(error.message)}` : `threw ${shown(error)}`;
    const place = known ? this.#module.placeOf(error) : this.#placeOf(call);
    return this.#fault(call, what, known ? 'Correct it there.' : 'Throw an Error, which says where it arose.', place, known ? (error.stack ?? null) : null);
  }

  #requireUntouched(call: LayerCall, tensors: Readonly<Record<string, readonly [copy: Tensor, original: Tensor]>>): void {
    for (const [name, [copy, original]] of Object.entries(tensors)) {
      if (same(copy.data, original.data)) continue;
      throw this.#fault(call, `changed its ${name} in place, which others still need`, 'Write results into a new tensor, such as ops.tensor(x.shape).');
    }
  }

  /** What came of finite numbers must be finite; what came of others is not the layer's doing. */
  #requireFinite(call: LayerCall, results: Tensors, from: readonly Tensor[]): void {
    for (const [name, tensor] of Object.entries(results)) {
      const where = notFinite(tensor);
      if (where === null || from.some((each) => notFinite(each) !== null)) continue;
      const what = name.startsWith('a') || name.startsWith('"') ? name : `a gradient of ${name}`;
      throw this.#fault(call, `gave ${what} with ${where}, though all that went in was finite`, 'Keep the computation in range there, or lower the learning rate.');
    }
  }

  #require(call: LayerCall, found: Complaint | null): void {
    if (found) throw this.#complain(call, found);
  }

  #complain = (call: LayerCall, { what, remedy }: Complaint): LayerFault => this.#fault(call, what, remedy);

  #placeOf(call: LayerCall): CodePlace {
    return this.#module.placeOf(call === 'load' ? undefined : (this.#layer[call] ?? this.#layer.forward));
  }

  #fault(call: LayerCall, what: string, remedy: string, place?: CodePlace, stack: string | null = null): LayerFault {
    const { name } = this.#identity;
    const whole = call === 'load' ? `The file of ${name}` : describeCall(call, name).replace(/^./, (first) => first.toUpperCase());
    const at = place ?? (call === 'load' ? this.#module.placeOf(undefined) : this.#placeOf(call));
    return new LayerFault({ layer: name, call, message: `${whole} ${what}.`, remedy, place: at, stack });
  }
}

const firstLine = (text: string): string => text.split('\n', 1)[0].replace(/\.$/, '');

const pairs = (copies: Tensors, originals: Tensors): Record<string, readonly [Tensor, Tensor]> =>
  Object.fromEntries(Object.entries(copies).map(([name, copy]) => [`parameter ${name}`, [copy, originals[name]]]));

function add(sum: Tensor['data'], share: Tensor['data']): void {
  for (let i = 0; i < sum.length; i++) sum[i] += share[i];
}
