// A certificate for a server that stands alone in a test, and the root that signed it.
import { formatCertificates } from '../core/identity/certificate.ts'
import { issueLeaf } from '../core/identity/issue.ts'
import { formatPrivateKey } from '../store/authority-keys.ts'
import { issuance, makeRoot } from './core/identity/example.ts'
import { makePair } from './core/identity/forge.ts'

export async function makeServerCertificate(
  ip: string,
): Promise<{ ca: string; certificate: string; key: string }> {
  const root = await makeRoot(Date.now())
  const pair = makePair()
  const profile = { dns: [], ips: [ip] }
  const leaf = await issueLeaf(pair.publicKey, profile, {
    ...issuance('server', Date.now(), 600),
    issuer: root,
  })
  return {
    ca: formatCertificates([root.certificate]),
    certificate: formatCertificates([leaf]),
    key: formatPrivateKey(pair.privateKey),
  }
}
