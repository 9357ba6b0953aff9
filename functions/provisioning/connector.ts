// How a function dials its leafnode server: with its nkey, and the certificate that it has by then.
import type { Nkey } from '../../core/trust/nkey.ts'
import { connectWithNkey, type NatsConnection, type Target } from '../../nats/connect.ts'
import { openFiles } from '../../store/files.ts'
import { requireKey } from '../../store/key-file.ts'
import { functionKeyFile } from '../../store/key-paths.ts'
import type { HeldCertificate } from '../certificates/held.ts'
import type { FunctionEnvironment } from './environment.ts'
import { openPatience } from './patience.ts'

export interface Connector {
  readonly nkey: Nkey<'user'>
  readonly connect: (options?: Target['options']) => Promise<NatsConnection>
  /** Resolves when TLS fails for the first time. */
  readonly refused: Promise<void>
}

export function connector(
  { region, door, folders, nats: { servers, peer } }: FunctionEnvironment,
  own: HeldCertificate,
  report: (line: string) => void,
): Connector {
  const pair = requireKey(openFiles(), 'user', functionKeyFile(folders.keysFolder))
  const { promise: refused, resolve } = Promise.withResolvers<void>()
  const target = (options: Target['options']): Target => {
    const { delayMs, onHandshake } = openPatience(report)
    return {
      servers,
      name: `provision-credentials ${door} ${region}`,
      options: { reconnectDelayHandler: delayMs, ...options },
      onHandshake(refusal) {
        onHandshake(refusal)
        if (refusal !== undefined) resolve()
      },
      get ca() {
        return own.current.trusted
      },
      get identity() {
        return { ...own.current, peer }
      },
    }
  }
  return {
    nkey: pair.publicKey,
    connect: (options) => connectWithNkey(target(options), pair),
    refused,
  }
}
