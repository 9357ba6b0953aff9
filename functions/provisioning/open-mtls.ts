// A function's listener for workloads, and the authorities by which it knows them, as they change.
import type { KeyAndCertificate } from '../../core/identity/successor.ts'
import { keepPeerTrust, readPeerTrust } from '../certificates/peer-trust.ts'
import type { HttpsTrigger } from '../triggers/https.ts'
import { serveMtls, type MtlsDoor } from '../triggers/mtls.ts'
import type { FunctionEnvironment } from './environment.ts'

export async function openMtls(
  { files, ...at }: NonNullable<FunctionEnvironment['mtls']>,
  shown: KeyAndCertificate,
  door: MtlsDoor,
): Promise<HttpsTrigger> {
  await using opened = new AsyncDisposableStack()
  const trust = readPeerTrust(files)
  const listener = opened.use(await serveMtls(at, { shown, trust }, door))
  const { report } = door
  opened.use(keepPeerTrust(trust, files, { take: (next) => listener.trust(next), report }))
  const all = opened.move()
  const { port, show } = listener
  return { port, show, [Symbol.asyncDispose]: () => all.disposeAsync() }
}
