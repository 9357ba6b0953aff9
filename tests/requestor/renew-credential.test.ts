import test from 'ava'
import { renewCredential } from '../../requestor/renew-credential.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

test('a member renews over its own connection, for the same key and name', async (t) => {
  const current = await network.request({ region: 'sfo2' })
  await using nc = await network.connect(current, 'sfo2')
  await new Promise((resolve) => setTimeout(resolve, 1100))
  const next = await renewCredential(nc, { network: network.network, current })
  t.is(next.creds.user.claims.sub, current.creds.user.claims.sub)
  t.is(next.creds.user.claims.name, 'alice')
  t.is(next.region, 'sfo2')
})
