// Lint: the strict type-aware rules of typescript-eslint, with the exceptions below.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** @type {Record<string, 'readonly'>} */
const nodeGlobals = Object.fromEntries(
  [
    'Buffer',
    'URL',
    'URLSearchParams',
    'clearInterval',
    'clearTimeout',
    'console',
    'fetch',
    'performance',
    'process',
    'setInterval',
    'setTimeout',
    'structuredClone',
  ].map((name) => [name, /** @type {const} */ ('readonly')]),
);
/** Scripts hand functions to pages of a browser, so its names appear there too. */
/** @type {Record<string, 'readonly'>} */
const pageGlobals = { document: 'readonly', indexedDB: 'readonly', Event: 'readonly' };

/** Each folder is linted with the types of the tsconfig that checks it. */
const typed = (files, project) => ({
  files,
  languageOptions: { parserOptions: { project, tsconfigRootDir: import.meta.dirname } },
});

/**
 * AssemblyScript decorates functions, which TypeScript's grammar does not allow: the decorators are blanked. Types are
 * checked by the stage `types` and by AssemblyScript's compiler.
 * @type {import('typescript-eslint').ConfigWithExtends}
 */
const assemblyScript = {
  files: ['assembly/**/*.ts'],
  extends: [tseslint.configs.recommended, tseslint.configs.disableTypeChecked],
  processor: {
    preprocess: (text) => [text.replace(/^\s*@\w+$/gm, (decorator) => ' '.repeat(decorator.length))],
    postprocess: ([messages]) => messages,
  },
  languageOptions: { parserOptions: { project: false, projectService: false } },
  rules: {
    '@typescript-eslint/ban-ts-comment': 'off',
    '@typescript-eslint/consistent-type-imports': 'off',
    '@typescript-eslint/switch-exhaustiveness-check': 'off',
    // Operands have one type, so `==` converts nothing; constants are written with more digits than a double holds.
    eqeqeq: 'off',
    'no-loss-of-precision': 'off',
    // Every variable needs an initial value.
    'no-useless-assignment': 'off',
  },
};

export default tseslint.config(
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
    extends: [tseslint.configs.strictTypeChecked],
    rules: {
      // Numeric loops index typed arrays within their bounds: docs/decisions/0012-strict-types-and-lint.md.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Returning what a callback returns is shorter than a block, and as clear.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // Definitions are objects of functions that do not use `this`.
      '@typescript-eslint/unbound-method': 'off',
      // It takes a field for unchanged after an await, and trusts the types of what comes from outside.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // Handlers of calls are async, so that an error becomes a rejection.
      '@typescript-eslint/require-await': 'off',
      // What is thrown may be anything, and is shown as text.
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      // VS Code's Disposable is implemented by structure.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
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
    // Prettier breaks code, not comments. Texts, templates and patterns stay whole.
    rules: {
      'max-len': [
        'error',
        { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true, ignoreUrls: true },
      ],
    },
  },
  {
    // Tests read untyped JSON and DOM values, and throw what users' code may throw.
    files: ['test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'],
    rules: Object.fromEntries(
      [
        'no-unsafe-assignment',
        'no-unsafe-return',
        'no-unsafe-call',
        'no-unsafe-member-access',
        'no-misused-spread',
        'no-meaningless-void-operator',
        'no-unnecessary-type-assertion',
        'no-unnecessary-boolean-literal-compare',
        'no-unnecessary-type-parameters',
        'no-extraneous-class',
        'only-throw-error',
      ].map((rule) => [`@typescript-eslint/${rule}`, 'off']),
    ),
  },
  {
    // Code in the extension host: a synchronous call would block every other extension.
    files: [
      'src/extension.ts',
      'src/host/**/*.ts',
      'src/test-explorer/**/*.ts',
      'src/process/process-client.ts',
      'src/process/sweep/sweep-store.ts',
      'src/data-files/text-file.ts',
      'src/data-files/replace-file.ts',
      'src/process/message-channel.ts',
      'src/process/output-budget.ts',
    ],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'CallExpression[callee.property.name=/Sync$/], CallExpression[callee.name=/Sync$/]',
          message: 'The extension host must not wait: use the asynchronous function.',
        },
      ],
    },
  },
  assemblyScript,
  {
    // Config files belong to no tsconfig; they are linted without types.
    files: ['*.config.mts', '**/*.d.mts'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { project: false, projectService: false } },
  },
);
