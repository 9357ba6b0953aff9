// What is refused before anything is made; the rest is in tests/cluster/image.
import test from 'ava'
import { runScript } from '../run-script.ts'

for (const [registry, reason] of [
  [
    'https://registry.example',
    "not a registry and a path, such as registry.example/team: 'https://registry.example'",
  ],
  ['tester:word@registry.example', 'no password and no digest stands with a registry'],
] as const)
  test(`images are not pushed to ${registry}`, async (t) => {
    const { code, stderr } = await runScript('image', ['--push', registry])
    t.is(code, 1)
    t.is(stderr, `image: ${reason}\n`)
  })
