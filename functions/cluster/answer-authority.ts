// Runs in every region's cluster: brings its requests for authorities to where the operator reads them, and
// what he signed to where cert-manager waits for it.
import { setTimeout as delay } from 'node:timers/promises'
import { openCluster } from '../../kube/cluster.ts'
import { toldToStop } from '../provisioning/told-to-stop.ts'
import { answerAuthorities } from './authority-answers.ts'
import { parseClusterEnvironment, readOwnArchipelago } from './environment.ts'
import { runInCluster } from './run-in-cluster.ts'
import { reportOnce } from './report-once.ts'

const pauseMs = 5_000

async function main(): Promise<void> {
  const environment = parseClusterEnvironment(process.env)
  const { region, namespace } = environment
  const report = reportOnce((line) => console.log(`answer-authority: ${line}`))
  const answering = {
    ...{ region, report, nowMs: Date.now, archipelago: readOwnArchipelago(environment) },
    ...{ cluster: openCluster(namespace), inNamespace: openCluster },
  }
  const stop = new AbortController()
  void toldToStop().then(() => stop.abort())
  while (!stop.signal.aborted) {
    // A cluster that does not answer now does so later: Kubernetes need not start this anew.
    await answerAuthorities(answering).catch((error: unknown) => report(String(error)))
    await delay(pauseMs, undefined, { signal: stop.signal }).catch(() => {})
  }
}

runInCluster('answer-authority', main)
