// Lint, type-aware where it pays: promises that nobody waits for, and imports that only types need.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const nodeGlobals = Object.fromEntries(
  [
    'Buffer', 'URL', 'URLSearchParams', 'clearInterval', 'clearTimeout', 'console', 'fetch', 'performance', 'process',
    'setInterval', 'setTimeout', 'structuredClone',
  ].map((name) => [name, 'readonly']),
);
/** Scripts hand functions to pages of a browser, so its names appear there too. */
const pageGlobals = { document: 'readonly', indexedDB: 'readonly', Event: 'readonly' };

/** Each folder is linted with the types of the tsconfig that checks it. */
const typed = (files, project) => ({
  files,
  languageOptions: { parserOptions: { project, tsconfigRootDir: import.meta.dirname } },
});

/**
 * AssemblyScript has decorators where TypeScript has none, so nothing of it is linted; its own compiler checks it. It is
 * not among `ignores` because a file named on the command line would then be a warning.
 */
const notLinted = { files: ['assembly/**/*.ts'], processor: { preprocess: () => [], postprocess: () => [] } };

export default tseslint.config(
  notLinted,
  { ignores: ['node_modules/', 'dist/', 'out/', '.vscode-test/', 'coverage/', 'media/'] },
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: { ...nodeGlobals, ...pageGlobals } },
  },
  typed(['src/**/*.ts'], './tsconfig.json'),
  typed(['webview/**/*.ts'], './tsconfig.webview.json'),
  typed(['test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'], './tsconfig.test.json'),
  {
    files: ['**/*.ts', '**/*.mts'],
    extends: [tseslint.configs.recommended],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
    },
  },
  {
    // Config files belong to no tsconfig; they are linted without types.
    files: ['*.config.mts', '**/*.d.mts'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { project: false, projectService: false } },
  },
);
