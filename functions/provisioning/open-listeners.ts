// The HTTPS listeners of a function: for outside clients, and for workloads.
import { holdCertificate, type HeldCertificate } from '../certificates/held.ts'
import type { Renewed } from '../certificates/keep-current.ts'
import type { KeyAndCertificate } from '../../core/identity/successor.ts'
import { serveHttps, type HttpsTrigger } from '../triggers/https.ts'
import type { MtlsDoor } from '../triggers/mtls.ts'
import type { FunctionEnvironment } from './environment.ts'

export interface Listeners extends AsyncDisposable {
  /** What they show beside the function's identity. */
  readonly renewed: readonly Renewed[]
  showIdentity(shown: KeyAndCertificate): void
}

/** Those that the environment asks for. */
export async function openListeners(
  { https, mtls }: FunctionEnvironment,
  own: HeldCertificate,
  door: MtlsDoor,
): Promise<Listeners> {
  await using opened = new AsyncDisposableStack()
  const renewed: Renewed[] = []
  // No seed over HTTP: the old clients do not ask there.
  if (https !== undefined && door.door !== 'legacy') {
    const held = holdCertificate(https.files)
    const { door: name, work, audit, problem } = door
    const outside = await serveHttps(https, held.current, { door: name, work, audit, problem })
    renewed.push({ what: 'the HTTPS listener', held, show: opened.use(outside).show })
  }
  const workloads: HttpsTrigger[] = []
  if (mtls !== undefined) {
    // What only one door needs is loaded there alone.
    const { openMtls } = await import('./open-mtls.ts')
    workloads.push(opened.use(await openMtls(mtls, own.current, door)))
  }
  const all = opened.move()
  return {
    renewed,
    showIdentity(shown) {
      for (const listener of workloads) listener.show(shown)
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
