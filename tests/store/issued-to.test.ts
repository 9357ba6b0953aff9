import { rmSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseArchipelago } from '../../core/archipelago.ts'
import { parseSpiffeId } from '../../core/identity/spiffe-id.ts'
import { homesOf } from '../../store/homes.ts'
import { openIssuedTo } from '../../store/issued-to.ts'
import { recordIssued } from '../../store/issued.ts'
import { good } from '../core/archipelago/example.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const id = parseSpiffeId('spiffe://ams3.example/workload/billing')
const issued = { identity: id, certifiedUntilMs: Date.parse('2026-06-01T13:00:00.000Z') }
const [one, two, key] = ['1'.repeat(64), '2'.repeat(64), 'a'.repeat(64)] as const

function open(t: ExecutionContext) {
  const homes = homesOf(temporaryFolder(t))
  const clock = { seconds: 1000 }
  const place = { homes, archipelago: parseArchipelago(good, 'archipelago.yaml') }
  const issuedTo = openIssuedTo(place, () => clock.seconds)
  return {
    clock,
    ask: (...digests: string[]) => [...issuedTo(new Set(digests))],
    issue: (sha256: string) =>
      recordIssued(homes, 'ams3', [
        {
          ...{ kind: 'identity', id, holder: 'billing', serial: '40', sha256, spkiSha256: key },
          notBefore: '2026-06-01T11:59:00.000Z',
          notAfter: '2026-06-01T13:00:00.000Z',
        },
      ]),
    lose: () => rmSync(join(homes.data, 'ams3'), { recursive: true }),
  }
}

test('certificates and their keys are led back to whom they were issued to, also while others are added', (t) => {
  const { ask, issue } = open(t)
  issue(one)
  t.deepEqual(ask(one, key), [
    [one, issued],
    [key, issued],
  ])
  issue(two)
  t.deepEqual(ask(two), [[two, issued]])
})

test('what is known is not read again', (t) => {
  const { ask, issue, lose } = open(t)
  issue(one)
  t.is(ask(one).length, 1)
  lose()
  t.deepEqual(ask(one), [[one, issued]])
})

test('nor is what was not found, until five minutes are over', (t) => {
  const { ask, issue, clock } = open(t)
  t.deepEqual(ask(one), [])
  issue(one)
  clock.seconds += 299
  t.deepEqual(ask(one), [])
  clock.seconds += 1
  t.deepEqual(ask(one), [[one, issued]])
})
