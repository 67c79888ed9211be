import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lectureProblems, parseLecture, resolveStop, writeStop } from '../../src/lectures';
import { applyTextEdit, editSpec } from '../../src/model-spec';
import { namePosition, phaseName, phaseNames, positionOf } from '../../src/presentation/phase-names';
import { namedNodes, nodeOfTerm, termOf } from '../../src/presentation/terms';
import { createSession, smallSpec } from '../support/session-fixtures';

const { model } = createSession(smallSpec);
const layers = model.layers.map(({ name }) => name);

const lectureOf = (stops: readonly object[]): string => JSON.stringify({ spec: 'small.nabla.json', stops }, null, 2);

/** The codes of the problems, each with the text at its place. */
function problemsOf(text: string, withModel = true): string[] {
  const { lecture, problems } = parseLecture(text);
  const all = lecture ? lectureProblems(lecture, { layers, ...(withModel && { model }) }) : problems;
  return all.map(({ code, start, end }) => `${code}: ${text.slice(start, end)}`);
}

describe('positions', () => {
  it('name the phases that a step has', () => {
    expect(phaseNames(layers)).toEqual(model.phases.map((phase) => phaseName(layers, phase)));
    // Written out once, independent of both.
    expect(phaseNames(['a', 'b'])).toEqual([
      'zero_grad',
      'forward a',
      'forward b',
      'loss',
      'loss_backward',
      'backward b',
      'backward a',
      'update',
    ]);
  });

  it('count steps as the panel does: within a step, that step is shown', () => {
    expect(namePosition(layers, { step: 0, phase: 0 })).toEqual({ step: 0, phase: null });
    expect(namePosition(layers, { step: 0, phase: 2 })).toEqual({ step: 1, phase: 'forward linear1' });
    expect(namePosition(layers, { step: 7, phase: 0 })).toEqual({ step: 7, phase: null });
  });

  it('lead back to where they were named', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(model.phases.length - 1), (step, phase) => {
        expect(positionOf(layers, namePosition(layers, { step, phase }))).toEqual({ step, phase });
      }),
    );
  });

  it('end the step with its last phase', () => {
    expect(positionOf(layers, { step: 3, phase: 'update' })).toEqual({ step: 3, phase: 0 });
    expect(positionOf(layers, { step: 0, phase: 'loss' })).toBeNull();
    expect(positionOf(layers, { step: 3, phase: 'forward c' })).toBeNull();
  });
});

describe('terms', () => {
  it('name every tensor of a step once, and lead back to it', () => {
    const nodes = namedNodes(model);
    const terms = nodes.map((id) => termOf(model, id));
    expect(new Set(terms).size).toBe(nodes.length);
    expect(terms.map((term) => nodeOfTerm(model, term))).toEqual(nodes);
    expect(terms).toContain('grad(linear2.weight)');
    expect(nodeOfTerm(model, 'linear9.weight')).toBeNull();
  });
});

