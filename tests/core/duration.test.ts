import test from 'ava'
import fc from 'fast-check'
import { formatDuration, parseDuration } from '../../core/duration.ts'
import { quote } from '../../core/quote.ts'

for (const [text, seconds] of [
  ['1s', 1],
  ['30s', 30],
  ['15m', 900],
  ['1h', 3600],
  ['24h', 86_400],
  ['7d', 604_800],
  ['999999999d', 86_399_999_913_600],
] as const) {
  test(`${text} is ${seconds} seconds`, (t) => t.is(parseDuration(text), seconds))
}

for (const text of [
  '',
  's',
  '30',
  '0s',
  '030s',
  '-1s',
  '+1s',
  '1.5h',
  '1e3s',
  '1h30m',
  '1 h',
  ' 1h',
  '1h\n',
  '1H',
  '1w',
  '1ms',
  '1000000000s',
  '١s',
]) {
  test(`refuses ${quote(text)} as a duration`, (t) => {
    t.throws(() => parseDuration(text), {
      code: 'ERR_DURATION_ILLEGAL',
      message: `illegal duration: ${quote(text)}`,
    })
  })
}

for (const [seconds, text] of [
  [59, '59s'],
  [60, '1m'],
  [90, '90s'],
  [3600, '1h'],
  [5400, '90m'],
  [86_400, '1d'],
] as const) {
  test(`${seconds} seconds are written ${text}`, (t) => t.is(formatDuration(seconds), text))
}

for (const seconds of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
  test(`${seconds} seconds cannot be written`, (t) => {
    t.throws(() => formatDuration(seconds), { instanceOf: RangeError })
  })
}

test('what is written is read as the same', (t) => {
  const isSame = (seconds: number) => parseDuration(formatDuration(seconds)) === seconds
  fc.assert(fc.property(fc.integer({ min: 1, max: 999_999_999 }), isSame))
  t.pass()
})

test('no other text is shorter', (t) => {
  const duration = fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom(...'smhd'))
  const isShortest = ([count, unit]: [number, string]) =>
    formatDuration(parseDuration(`${count}${unit}`)).length <= `${count}${unit}`.length
  fc.assert(fc.property(duration, isShortest))
  t.pass()
})
