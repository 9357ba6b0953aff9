import test from 'ava'
import { formatLink, judgeLinks, type ObservedLink } from '../../../core/identity/link-report.ts'

const nowMs = Date.parse('2026-06-01T12:00:00Z')
const hourMs = 3_600_000
const lifetimesMs = new Map([['ams3-0', hourMs]])
/** When the authority was made; its certificate begins a minute before. */
const madeMs = nowMs - 48 * hourMs
const trustedSinceMs = new Map([['ams3', madeMs - 60_000]])
const route = (startMs: number): ObservedLink => ({
  ...{ kind: 'route', server: 'ams3-0', remote: 'ams3-1', region: 'ams3', startMs },
})
const judge = (link: ObservedLink, ageSecondsMax?: number) =>
  judgeLinks([link], { lifetimesMs, trustedSinceMs, ageSecondsMax, nowMs })

test('a link may outlive its certificate, and it is said', (t) => {
  const { links, findings } = judge(route(nowMs - 2 * hourMs))
  t.deepEqual(findings, [])
  t.deepEqual(links.map(formatLink), [
    'route ams3-0 – ams3-1: identity was checked at 2026-06-01T10:00:00.000Z, ' +
      'under a certificate that has ended (2026-06-01T10:59:00.000Z at the latest)',
  ])
})

test('it may not be older than all authorities that are trusted', (t) => {
  t.deepEqual(judge(route(madeMs)).findings, [])
  t.deepEqual(judge(route(madeMs - 1)).findings, [
    {
      misfit: 'link',
      code: 'ERR_LINK_OLD',
      server: 'ams3-0',
      message:
        'route ams3-0 – ams3-1: since 2026-05-30T11:59:59.999Z, before any authority of ams3 that is trusted',
    },
  ])
})

test('nor older than is wished', (t) => {
  t.deepEqual(judge(route(nowMs - 24 * hourMs), 24 * 3600).findings, [])
  t.deepEqual(
    judge(route(nowMs - 24 * hourMs - 1000), 24 * 3600).findings.map(({ message }) => message),
    ['route ams3-0 – ams3-1: 1 d 0 h old, over 1d'],
  )
})

test('the end of a certificate that is known counts more than a guess', (t) => {
  const known = { ...route(nowMs - 2 * hourMs), certifiedUntilMs: nowMs + 1 }
  const [link] = judge(known).links
  t.like(link, { certifiedUntilMs: nowMs + 1, isOutlived: false })
})

test('nothing is inferred of a server whose certificate was not seen', (t) => {
  const [link] = judge({ ...route(nowMs), server: 'ams3-2' }).links
  t.is(
    link && formatLink(link),
    'route ams3-2 – ams3-1: identity was checked at 2026-06-01T12:00:00.000Z',
  )
})
