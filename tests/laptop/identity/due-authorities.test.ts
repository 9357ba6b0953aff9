import test from 'ava'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { ensureCertificates } from '../../../laptop/identity/certificates.ts'
import { laptopPlace } from '../../../laptop/identity/make-authorities.ts'
import { rollAuthorities } from '../../../laptop/identity/roll-authority.ts'
import { ownerOf, rollRoot } from '../../../laptop/identity/roll-root.ts'
import { keepAuthorities } from '../../../laptop/network/keep-authorities.ts'
import { describeRoll, dueAuthorities, rollStopped } from '../../../laptop/network/roll-network.ts'
import { Refusal } from '../../../core/errors.ts'
import { readIntermediates } from '../../../store/authority-files.ts'
import { openFiles } from '../../../store/files.ts'
import { homesOf } from '../../../store/homes.ts'
import { good } from '../../core/archipelago/example.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { until } from '../../until.ts'

const archipelago = parseArchipelago(good, 'archipelago.yaml')
const dayMs = 86_400_000

test('with 30 days left every authority is due, and none before', async (t) => {
  const homes = homesOf(temporaryFolder(t))
  const nowMs = Date.now()
  await ensureCertificates({ homes, archipelago, nowMs, isStopped: true }, [])
  t.deepEqual(dueAuthorities({ homes, archipelago }, nowMs + 59.9 * dayMs), [])
  const due = dueAuthorities({ homes, archipelago }, nowMs + 60.1 * dayMs)
  t.deepEqual(
    due.map(({ region, kind }) => `${region} ${kind}`),
    ['identity', 'public'].flatMap((kind) =>
      archipelago.regions.map(({ name }) => `${name} ${kind}`),
    ),
  )
})

test('the authority of before stays trusted until all that it signed has ended', async (t) => {
  const homes = homesOf(temporaryFolder(t))
  const nowMs = Date.now()
  await ensureCertificates({ homes, archipelago, nowMs, isStopped: true }, [])
  const place = laptopPlace('ams3', 'identity')
  const clock = { nowMs }
  let confirmed = 0
  const rollover = {
    ...{ homes, archipelago, nowMs: () => clock.nowMs, report: () => {} },
    confirm: async () => void (confirmed += 1),
  }
  const known = () => readIntermediates(openFiles(), homes, place).length
  await rollAuthorities(rollover, [place], { isPatient: true })
  t.deepEqual([known(), confirmed], [2, 2])
  const hourMs = 3_600_000
  t.deepEqual(dueAuthorities({ homes, archipelago }, nowMs + hourMs), [])
  clock.nowMs += hourMs + 11 * 60_000
  t.deepEqual(dueAuthorities({ homes, archipelago }, clock.nowMs), [place])
  await rollAuthorities(rollover, [place], { isPatient: true })
  t.is(known(), 1)
  t.deepEqual(dueAuthorities({ homes, archipelago }, clock.nowMs), [])
})

test('while nothing runs an authority is replaced at once; an unknown region is refused', async (t) => {
  const homes = homesOf(temporaryFolder(t))
  const owner = { homes, archipelago }
  await ensureCertificates({ ...owner, nowMs: Date.now(), isStopped: true }, [])
  const request = { kind: 'identity', region: 'ams3' } as const
  const before = describeRoll(owner, request)
  const after = await rollStopped(owner, request, () => {})
  t.is(after.stage, 'steady')
  t.is(after.authorities[0]?.serials.length, 1)
  t.notDeepEqual(after.authorities, before.authorities)
  const root = await rollStopped(owner, { kind: 'identity' }, () => {})
  t.is(root.roots.length, 1)
  t.notDeepEqual(root.roots, before.roots)
  await t.throwsAsync(
    rollStopped(owner, { ...request, region: 'ams4' }, () => {}),
    {
      code: 'ERR_REGION_UNKNOWN',
      message: "unknown region: 'ams4' (ams3, sfo2, sgp1)",
    },
  )
})

test('a root that was cut off while it was used is finished at the next start', async (t) => {
  const homes = homesOf(temporaryFolder(t))
  const owner = { homes, archipelago }
  const start = () => ensureCertificates({ ...owner, nowMs: Date.now(), isStopped: true }, [])
  await start()
  const request = { kind: 'identity' } as const
  await rollStopped(owner, { ...request, isOnlyPublished: true }, () => {})
  await start()
  // Only known: outside clients may still have to be told.
  t.is(describeRoll(owner, request).stage, 'published')
  let confirmed = 0
  const cutOff = async (): Promise<void> => {
    confirmed += 1
    if (confirmed === 2) throw new Error('cut off')
  }
  await t.throwsAsync(
    rollRoot(ownerOf({ ...owner, nowMs: Date.now, confirm: cutOff, report: () => {} }), request),
    { message: 'cut off' },
  )
  t.is(describeRoll(owner, request).stage, 'adopted')
  const { roots } = describeRoll(owner, request)
  await start()
  const finished = describeRoll(owner, request)
  t.is(finished.stage, 'steady')
  t.deepEqual(finished.roots, roots.slice(0, 1))
})

test('a look that fails is told, one that finds the network busy is not, and the next one follows', async (t) => {
  const lines: string[] = []
  const outcomes = [new Refusal('ERR_BUSY', 'busy'), new Error('no disk')]
  let looks = 0
  const look = () => {
    looks += 1
    const outcome = outcomes.shift()
    return outcome === undefined ? Promise.resolve() : Promise.reject(outcome)
  }
  {
    await using _keeping = keepAuthorities(look, (line) => lines.push(line), { pauseMs: 5 })
    await until('three looks', () => looks >= 3)
  }
  t.deepEqual(lines, ['an authority is not replaced: no disk'])
})
