// The schema of a lecture file. It validates and gives the types; completion and hovers are generated from it.
import * as z from 'zod/mini';
import { type ViewId, viewTitles } from '../protocol/views';

export const MAX_STOPS = 500;
const MAX_TEXT_LENGTH = 20_000;

const viewIds = Object.keys(viewTitles) as [ViewId, ...ViewId[]];

const stop = z.strictObject({
  title: z._default(z.string().check(z.maxLength(200), z.describe('A heading above the text.')), ''),
  text: z._default(
    z
      .union([
        z.string().check(z.maxLength(MAX_TEXT_LENGTH)),
        z.array(z.string().check(z.maxLength(MAX_TEXT_LENGTH))).check(z.maxLength(MAX_STOPS)),
      ])
      .check(z.describe('What is said here, in Markdown: one text, or a list of its lines.')),
    '',
  ),
  step: z
    .int()
    .check(z.gte(0), z.describe('The step that is shown, counted from 1 as in the panel; 0 before the first step.')),
  phase: z.optional(
    z
      .string()
      .check(
        z.describe(
          'The last phase that is done in this step: `zero_grad`, `forward hidden`, `loss`, `loss_backward`, ' +
            '`backward hidden` or `update`, with the name of a layer for `hidden`. Without it, the whole step is done.',
        ),
      ),
  ),
  view: z._default(
    z.enum(viewIds).check(
      z.describe('The view of the panel.'),
      z.meta({
        enumDescriptions: viewIds.map((id) => `The view ${viewTitles[id]}.`),
        valueAliases: Object.fromEntries(viewIds.map((id) => [id, [viewTitles[id]]])),
      }),
    ),
    'network',
  ),
  layer: z.optional(z.string().check(z.describe('The name of the selected layer.'))),
  sample: z.optional(
    z
      .int()
      .check(
        z.gte(0),
        z.describe('The sample that views follow, by its index in the data. By default, the first of the batch.'),
      ),
  ),
  highlight: z.optional(
    z
      .string()
      .check(
        z.describe(
          'The term that is highlighted in formula, picture, spec and data: `input`, `hidden.weight`, ' +
            '`hidden.output`, `grad(hidden.weight)`, `loss`, … By default, what the phase computes.',
        ),
      ),
  ),
});

export const lectureSchema = z.strictObject({
  $schema: z.optional(z.string().check(z.describe('The schema of this file, for editors.'))),
  title: z._default(z.string().check(z.maxLength(200), z.describe('The title of the lecture.')), ''),
  spec: z.string().check(z.minLength(1), z.describe('The spec whose run is shown, as a path relative to this file.')),
  stops: z
    .array(stop)
    .check(z.maxLength(MAX_STOPS), z.describe('The stops, in order. Next and Back move between them.')),
});

export type WrittenStop = z.infer<typeof stop>;
