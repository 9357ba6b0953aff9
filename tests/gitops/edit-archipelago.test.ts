import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import test from 'ava'
import { parseArchipelago } from '../../core/archipelago.ts'
import { withNodes } from '../../gitops/edit-archipelago.ts'

const example = readFileSync(new URL('../../archipelago.yaml', import.meta.url), 'utf8')
const nodesOf = (text: string, region: string) =>
  parseArchipelago(text, 'archipelago.yaml').regions.find(({ name }) => name === region)?.nodes

test('adds one line, and everything else stays as it was', (t) => {
  const edited = withNodes(example, 'sfo2', ['203.0.113.7', '2001:db8::7'])
  t.deepEqual(nodesOf(edited, 'sfo2'), ['203.0.113.7', '2001:db8::7'])
  t.is(edited.replace("    nodes: [203.0.113.7, '2001:db8::7']\n", ''), example)
})

test('a list that is there is replaced in its place, with the comments around it', (t) => {
  const text = example.replace(
    '  ams3:\n',
    '  ams3:\n    # from the console\n    nodes: [192.0.2.1, 192.0.2.2] # two so far\n',
  )
  t.is(withNodes(text, 'ams3', ['192.0.2.3']), text.replace('192.0.2.1, 192.0.2.2', '192.0.2.3'))
})

test('a list in several lines is replaced whole', (t) => {
  const text = example.replace(
    '  ams3:\n',
    '  ams3:\n    nodes:\n      - 192.0.2.1\n      - 192.0.2.2\n',
  )
  const edited = withNodes(text, 'ams3', ['192.0.2.3'])
  t.deepEqual(nodesOf(edited, 'ams3'), ['192.0.2.3'])
  t.deepEqual(nodesOf(edited, 'sgp1'), [])
})

test('a region in one line stays in one line', (t) => {
  const text = example.replace(
    'ams3:\n    addresses: [ams3.nats.archipelago.example]',
    'ams3: { addresses: [ams3.nats.archipelago.example] }',
  )
  t.deepEqual(nodesOf(withNodes(text, 'ams3', ['192.0.2.3']), 'ams3'), ['192.0.2.3'])
})

test('whatever the addresses, a second run changes nothing', (t) => {
  const addresses = fc.uniqueArray(fc.oneof(fc.ipV4(), fc.ipV6()), { minLength: 1, maxLength: 64 })
  fc.assert(
    fc.property(addresses, fc.constantFrom('ams3', 'sfo2', 'sgp1'), (nodes, region) => {
      const once = withNodes(example, region, nodes)
      return withNodes(once, region, nodes) === once
    }),
    { numRuns: 50 },
  )
  t.pass()
})
