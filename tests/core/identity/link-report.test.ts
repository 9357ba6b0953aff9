import test from 'ava'
import { formatLink, judgeLinks, type ObservedLink } from '../../../core/identity/link-report.ts'

const nowMs = Date.parse('2026-06-01T12:00:00Z')
const hourMs = 3_600_000
const lifetimesMs = new Map([['ams3-0', hourMs]])
const route = (startMs?: number): ObservedLink => ({
  kind: 'route',
  server: 'ams3-0',
  remote: 'ams3-1',
  ...(startMs !== undefined && { startMs }),
})
const judge = (link: ObservedLink) => judgeLinks([link], { lifetimesMs, nowMs })

test('a link as old as a certificate can be is no finding, a second more is one', (t) => {
  t.deepEqual(judge(route(nowMs - hourMs)).findings, [])
  t.deepEqual(judge(route(nowMs - hourMs - 61_000)).findings, [
    {
      misfit: 'link',
      code: 'ERR_LINK_OLD',
      message: 'route ams3-0 – ams3-1: its certificate ended 1 m ago at the latest',
    },
  ])
})

test('what is inferred stands beside what was observed', (t) => {
  const [link] = judge(route(nowMs)).links
  t.is(link?.certifiedUntilMs, nowMs + hourMs)
  t.is(
    link && formatLink(link),
    'route ams3-0 – ams3-1: since 2026-06-01T12:00:00.000Z, certified until 2026-06-01T13:00:00.000Z',
  )
})

test('nothing is inferred without a start, or of a server whose certificate was not seen', (t) => {
  for (const link of [route(), { ...route(0), server: 'ams3-2' }]) {
    const { links, findings } = judge(link)
    t.deepEqual([links, findings], [[link], []])
  }
  t.is(formatLink(route()), 'route ams3-0 – ams3-1: start is not reported')
})
