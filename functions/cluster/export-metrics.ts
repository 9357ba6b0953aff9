// The monitor of a region: what its servers say of themselves, for Prometheus.
import { parseNetworkFile } from '../../core/access/network-file.ts'
import { formatUrl } from '../../core/network/endpoint.ts'
import { placeClusters } from '../../core/network/kubernetes.ts'
import { requireRegion } from '../../core/known-region.ts'
import { openFiles, readOrRefuse } from '../../store/files.ts'
import { mintMonitor } from '../../store/monitor.ts'
import { publicFiles, readOperator } from '../../store/public.ts'
import { need } from '../provisioning/needed-variable.ts'
import { toldToStop } from '../provisioning/told-to-stop.ts'
import { parseClusterEnvironment, readOwnArchipelago } from './environment.ts'
import { startExporter } from './exporter.ts'
import { readRegionMetrics, type FiguresSource } from './region-figures.ts'
import { reportOnce } from './report-once.ts'
import { runInCluster } from './run-in-cluster.ts'

async function main(): Promise<void> {
  const source = openSource(process.env)
  const port = Number(need(process.env, 'METRICS_PORT'))
  const read = () => readRegionMetrics(source)
  await using _exporter = await startExporter({ host: '0.0.0.0', port, read })
  await toldToStop()
}

function openSource(env: NodeJS.ProcessEnv): FiguresSource {
  const environment = parseClusterEnvironment(env)
  const archipelago = readOwnArchipelago(environment)
  const { region } = environment
  const { addresses } = requireRegion(archipelago.regions, region)
  const places = placeClusters(archipelago)
  const { servers } = requireRegion(places, region)
  const [folder, home] = [need(env, 'ARCHIPELAGO_PUBLIC'), need(env, 'MONITOR_HOME')]
  const [serverName = ''] = addresses
  return {
    region,
    servers: servers.map(({ name }) => name),
    peers: places.map(({ name }) => name).filter((name) => name !== region),
    target: () => {
      const text = readOrRefuse(publicFiles.network(folder, archipelago.network), 'network file')
      return {
        servers: servers.map(({ client, route }) => formatUrl({ ...client, host: route.host })),
        ...{ serverName, ca: parseNetworkFile(text).file.ca },
      }
    },
    mint: () => {
      const account = readOperator(folder).claims.nats.system_account
      const nowSeconds = Math.floor(Date.now() / 1000)
      return mintMonitor({ files: openFiles(), home }, { region, account }, nowSeconds)
    },
    report: reportOnce((line) => console.log(`export-metrics: ${line}`)),
  }
}

runInCluster('export-metrics', main)
