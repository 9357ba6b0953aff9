import test from 'ava'
import { interleave } from '../../bench/interleave.ts'

test('takes one sample of each in turn, one after the other', async (t) => {
  const taken: string[] = []
  let running = 0
  const take = (name: string) => async () => {
    running += 1
    t.is(running, 1)
    await Promise.resolve()
    running -= 1
    return taken.push(name)
  }
  const samples = await interleave(2, { a: take('a'), b: take('b') })
  t.deepEqual(taken, ['a', 'b', 'a', 'b'])
  t.deepEqual(samples, { a: [1, 3], b: [2, 4] })
})
