// Who does what takes the most time of a request, signatures and keys: threads of Node's pool, so that
// others are answered meanwhile, or, where nobody else waits, this one, for the way there takes time.
import type { CurveKey } from '../../core/access/curve-key.ts'
import {
  requireSigned,
  requireSignedAsync,
  type Considered,
  type Grant,
} from '../../core/access/decision.ts'
import { encapsulate, encapsulateNow, type Encapsulated } from '../../core/access/hpke.ts'

export interface Labour {
  requireSigned(considered: Considered): Grant | Promise<Grant>
  encapsulate(recipient: CurveKey): Encapsulated | Promise<Encapsulated>
}

export const thisThread: Labour = { requireSigned, encapsulate: encapsulateNow }
export const otherThreads: Labour = { requireSigned: requireSignedAsync, encapsulate }
