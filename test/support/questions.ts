// The questions of the five courses: read from docs/questions, and written as docs/systems.md.
import fs from 'node:fs';
import path from 'node:path';

/** A question that a course asks, an experiment that it makes, or an error in its text. */
export type QuestionKind = 'question' | 'experiment' | 'correction';

/** Where an answer can be seen: an example with a view of the panel, a terminal command, or a page of the docs. */
export type Place =
  { readonly example: string; readonly view: string } | { readonly command: string } | { readonly page: string };

export interface Question {
  /** Unique over all courses, and stable: tests, the panel and lessons refer to it. */
  readonly id: string;
  /** `question` if absent. */
  readonly kind?: QuestionKind;
  readonly question: string;
  /** Two to five sentences; `{name}` stands for a figure. */
  readonly answer: readonly string[];
  /** Measured numbers as they are printed, by name. The course's file in test/questions measures each again. */
  readonly figures?: Readonly<Record<string, string>>;
  readonly see: readonly Place[];
  /** The test of what the answer says, if figures do not say it all; relative to `test/`. */
  readonly test?: string;
}

export interface Course {
  /** `A`. */
  readonly course: string;
  readonly title: string;
  readonly intro: readonly string[];
  readonly questions: readonly Question[];
}

const nameOf = ({ course }: Pick<Course, 'course'>): string => `course-${course.toLowerCase()}`;

/** Tests and scripts run in the folder of the repository. */
export const courses: readonly Course[] = ['a', 'b', 'c', 'd', 'e'].map(
  (course) => JSON.parse(fs.readFileSync(`docs/questions/course-${course}.json`, 'utf8')) as Course,
);

/** The tests that hold an answer, relative to `test/`. */
export const testsOf = (course: Course, { figures, test }: Question): string[] => [
  ...(figures ? [`questions/${nameOf(course)}.test.ts`] : []),
  ...(test === undefined ? [] : [test]),
];

/** The answer with its figures. */
export const answerText = ({ answer, figures = {} }: Question): string =>
  answer.join(' ').replace(/\{(\w+)\}/g, (placeholder, name: string) => figures[name] ?? placeholder);

/** The anchor of a heading, as VS Code's Markdown preview and GitHub compute it. */
export const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/\s+/g, '-')
    .replace(/[^\p{L}\p{N}_-]/gu, '');

function placeText(place: Place): string {
  if ('command' in place) return `\`${place.command}\``;
  if ('page' in place) return `[${place.page.replace(/#.*/, '')}](${place.page})`;
  return `[${place.example}](../examples/${place.example}.nabla.json), view ${place.view}`;
}

const testLink = (test: string): string => `[${path.basename(test)}](../test/${test})`;

const HEADINGS: Readonly<Record<QuestionKind, string>> = {
  question: 'Questions',
  experiment: 'Experiments',
  correction: 'Where the course is wrong',
};

const kindOf = ({ kind = 'question' }: Question): QuestionKind => kind;

function sectionOf(course: Course, kind: QuestionKind): string[] {
  const questions = course.questions.filter((question) => kindOf(question) === kind);
  if (questions.length === 0) return [];
  return [
    `### ${course.course}: ${HEADINGS[kind]}`,
    ...questions.flatMap((question) => [
      `#### ${question.question}`,
      answerText(question),
      `See ${question.see.map(placeText).join('; ')}.`,
    ]),
  ];
}

const tableOf = (course: Course): string =>
  [
    '| question or experiment | where to see it | test |',
    '|---|---|---|',
    ...course.questions.map((question) =>
      [
        '',
        ` [${question.question}](systems.md#${anchorOf(question.question)}) `,
        ` ${question.see.map(placeText).join('; ')} `,
        ` ${testsOf(course, question).map(testLink).join(', ')} `,
        '',
      ].join('|'),
    ),
  ].join('\n');

/** The text of docs/systems.md. */
export function renderSystems(): string {
  const count = courses.reduce((sum, { questions }) => sum + questions.length, 0);
  return [
    '<!-- Generated from docs/questions by `npm run generate`. -->',
    '# Questions and answers',
    `Five courses on neural networks, A to E, ask these ${count} questions and make these experiments. Each answer names ` +
      'the example, the view of the panel or the terminal command that shows it. Every number in an answer was measured, ' +
      'and a test measures it again. Where the text of a course is wrong, the answer says so and shows the right result.',
    'In the formulas, x is an input, y the target, ŷ the prediction, W a weight matrix, b a bias, and l the loss of one ' +
      'sample. ∂l/∂W is the gradient of the loss with respect to W: how much l changes when each number of W changes a little. ' +
      'Samples are rows. The norm of a gradient is the square root of the sum of its squared numbers, and ⊙ multiplies ' +
      'number by number. A sweep trains the network with several settings; a value after ± is the standard deviation ' +
      'over its seeds. Examples with custom layers need permission to run: `--allow-code` in a terminal.',
    courses
      .map((course) => `- [${course.course}. ${course.title}](#${anchorOf(`${course.course}. ${course.title}`)})`)
      .join('\n'),
    ...courses.flatMap((course) => [
      `## ${course.course}. ${course.title}`,
      course.intro.join(' '),
      ...(['question', 'experiment', 'correction'] as const).flatMap((kind) => sectionOf(course, kind)),
    ]),
    '',
  ].join('\n\n');
}

/** The text of docs/systems-tests.md. */
export const renderSystemsTable = (): string =>
  [
    '<!-- Generated from docs/questions by `npm run generate`. -->',
    '# Where each question is answered and tested',
    'Every question, experiment and correction of [the five courses](systems.md), with the place to see it and the test ' +
      'that holds its figures.',
    ...courses.flatMap((course) => [`## ${course.course}. ${course.title}`, tableOf(course)]),
    '',
  ].join('\n\n');
