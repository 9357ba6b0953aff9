// Exchanges spelled by hand, sent to the functions of a running network.
import { randomBytes } from 'node:crypto'
import type { AskingExchange } from '../../core/access/ask-exchange.ts'
import type { NetworkRegion } from '../../core/access/network-file.ts'
import { formatCertificates } from '../../core/identity/certificate.ts'
import { sealExchange } from '../../core/access/sealed-exchange.ts'
import { formatTokenAudience } from '../../core/access/token-audience.ts'
import { parseTokenKey } from '../../core/trust/token-key.ts'
import { ams3Cluster } from '../core/access/token-example.ts'
import { serviceAccountClaims } from '../core/access/token-issuer.ts'
import type { TestNetwork } from '../test-network.ts'
import { readRoots } from '../../store/authority-files.ts'
import { openFiles } from '../../store/files.ts'
import { authorityOf, mintSvid } from '../workloads.ts'
import { askHttp, nowSeconds, type Holder, type HttpAnswer } from './ask.ts'
import { placeOf } from './reissue.ts'

export const audienceOf = ({ pair }: Pick<Holder, 'pair'>) =>
  formatTokenAudience('archipelago', pair.publicKey)

/** Of the service account `orders`, for this holder's nkey. */
export const orderClaims = (holder: Pick<Holder, 'pair'>, changes: object = {}) => ({
  ...serviceAccountClaims({ audience: audienceOf(holder), nowSeconds: nowSeconds() }),
  ...changes,
})

/** For the role `orders`, with a token of ams3's cluster. */
export function askingOrders(
  { network }: TestNetwork,
  holder: Holder,
  changes: Partial<AskingExchange> = {},
): AskingExchange {
  return {
    operator: network.operator,
    role: 'orders',
    token: ams3Cluster.sign(orderClaims(holder)),
    ...holder,
    nonce: randomBytes(18).toString('base64url'),
    nowMs: Date.now(),
    ...changes,
  }
}

export function regionOf({ network }: TestNetwork, name: string): NetworkRegion {
  const region = network.file.regions.find((each) => each.name === name)
  if (region === undefined) throw new Error(`no region ${name}`)
  return region
}

export function sealTo(network: TestNetwork, region: string, form: string): Uint8Array {
  const { operator } = network.network
  const { tokenKey = '' } = regionOf(network, region)
  const key = parseTokenKey(tokenKey, { operator, region, nowSeconds: nowSeconds() })
  return sealExchange(form, { region, key })
}

export function postForm(
  network: TestNetwork,
  region: string,
  { form, headers = {} }: { form: string; headers?: object },
): Promise<HttpAnswer> {
  return askHttp(regionOf(network, region).https.identity ?? '', {
    ca: network.network.file.ca,
    body: Buffer.from(form),
    headers: { ...formType, ...headers },
  })
}

const formType = { 'content-type': 'application/x-www-form-urlencoded' }

/** At the door's other listener, as a workload of that region. */
export async function postMutual(
  network: TestNetwork,
  region: string,
  form: string,
): Promise<HttpAnswer> {
  const { archipelago, homes } = network
  const id = `spiffe://${region}.${archipelago.trustDomain}/workload/orders`
  const authority = authorityOf({ data: homes.data, archipelago }, region)
  const { certificate: cert, key } = await mintSvid(id, authority)
  const { host, port } = placeOf(network, { region, door: 'identity' }).mtls
  const ca = formatCertificates(readRoots(openFiles(), homes, 'identity'))
  const body = Buffer.from(form)
  return askHttp(`https://${host}:${port}/token`, { ca, cert, key, body, headers: formType })
}
