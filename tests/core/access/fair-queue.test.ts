import test from 'ava'
import fc from 'fast-check'
import { makeFairQueue } from '../../../core/access/fair-queue.ts'

test('whoever floods waits behind himself only', (t) => {
  const queue = makeFairQueue<string>()
  for (const job of ['m1', 'm2', 'm3', 'm4']) queue.push('mallory', job)
  queue.push('alice', 'a1')
  queue.push('bob', 'b1')
  queue.push('bob', 'b2')
  const order = Array.from({ length: 7 }, () => queue.shift())
  t.deepEqual(order, ['m1', 'a1', 'b1', 'm2', 'b2', 'm3', 'm4'])
  t.is(queue.shift(), undefined)
})

test('who comes anew while others wait is served in this round', (t) => {
  const queue = makeFairQueue<string>()
  queue.push('mallory', 'm1')
  queue.push('mallory', 'm2')
  t.is(queue.shift(), 'm1')
  queue.push('alice', 'a1')
  t.deepEqual([queue.shift(), queue.shift()], ['m2', 'a1'])
})

test('a source waits with as many as it may, and no more', (t) => {
  const queue = makeFairQueue<number>({ perSourceMax: 2 })
  t.true(queue.push('mallory', 1))
  t.true(queue.push('mallory', 2))
  t.false(queue.push('mallory', 3))
  t.true(queue.push('alice', 1))
  t.is(queue.shift(), 1)
  t.true(queue.push('mallory', 3))
  t.is(queue.size, 3)
})

test('there are as many sources as there may be; those that wait already may send more', (t) => {
  const queue = makeFairQueue<number>({ sourcesMax: 1 })
  t.true(queue.push('alice', 1))
  t.false(queue.push('bob', 1))
  t.true(queue.push('alice', 2))
})

test('nothing is lost, nothing comes twice, each source in its order', (t) => {
  const source = fc.constantFrom('a', 'b', 'c')
  const step = fc.oneof(
    source.map((from) => ({ from })),
    fc.constant(undefined),
  )
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const queue = makeFairQueue<[string, number]>()
      const [put, got]: [Record<string, number>, Record<string, number>] = [{}, {}]
      const take = (): void => {
        const [from, number] = queue.shift() ?? []
        if (from === undefined) return
        t.is(number, got[from] ?? 0)
        got[from] = (got[from] ?? 0) + 1
      }
      for (const each of steps) {
        if (each === undefined) take()
        else {
          queue.push(each.from, [each.from, put[each.from] ?? 0])
          put[each.from] = (put[each.from] ?? 0) + 1
        }
      }
      while (queue.size > 0) take()
      t.deepEqual(got, put)
    }),
  )
})
