import test from 'ava'
import { startSupercluster } from '../../laptop/supercluster.ts'
import { makeTestNetwork } from './test-network.ts'

test('nine servers and three leafnode servers form one mesh', async (t) => {
  using network = await makeTestNetwork()
  await using supercluster = await startSupercluster(network.options)
  t.log(supercluster.timings)
  t.is(supercluster.observed.length, 9)
})
