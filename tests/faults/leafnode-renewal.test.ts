import test from 'ava'
import { parseCreds } from '../../core/trust/creds.ts'
import { readOrRefuse } from '../../store/files.ts'
import { leafnodeCredsFile } from '../../store/leafnode.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork((yaml) =>
    yaml.replace(/(leafnode:\n {2}lifetime:) 24h/, '$1 20s'),
  )
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const cutOffMs = 26_000

function presentCredential() {
  const file = leafnodeCredsFile(network.homes, 'ams3')
  return parseCreds(readOrRefuse(file, 'leafnode credential')).user.claims
}

/** To ams3 the others are as good as gone: their processes neither answer nor close. */
function cutOff(signal: 'SIGSTOP' | 'SIGCONT'): void {
  for (const [name, pid] of [...network.supercluster.pids(), ...network.functions.pids()])
    if (!name.startsWith('ams3-')) process.kill(pid, signal)
}

test('a region that is cut off renews its leafnode past the end of the credential', async (t) => {
  const first = presentCredential()
  t.is((first.exp ?? 0) - first.iat, 20)
  cutOff('SIGSTOP')
  try {
    const started = performance.now()
    while (performance.now() - started < cutOffMs) {
      // When the old credential ends, the hub closes the link and the leafnode dials again.
      const credential = await until('ams3 answers', () =>
        network.request({ region: 'ams3', transport: 'nats' }).catch(() => undefined),
      )
      t.is(credential.region, 'ams3')
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  } finally {
    cutOff('SIGCONT')
  }
  t.true(Date.now() / 1000 > (first.exp ?? Infinity), 'the first credential is over')
  t.true(presentCredential().iat > first.iat)
})
