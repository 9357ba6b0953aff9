import test from 'ava'
import { startSupercluster } from '../../laptop/supercluster.ts'
import { makeBareNetwork } from './bare-network.ts'

test('nine servers and three leafnode servers form one mesh', async (t) => {
  await using network = await makeBareNetwork()
  await using supercluster = await startSupercluster(network.options)
  t.log(supercluster.timings)
  t.is(supercluster.observed.length, 9)
})
