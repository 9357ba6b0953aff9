import test from 'ava'
import { quote } from '../../../core/quote.ts'
import { edited, file, good, refusalOf } from './example.ts'

for (const [passage, by, lines] of [
  ['ams3:', '__proto__:', ["7:3: unknown key: '__proto__'"]],
  ['ports:', 'ports: &p', ["16:3: anchors are not allowed: '&p'"]],
  ['ports:', 'ports: !!map', ["16:3: tags are not allowed: 'tag:yaml.org,2002:map'"]],
  ['network:', '%YAML 1.1\n---\nnetwork:', ['1:1: YAML directives are not allowed']],
  ['network:', '%TAG ! x:\n---\nnetwork:', ['1:1: YAML directives are not allowed']],
  ['network: archipelago', 'network: *a', ["3:10: aliases are not allowed: '*a'"]],
  ['network: archipelago', 'network: archipelago\nnetwork: b', ["4:1: duplicate key: 'network'"]],
  ['  sfo2:', '  ams3:', ["9:3: duplicate key: 'ams3'"]],
  ['accounts:', '---\naccounts:', ['42:1: more than one YAML document']],
  ['ports:\n', 'ports:\n\t', ['16:1: not legal YAML: tabs are not allowed as indentation']],
  [
    'network: archipelago',
    'network: "archipelago',
    [`${good.split('\n').length}:1: not legal YAML: missing closing "quote`],
  ],
  [
    'network: archipelago',
    '? [a]\n: b',
    ['3:3: not legal YAML: with stringKeys, all keys must be strings'],
  ],
  ['network: archipelago', 'network: !secret x', ['3:10: not legal YAML: unresolved tag: !secret']],
  ['network: archipelago', '<<: {network: a}', ['3:1: network: missing', "3:1: '<<': unknown key"]],
] as const) {
  test(`refuses ${quote(by)} for ${quote(passage)}`, (t) => {
    t.deepEqual(
      refusalOf(edited(passage, by)),
      lines.map((line) => `${file}:${line}`),
    )
  })
}
