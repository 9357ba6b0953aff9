// What does not fit of the identities of the local network: certificates that listeners show, those by which
// somebody is connected, and links from before the authorities of now. nats-server admits all of them.
import type { Finding } from '../../core/network/topology.ts'
import { readRoots } from '../../store/authority-files.ts'
import { openFiles } from '../../store/files.ts'
import { auditConnections, type AuditedNetwork } from './all-connections.ts'
import { auditLinks } from './all-links.ts'
import { observePeers } from './all-peers.ts'

/** A listener or server that is silent is none: it is missing from the mesh as well. */
export async function findMisfits(
  network: AuditedNetwork,
  { nowMs, timeoutMs }: { nowMs: number; timeoutMs: number },
): Promise<Finding[]> {
  const roots = (['identity', 'public'] as const).flatMap((kind) =>
    readRoots(openFiles(), network.homes, kind),
  )
  const peers = await observePeers(network, { roots, nowMs, timeoutMs })
  const connected = await auditConnections(network, timeoutMs)
  const links = await auditLinks(network, connected, { lifetimesMs: new Map(), nowMs, timeoutMs })
  return [
    ...peers.flatMap(({ name, listener, findings: found }) =>
      found.filter(isAnswer).map(({ code, message }): Finding => ({
        ...{ code: 'certificate-wrong', subject: name },
        message: `${name}: its ${listener} listener: ${message} (${code})`,
      })),
    ),
    ...connected.findings.filter(isAnswer).map(({ code, message, server }): Finding => ({
      ...{ code: 'connection-wrong', subject: server },
      message: `${message} (${code})`,
    })),
    ...links.findings.map(({ code, message, server }): Finding => ({
      ...{ code: 'link-old', subject: server },
      message: `${message} (${code})`,
    })),
  ]
}

const isAnswer = ({ code }: { readonly code: string }) =>
  code !== 'ERR_CONNECT' && code !== 'ERR_NO_ANSWER'
