import test from 'ava'
import { median, quantile, ratios } from '../../bench/statistics.ts'

for (const [samples, share, value] of [
  [[7], 0.5, 7],
  [[3, 1, 2], 0.5, 2],
  [[4, 1, 3, 2], 0.5, 2.5],
  [[10, 20], 0.25, 12.5],
  [[1, 2, 3], 0, 1],
  [[1, 2, 3], 1, 3],
] as const)
  test(`the quantile ${share} of ${samples.join(', ')} is ${value}`, (t) => {
    t.is(quantile(samples, share), value)
  })

test('the order of samples does not matter, and is kept', (t) => {
  const samples = [3, 1, 2]
  t.is(median(samples), 2)
  t.deepEqual(samples, [3, 1, 2])
})

test('no samples have no quantile', (t) => {
  t.throws(() => quantile([], 0.5), { instanceOf: RangeError })
})

test('samples are compared with those of the same round', (t) => {
  t.deepEqual(ratios([10, 30], [5, 10]), [2, 3])
})
