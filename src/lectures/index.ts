// Lecture files: stops in a run, with what the panel shows and what is said. docs/lectures.md describes them.
export { completeLecture, type LectureCompletion } from './completion';
export {
  emptyLecture,
  type Lecture,
  lectureProblems,
  type LectureStop,
  parseLecture,
  type ParsedLecture,
  resolveStop,
  type RunFacts,
  writeStop,
} from './lecture';
export { markdownToHtml } from './markdown';
