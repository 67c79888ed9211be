// What CommonJS provides, for sources that are bundled as ES modules. All bundles are in one folder.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const __filename = fileURLToPath(import.meta.url);
export const __dirname = path.dirname(__filename);
