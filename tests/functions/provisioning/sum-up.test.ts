import test from 'ava'
import { openSums } from '../../../functions/provisioning/sum-up.ts'
import { until } from '../../until.ts'

function sumUp(options: { pauseMs?: number; whoMax?: number } = {}) {
  const put: [who: string, times: number][] = []
  const sums = openSums<string>({
    put: (one, times) => put.push([one, times]),
    ofOthers: () => 'others',
    ...options,
  })
  const add = (who: string, what = 'rule') => sums.add(who, { who, what })
  return { put, add, [Symbol.dispose]: () => sums[Symbol.dispose]() }
}

test('the first is put at once, and a million like it are one', (t) => {
  const sums = sumUp()
  for (let at = 0; at < 1_000_000; at += 1) sums.add('a')
  t.deepEqual(sums.put, [['a', 1]])
  sums[Symbol.dispose]()
  t.deepEqual(sums.put, [
    ['a', 1],
    ['a', 999_999],
  ])
})

test('neither another asker nor another rule is counted with it', (t) => {
  using sums = sumUp()
  sums.add('a')
  sums.add('b')
  sums.add('a', 'other rule')
  t.deepEqual(sums.put, [
    ['a', 1],
    ['b', 1],
    ['a', 1],
  ])
})

test('whoever comes with a thousand addresses gets no thousand lines, and none is left out', (t) => {
  const sums = sumUp({ whoMax: 3 })
  for (let at = 0; at < 1_000; at += 1) sums.add(`#${at}`)
  sums.add('#1')
  sums[Symbol.dispose]()
  t.deepEqual(sums.put, [
    ['#0', 1],
    ['#1', 1],
    ['#2', 1],
    ['others', 1],
    ['#1', 1],
    ['others', 996],
  ])
})

test('after the pause the sum is put, and the next is a first again', async (t) => {
  using sums = sumUp({ pauseMs: 1 })
  sums.add('a')
  sums.add('a')
  await until('the sum', () => sums.put.length === 2)
  sums.add('a')
  t.deepEqual(sums.put, [
    ['a', 1],
    ['a', 1],
    ['a', 1],
  ])
})
