// Every question of the courses has an answer, places that exist, and a test; ids and headings are unique.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands';
import { parseCall } from '../../src/cli/parse-args';
import { panelQuestions } from '../../src/protocol/questions';
import { names, textOf } from '../support/examples';
import { readFigure } from '../support/figures';
import {
  anchorOf,
  answerText,
  courses,
  type Course,
  type Question,
  renderSystems,
  renderSystemsTable,
  testsOf,
} from '../support/questions';

const root = path.resolve(__dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const all: readonly (readonly [id: string, Question, Course])[] = courses.flatMap((course) =>
  course.questions.map((question) => [question.id, question, course] as const),
);
const places = all.flatMap(([id, { see }]) => see.map((place) => [id, place] as const));

/** The titles of the panel's views. */
const views = [...read('webview/views/index.ts').matchAll(/from '(\.\/[\w-]+)'/g)].map(([, file]) => {
  const [, title] = /^ {2}title: '([^']+)',$/m.exec(read(`webview/views/${file}.ts`)) ?? [];
  return title;
});

/** The words of a command line, without quotes. */
const words = (line: string): string[] =>
  [...line.matchAll(/(['"])(.*?)\1|(\S+)/g)].map(([, , quoted, plain]) => quoted ?? plain);

const repeated = (values: readonly string[]): string[] => values.filter((value, i) => values.indexOf(value) !== i);

/** Examples that belong to no course. */
const OTHERS: readonly string[] = [
  'adding',
  'auxiliary-head',
  'blocks',
  'char-gpt',
  'custom-layer',
  'custom-layer-with-a-bug',
  'custom-loss',
  'custom-loss-with-a-bug',
  'marbles',
  'one-neuron',
  'padding',
  'tied-autoencoder',
  'two-towers',
  'vanishing-gradients',
  'worked-example-1',
  'xor',
];

describe('the questions of the courses', () => {
  it('are those of five courses', () => {
    expect(courses.map(({ course }) => course)).toEqual(['A', 'B', 'C', 'D', 'E']);
    const questions = all.filter(([, { kind }]) => kind === undefined);
    expect(questions.length).toBeGreaterThanOrEqual(120);
  });

  it('have unique ids and headings', () => {
    expect(repeated(all.map(([id]) => id))).toEqual([]);
    expect(repeated(all.map(([, { question }]) => anchorOf(question)))).toEqual([]);
    expect(all.filter(([id]) => !/^[a-z][a-z0-9-]*$/.test(id))).toEqual([]);
  });

  it.each(all)('%s: two to five sentences, with every figure used', (_id, question) => {
    const { answer, figures = {} } = question;
    expect(answer.length).toBeGreaterThanOrEqual(2);
    expect(answer.length).toBeLessThanOrEqual(5);
    expect(answer.filter((sentence) => !/[.?]$/.test(sentence))).toEqual([]);
    const used = new Set([...answer.join(' ').matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    expect([...used].sort()).toEqual(Object.keys(figures).sort());
    expect(answerText(question)).not.toMatch(/[{}]/);
    for (const text of Object.values(figures)) expect(Number.isFinite(readFigure(text).value)).toBe(true);
  });

  it.each(all)('%s: a place to see it, and a test that names it', (id, question, course) => {
    expect(question.see.length).toBeGreaterThan(0);
    const tests = testsOf(course, question);
    expect(tests.length).toBeGreaterThan(0);
    for (const test of tests) {
      const text = read(`test/${test}`);
      // Tests of this folder name the question that they hold; others hold the whole example.
      if (test.startsWith('questions/')) expect(text).toMatch(new RegExp(`(^  |')${id}('|: )`, 'm'));
      else expect(text).toContain('it(');
    }
  });

  it('name examples, views and pages that exist', () => {
    expect(views.length).toBeGreaterThanOrEqual(15);
    expect(views).not.toContain(undefined);
    for (const [id, place] of places) {
      if ('example' in place) {
        expect([id, names.includes(place.example), views.includes(place.view)]).toEqual([id, true, true]);
      } else if ('page' in place) {
        const [file, anchor] = place.page.split('#');
        const headings = [...read(`docs/${file}`).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading));
        expect([id, headings.includes(anchor)]).toEqual([id, true]);
      }
    }
  });

  it.each(names)('%s: its comment names a view that shows it', (name) => {
    const text = textOf(name);
    const comment = text.slice(0, text.indexOf('\n{')).replaceAll('\n// ', ' ');
    const named = [...comment.matchAll(/\bviews? ([A-Z]\w+(?: if| map)?)(?: and ([A-Z]\w+(?: if| map)?))?/g)];
    const titles = named.flatMap(([, ...each]) => each).filter((title) => title !== undefined);
    expect(titles).not.toEqual([]);
    expect(titles.filter((title) => !views.includes(title))).toEqual([]);
  });

  it('name terminal commands that run', async () => {
    for (const [id, place] of places) {
      if (!('command' in place)) continue;
      const [program, ...argv] = words(place.command);
      expect([id, program]).toEqual([id, 'nablascope']);
      const call = await parseCall(argv, commands);
      expect([id, call.kind]).toEqual([id, 'run']);
      if (call.kind !== 'run') continue;
      const { file } = call.args;
      expect([id, existsSync(path.join(root, file))]).toEqual([id, true]);
      const isCustom = /"module":/.test(read(file));
      expect([id, call.args.allowCode]).toEqual([id, isCustom]);
    }
  });

  it('name every example that belongs to a course', () => {
    const named = new Set(places.flatMap(([, place]) => ('example' in place ? place.example : [])));
    expect(names.filter((name) => !named.has(name)).sort()).toEqual(OTHERS);
  });

  it('are asked by the panel in the same words', () => {
    const byId = new Map(all.map(([id, { question }]) => [id, question]));
    for (const [id, question] of Object.entries(panelQuestions)) expect([id, byId.get(id)]).toEqual([id, question]);
  });

  it('are the source of docs/systems.md, in which every link to a heading has one', () => {
    const text = renderSystems();
    const table = renderSystemsTable();
    const headings = new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading)));
    const links = [...`${text}${table}`.matchAll(/\]\((?:systems\.md)?#([^)]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.length).toBeGreaterThan(150);
    expect(links.filter((anchor) => !headings.has(anchor))).toEqual([]);
  });
});
