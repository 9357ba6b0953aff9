// A workload exchanges its certificate for a credential of its own key: the certificate is the subject,
// and the connection proves that it is the workload's.
import { hash } from 'node:crypto'
import { regionsFrom, type NetworkRegion } from '../core/access/network-file.ts'
import { Refusal } from '../core/errors.ts'
import { parseCertificates } from '../core/identity/certificate.ts'
import { isFunctionOf } from '../core/identity/names.ts'
import { mutualTls, type Workload } from '../nats/mutual-tls.ts'
import { postExchange, type TokenExchange } from './exchange-token.ts'
import type { Credential } from './request-credential.ts'

export interface SvidExchange extends Omit<TokenExchange, 'token'> {
  readonly workload: Workload
}

/**
 * At the region's function, which alone is asked. The credential ends no later than the certificate.
 * Refuses with the function's own refusal, and a region that exchanges nothing.
 */
export async function exchangeSvid({ workload, ...exchange }: SvidExchange): Promise<Credential> {
  const [asking] = regionsFrom(exchange.network.file, exchange.region)
  const region = asking as NetworkRegion
  const url = exchangeUrl(region)
  const asked = { ...exchange, token: digestOf(workload), isCertificate: true }
  return postExchange(asked, { url, tls: mutualTls(workload, exchangerOf(region)) })
}

/** Not any region's: another one would learn who wants what, and answer in this one's place. */
const exchangerOf = ({ name: region }: NetworkRegion) => ({
  what: `the function of ${region} for the door identity`,
  isPeer: isFunctionOf({ region, door: 'identity' }),
})

/** `x5t#S256` (RFC 8705 section 3.1). */
function digestOf({ certificate }: Workload): string {
  const [leaf] = parseCertificates(certificate)
  if (leaf === undefined) throw new Refusal('ERR_CHAIN_EMPTY', 'no certificate to exchange')
  return hash('sha256', leaf.der, 'base64url')
}

function exchangeUrl({ name, workloads }: NetworkRegion): string {
  if (workloads === undefined)
    throw new Refusal('ERR_TARGET_UNKNOWN', `region ${name} exchanges no certificates`)
  return workloads.exchange
}
