import test from 'ava'
import { judgeApplication, parseApplication, type Verdict } from '../../gitops/application.ts'
import { parseCommit } from '../../gitops/revision.ts'

const commit = parseCommit('a'.repeat(40))
const other = 'b'.repeat(40)

interface Said {
  readonly pin?: string
  readonly sync?: [status: string, revision: string]
  readonly health?: string
  readonly operation?: [phase: string, revision: string]
  readonly error?: string
}

function application({ pin = commit, sync, health, operation, error }: Said) {
  return parseApplication({
    spec: { source: { targetRevision: pin } },
    status: {
      ...(sync && { sync: { status: sync[0], revision: sync[1] } }),
      ...(health && { health: { status: health } }),
      ...(operation && {
        operationState: { phase: operation[0], syncResult: { revision: operation[1] } },
      }),
      ...(error && { conditions: [{ type: 'ComparisonError', message: error }] }),
    },
  })
}

const well = { sync: ['Synced', commit], health: 'Healthy' } as const

for (const [title, said, state] of [
  ['Synced, Healthy and succeeded', { ...well, operation: ['Succeeded', commit] }, 'proven'],
  ['nothing to do since another commit', { ...well, operation: ['Succeeded', other] }, 'unproven'],
  ['never an operation, and all is there', well, 'unproven'],
  ['its root has not pulled', { ...well, pin: other, operation: ['Succeeded', other] }, 'waiting'],
  ['compared with another commit', { ...well, sync: ['Synced', other] }, 'waiting'],
  ['hooks still run', { ...well, operation: ['Running', commit] }, 'waiting'],
  ['half of it is missing', { ...well, sync: ['OutOfSync', commit] }, 'waiting'],
  [
    'ill after a success',
    { ...well, health: 'Degraded', operation: ['Succeeded', commit] },
    'waiting',
  ],
  ['not to be compared', { ...well, error: 'no such path' }, 'waiting'],
  ['a sync of another commit runs', { ...well, operation: ['Running', other] }, 'blocked'],
  ['its own sync has failed', { ...well, operation: ['Failed', commit] }, 'failed'],
  ['a sync of another commit has failed', { ...well, operation: ['Failed', other] }, 'unproven'],
] as [string, Said, Verdict['state']][]) {
  test(`${state}: ${title}`, (t) => {
    t.is(judgeApplication(application(said), commit).state, state)
  })
}

test('what is no Application is waited for', (t) => {
  t.is(parseApplication({ kind: 'Secret' }), undefined)
  t.is(judgeApplication(undefined, commit).state, 'waiting')
})