describe('a lecture', () => {
  it('has stops with defaults, and texts as one string or as lines', () => {
    const { lecture } = parseLecture(
      '{ "spec": "a.nabla.json", "stops": [{ "step": 0 }, { "step": 1, "text": ["# One", "", "two"] }] } // a comment',
    );
    expect(lecture?.stops).toEqual([
      { title: '', text: '', step: 0, phase: null, view: 'network', layer: null, sample: null, highlight: null },
      {
        title: '',
        text: '# One\n\ntwo',
        step: 1,
        phase: null,
        view: 'network',
        layer: null,
        sample: null,
        highlight: null,
      },
    ]);
  });

  it.each([
    ['an empty file', '', ['empty: ']],
    ['no stops', '{ "spec": "a" }', ['missing-key: {']],
    ['an unknown view', lectureOf([{ step: 1, view: 'picture' }]), ['unknown-value: "picture"']],
    ['a negative step', lectureOf([{ step: -1 }]), ['out-of-range: -1']],
    ['a typo in a key', lectureOf([{ step: 1, veiw: 'step' }]), ['unknown-key: "veiw"']],
    ['a step beyond the run', lectureOf([{ step: 161 }]), ['step-beyond-run: 161']],
    ['a missing layer', lectureOf([{ step: 1 }, { step: 1, layer: 'hidden' }]), ['unknown-layer: "hidden"']],
    ['an unknown phase', lectureOf([{ step: 1, phase: 'forward hidden' }]), ['unknown-phase: "forward hidden"']],
    ['a phase before the first step', lectureOf([{ step: 0, phase: 'loss' }]), ['no-step: "loss"']],
    ['a sample beyond the data', lectureOf([{ step: 1, sample: 50 }]), ['unknown-sample: 50']],
    ['an unknown term', lectureOf([{ step: 1, highlight: 'hidden.weight' }]), ['unknown-term: "hidden.weight"']],
    ['nothing wrong', lectureOf([{ step: 160, phase: 'update', sample: 49, highlight: 'linear1.weight' }]), []],
  ])('with %s has its problems at their places', (_, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it('is checked by the names of the spec alone while it has no run', () => {
    const text = lectureOf([{ step: 1e6, layer: 'hidden', highlight: 'hidden.weight', phase: 'forward hidden' }]);
    expect(problemsOf(text, false)).toEqual(['unknown-phase: "forward hidden"', 'unknown-layer: "hidden"']);
  });

  it('suggests the title of a view', () => {
    const { problems } = parseLecture(lectureOf([{ step: 1, view: 'Loss' }]));
    expect(problems.map(({ replacement }) => replacement)).toEqual(['"learn"']);
  });

  it('gives a lecture or problems for every text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((json) => `{"spec":"a","stops":[${json}]}`),
        ),
        (text) => {
          const { lecture, problems } = parseLecture(text);
          expect(lecture === undefined).toBe(problems.length > 0);
          for (const { start, end } of problems) expect(0 <= start && start <= end && end <= text.length).toBe(true);
        },
      ),
    );
  });

  it('gets back every stop that was written to it, exactly', () => {
    fc.assert(
      fc.property(
        fc.record({
          position: fc.record({ step: fc.nat(159), phase: fc.nat(model.phases.length - 1) }),
          view: fc.constantFrom('network' as const, 'step' as const, 'what_if' as const),
          layer: fc.option(fc.nat(2)),
          sample: fc.option(fc.nat(49)),
          highlight: fc.option(fc.constantFrom(...namedNodes(model).map((id) => termOf(model, id)))),
        }),
        fc.string(),
        ({ position, ...selection }, words) => {
          const empty = '{\n  // A comment that stays.\n  "spec": "a.nabla.json",\n  "stops": [\n  ]\n}\n';
          const value = writeStop(model, position, selection, words);
          const text = [0, 1].reduce(
            (before, i) => applyTextEdit(before, editSpec(before, [{ path: ['stops', i], value, insert: true }])),
            empty,
          );
          const { lecture, problems } = parseLecture(text);
          expect(problems).toEqual([]);
          expect(text).toContain('A comment that stays.');
          expect(lecture?.stops).toHaveLength(2);
          for (const stop of lecture?.stops ?? []) {
            expect(resolveStop(stop, model)).toEqual({ position, ...selection });
            expect(stop.text).toBe(words);
          }
        },
      ),
    );
  });
});

describe('the schema for editors', () => {
  it('offers every view with its title', () => {
    const schema = JSON.parse(fs.readFileSync(path.resolve('media/lecture.schema.json'), 'utf8')) as {
      readonly properties: { readonly stops: { readonly items: { readonly properties: { readonly view: unknown } } } };
    };
    expect(JSON.stringify(schema.properties.stops.items.properties.view)).toContain('"output_map"');
    expect(JSON.stringify(schema.properties.stops.items.properties.view)).toContain('The view Output map.');
  });
});
