import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import prettier from 'eslint-plugin-prettier/recommended';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * The Jupyter plugin's advice, all of it as errors: signals that leak and
 * strings that nobody can translate are defects here.
 */
const jupyterRules = jupyter.configs.recommended.map(config => ({
  ...config,
  plugins: { jupyter },
  rules: Object.fromEntries(
    Object.entries(config.rules).map(([rule, level]) => [
      rule,
      level === 'off' ? 'off' : 'error'
    ])
  )
}));

export default defineConfig([
  {
    ignores: [
      '**/node_modules',
      'lib',
      'secure_ml_ext',
      '.venv*',
      '**/generated'
    ]
  },
  ...jupyterRules,
  {
    files: ['labextension/**/*.ts', 'labextension/**/*.tsx', 'tests/ui/*.ts'],
    extends: [js.configs.recommended, tseslint.configs.recommended, prettier],
    rules: {
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          custom: { regex: '^I[A-Z]', match: true }
        }
      ],
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none' }],
      // The whole front end is one small file, and all of it is needed when a
      // notebook opens: a second request would cost more than it saves.
      'jupyter/prefer-lazy-imports': [
        'error',
        { ignoreImports: ['../model/*', '../view/*', './adapters'] }
      ],
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'max-lines': ['error', 400],
      'prefer-arrow-callback': ['error', { allowNamedFunctions: true }]
    }
  }
]);
