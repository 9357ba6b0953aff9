import test from 'ava'
import { findCommands, readAllCommands } from './command.ts'
import { elsewhere, findUntyped, wordsOf } from './typed.ts'

const markdown = `# Title

Say \`plan\`, or
\`issue-svid --region ams3 --workload
exporter --out exporter.crt\`, of \`--region\` and \`archipelago.yaml\`.

## Blocks

\`\`\`sh
npx node scripts/promote.ts --rollback    # back
\`\`\`

\`\`\`text
npx node scripts/promote.ts
\`\`\`
`

test('what stands between backquotes is a command when it begins with one, and so is a line of a block', (t) => {
  t.deepEqual(
    findCommands('a.md', markdown).map(({ place, heading, text }) => [place, heading, text]),
    [
      ['a.md:3', 'Title', 'plan'],
      ['a.md:4', 'Title', 'issue-svid --region ams3 --workload exporter --out exporter.crt'],
      ['a.md:10', 'Blocks', 'npx node scripts/promote.ts --rollback'],
    ],
  )
})

for (const [text, words] of [
  ['npx node scripts/plan.ts --json', ['plan', '--json']],
  ['node scripts/plan.ts', ['plan']],
  ['npm start', ['start']],
  ['npm -s start -- --once', ['start', '--once']],
  ['npm run image -- --push x', ['image', '--push', 'x']],
  ["git commit --trailer='a: b c'", ['git', 'commit', "--trailer='a: b c'"]],
] as const)
  test(`'${text}' is ${words.join(' ')}`, (t) => t.deepEqual(wordsOf(text), [...words]))

const span = (text: string) => ({ place: '', heading: '', text, isLine: false })
const line = (text: string) => ({ ...span(text), isLine: true })

for (const [title, command, typed, isTyped] of [
  ['a command with more than is said', span('plan'), { words: ['plan', '--json'], code: 0 }, true],
  ['one that fails', span('plan'), { words: ['plan'], code: 1 }, false],
  ['another one', span('plan'), { words: ['apply', 'plan'], code: 0 }, false],
  ['one that changes nothing', span('apply'), { words: ['apply', '--dry-run'], code: 0 }, false],
  [
    'one without a named option',
    span('restore-trust --force'),
    { words: ['restore-trust'], code: 0 },
    false,
  ],
  [
    'one with a name instead of an example',
    span('verify-peer HOST:PORT --expect-id spiffe://ams3.example/x'),
    { words: ['verify-peer', '127.0.0.1:1', '--expect-id', 'spiffe://b/y'], code: 0 },
    true,
  ],
  [
    'one that chooses something else',
    span('roll-authority --root --kind identity'),
    { words: ['roll-authority', '--root', '--kind', 'public'], code: 0 },
    false,
  ],
  [
    'a line that is typed otherwise',
    line('npx node scripts/plan.ts'),
    { words: ['plan'], code: 0 },
    false,
  ],
  [
    'a line to the letter',
    line('npx node scripts/plan.ts'),
    { words: ['plan'], code: 0, line: 'npx node scripts/plan.ts' },
    true,
  ],
] as const)
  test(`${title} ${isTyped ? 'counts' : 'does not count'}`, (t) => {
    t.is(findUntyped([command], [typed]).length, isTyped ? 0 : 1)
  })

test('what nobody can type here stands in a document', (t) => {
  const said = new Set(readAllCommands().map(({ text }) => text))
  t.deepEqual(
    Object.keys(elsewhere).filter((text) => !said.has(text)),
    [],
  )
})

test('what nobody types is found, and there is much to type', (t) => {
  t.true(findUntyped(readAllCommands(), []).length > 100)
})
