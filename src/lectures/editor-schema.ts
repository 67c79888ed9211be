// The JSON schema of lecture files for editors, media/lecture.schema.json: for completion and hovers only.
import { createEditorSchema, editorSchemaToText } from '../model-spec';
import { lectureJsonSchema } from './lecture';

export const lectureEditorSchemaText = (): string => editorSchemaToText(createEditorSchema(lectureJsonSchema()));
