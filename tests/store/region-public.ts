import { requestCertificate } from '../../core/identity/csr.ts'
import { formatRegionPublic } from '../../core/trust/region-public.ts'
import { makeAuthorityKey } from '../../store/authority-keys.ts'
import { makeRegionKeys } from '../../store/region-secrets.ts'
import { archipelago } from '../core/trust/example.ts'

/** What a cluster publishes: its Secrets stay with it, here with the garbage collector. */
export function regionPublic(region: string, { asks = true, more = {} } = {}): string {
  const { keys } = makeRegionKeys(archipelago, region, new Map())
  const request = () => requestCertificate(makeAuthorityKey().privateKey)
  const data = {
    ...formatRegionPublic(keys, archipelago),
    ...(asks && { 'identity.csr': request(), 'public.csr': request() }),
    ...more,
  }
  const metadata = { name: 'region-public', namespace: 'nats', resourceVersion: '7' }
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
}
