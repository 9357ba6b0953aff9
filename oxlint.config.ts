// What the compiler lets pass: doubtful code, and imports against the direction of the folders.
// tests/lint.test.ts plants a breach of each rule of direction and sees it found.
import { defineConfig, type OxlintOverride } from 'oxlint'

// A folder imports from the rows above its own and from itself; tests and bench from everywhere.
const rows = [
  ['core'],
  ['nats', 'store', 'kube'],
  ['requestor'],
  ['laptop', 'functions'],
  ['image', 'gitops'],
  ['scripts', 'chat', 'console'],
  ['tests', 'bench'],
]

const clients = {
  regex: String.raw`^(@nats-io/(nats-core|transport-\w+|services|jetstream|kv|obj)|nats|nats\.ws)(/|$)`,
  message: 'only nats/ imports the clients of nats-server',
}
const detour = {
  regex: String.raw`%|//|/\./|(^|/)(\.|[^/]*[^./][^/]*)/\.\.(/|$)`,
  message: 'a path climbs at its beginning only',
}
const randomness = [
  ...['randomBytes', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID', 'getRandomValues'],
  ...['generateKey', 'generateKeySync', 'generateKeyPair', 'generateKeyPairSync', 'webcrypto'],
  'default',
]

interface Restrictions {
  paths?: { name: string; importNames?: string[]; allowImportNames?: string[] }[]
  patterns: { regex: string; message: string }[]
}

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise', 'node'],
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  env: { es2024: true, node: true },
  ignorePatterns: ['node_modules/', '**/generated/'],
  categories: { correctness: 'error', suspicious: 'error' },
  rules: {
    eqeqeq: 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'import/no-unassigned-import': ['error', { allow: ['reflect-metadata'] }],
    'oxc/no-barrel-file': ['error', { threshold: 0 }],
    'typescript/no-explicit-any': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'unicorn/prefer-node-protocol': 'error',
    // There are no windows here, but workers.
    'unicorn/require-post-message-target-origin': 'off',
    // These find fault with what is meant here: brands, early returns, lists in several
    // lines, loops that end when a callback says so.
    'consistent-return': 'off',
    'no-shadow': 'off',
    'no-underscore-dangle': 'off',
    'no-unmodified-loop-condition': 'off',
    'import/no-named-as-default-member': 'off',
    'typescript/consistent-return': 'off',
    'typescript/no-misused-spread': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/unbound-method': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'unicorn/no-useless-spread': 'off',
  },
  overrides: [
    { files: ['*.config.{js,ts}'], rules: { 'import/no-default-export': 'off' } },
    purity('core'),
    ...[1, 2, 3, 4].map((depth) => aloneness('core', depth)),
    ...rows.slice(1, -1).flatMap((row, above) => row.map((folder) => direction(folder, above + 1))),
  ],
})

/** Sockets, files, environment, clock and randomness come into the folder as arguments. */
function purity(folder: string): OxlintOverride {
  const globals = ['process', 'fetch', 'WebSocket', 'setTimeout', 'setInterval', 'performance']
  return {
    files: [`${folder}/**`],
    rules: {
      'no-console': 'error',
      'no-restricted-globals': ['error', { globals, checkGlobalObject: true }],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now' },
        { object: 'Math', property: 'random' },
        { object: 'crypto', property: 'getRandomValues' },
        { object: 'crypto', property: 'randomUUID' },
      ],
      'import/no-nodejs-modules': ['error', { allow: ['node:crypto', 'node:net', 'node:zlib'] }],
    },
  }
}

/** A file at this depth does not climb out of the folder. */
function aloneness(folder: string, depth: number): OxlintOverride {
  const outside = {
    regex: String.raw`^(\.\./){${depth}}`,
    message: `${folder} imports nothing of the project but itself`,
  }
  return restrictImports(`${folder}${'/*'.repeat(depth)}.ts`, {
    paths: [
      { name: 'node:net', allowImportNames: ['isIP', 'isIPv4', 'isIPv6'] },
      { name: 'node:crypto', importNames: randomness },
    ],
    patterns: [outside, clients],
  })
}

function direction(folder: string, row: number): OxlintOverride {
  const beside = (rows[row] ?? []).filter((other) => other !== folder)
  const forbidden = [...beside, ...rows.slice(row + 1).flat()].join('|')
  const against = {
    regex: String.raw`^(\.\./)+(${forbidden})/`,
    message: `${folder} imports from ${rows.slice(0, row).flat().join(', ')} only`,
  }
  return restrictImports(`${folder}/**`, {
    patterns: folder === 'nats' ? [against] : [against, clients],
  })
}

function restrictImports(files: string, { paths = [], patterns }: Restrictions): OxlintOverride {
  const rule = { paths, patterns: [...patterns, detour] }
  return { files: [files], rules: { 'no-restricted-imports': ['error', rule] } }
}
