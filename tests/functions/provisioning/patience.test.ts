import test from 'ava'
import { openPatience } from '../../../functions/provisioning/patience.ts'

const refusal = new Error('why')

test('waits twice as long after each refusal, ten seconds at most, and is told ever more seldom', (t) => {
  const lines: string[] = []
  const { onHandshake, delayMs } = openPatience(
    (line) => lines.push(line),
    () => 1,
  )
  t.is(delayMs(), 350)
  const delays = Array.from({ length: 9 }, () => {
    onHandshake(refusal)
    return delayMs()
  })
  t.deepEqual(delays, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000])
  t.deepEqual(lines, [
    'alarm: no TLS with the leafnode server: why',
    'alarm: no TLS with the leafnode server: why (2 times)',
    'alarm: no TLS with the leafnode server: why (4 times)',
    'alarm: no TLS with the leafnode server: why (8 times)',
  ])
})

test('a handshake that succeeds makes it as quick as before', (t) => {
  const { onHandshake, delayMs } = openPatience(
    () => {},
    () => 0,
  )
  onHandshake(refusal)
  onHandshake(refusal)
  t.is(delayMs(), 500)
  onHandshake(undefined)
  t.is(delayMs(), 100)
})
