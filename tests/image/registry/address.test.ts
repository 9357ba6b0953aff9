import test from 'ava'
import { parseRegistry, repositoryAt } from '../../../image/registry/address.ts'

for (const [text, origin, repository] of [
  ['registry.example', 'https://registry.example', 'registry.example/functions'],
  [
    'registry.example:5000/a/b-c',
    'https://registry.example:5000',
    'registry.example:5000/a/b-c/functions',
  ],
  ['localhost:5000', 'http://localhost:5000', 'localhost:5000/functions'],
  ['127.0.0.9:5000/a', 'http://127.0.0.9:5000', '127.0.0.9:5000/a/functions'],
  ['[::1]:5000', 'http://[::1]:5000', '[::1]:5000/functions'],
  ['localhost.example', 'https://localhost.example', 'localhost.example/functions'],
  ['127.0.0.1.example', 'https://127.0.0.1.example', '127.0.0.1.example/functions'],
] as const)
  test(`${text} is spoken to at ${origin}`, (t) => {
    const address = parseRegistry(text)
    t.is(address.origin, origin)
    t.is(repositoryAt(address, 'functions'), repository)
  })

for (const text of [
  '',
  'http://registry.example',
  'registry.example/',
  'registry.example/Team',
  'registry.example/team:tag',
  'registry.example/../team',
  'registry.example/team?x=y',
  'registry.example\n/team',
])
  test(`${JSON.stringify(text)} is refused`, (t) => {
    t.throws(() => parseRegistry(text), {
      code: 'ERR_OPTION_ILLEGAL',
      message: /^not a registry and a path, such as registry.example\/team: '/,
    })
  })

for (const text of ['tester:word@registry.example', 'registry.example/team@sha256:abc'])
  test(`${text} is refused without a word of it`, (t) => {
    t.throws(() => parseRegistry(text), {
      code: 'ERR_OPTION_ILLEGAL',
      message: 'no password and no digest stands with a registry',
    })
  })
