// What adoption and cert-manager bring, made by hand: for servers alone, in seconds.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Archipelago } from '../../core/archipelago.ts'
import { formatCertificates } from '../../core/identity/certificate.ts'
import { publicLeaf, regionDomain, serverLeaf } from '../../core/identity/names.ts'
import { formatSpiffeId } from '../../core/identity/spiffe-id.ts'
import { formatConfiguration } from '../../core/network/configuration.ts'
import { placeClusters } from '../../core/network/kubernetes.ts'
import { configureAccounts } from '../../core/network/pod.ts'
import { openFiles } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import { accounts, operator } from '../core/trust/example.ts'
import { makeAuthorities, writeLeaf } from '../laptop/named/certificates.ts'

export interface HandMadeTrust {
  readonly maps: readonly object[]
  readonly secrets: readonly object[]
}

export async function makeTrust(archipelago: Archipelago, region: string): Promise<HandMadeTrust> {
  const data = mkdtempSync(join(tmpdir(), 'archipelago-hand-made-'))
  try {
    const store = { files: openFiles(), homes: homesOf(data), archipelago, nowMs: Date.now() }
    const issuerOf = await makeAuthorities(store)
    const own = formatCertificates([issuerOf(region, 'identity').certificate])
    const all = archipelago.regions.map(({ name }) => issuerOf(name, 'identity').certificate)
    const servers = placeClusters(archipelago).find(({ name }) => name === region)?.servers ?? []
    const identity = {
      id: formatSpiffeId(regionDomain(archipelago, region), 'nats', 'server'),
      dns: servers.flatMap((server) => serverLeaf(archipelago, server).dns),
      ips: [],
    }
    const leaf = async (name: string, kind: 'identity' | 'public') => {
      const files = { certificate: join(data, `${name}.crt`), key: join(data, `${name}.key`) }
      const profile =
        kind === 'identity' ? identity : publicLeaf([`${region}.nats.${archipelago.trustDomain}`])
      await writeLeaf(files, profile, issuerOf(region, kind))
      const read = (file: string) => readFileSync(file, 'utf8')
      return secret(name, { 'tls.crt': read(files.certificate), 'tls.key': read(files.key) })
    }
    return {
      maps: [
        map('trust', { 'operator.jwt': operator.text }),
        map('accounts', { 'accounts.conf': formatConfiguration(configureAccounts(trust), 'a') }),
        map('region-authority', { 'region.pem': own, 'network.pem': formatCertificates(all) }),
      ],
      secrets: [
        await leaf('svid-nats-server', 'identity'),
        await leaf('public-nats-server', 'public'),
      ],
    }
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

const trust = {
  operatorJwt: operator.text,
  systemAccount: operator.claims.nats.system_account,
  accounts: accounts.map(({ text: jwt, claims }) => ({ publicKey: claims.sub, jwt })),
}

type Texts = Readonly<Record<string, string>>

const map = (name: string, data: Texts) => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'nats' } },
  data,
})

const secret = (name: string, stringData: Texts) => ({
  ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'nats' } },
  type: 'kubernetes.io/tls',
  stringData,
})
