import type { FunctionDoor } from '../../core/network/access-subject.ts'
import { provisionCredential, type Provisioning } from '../provision-credentials.ts'
import type { Handle } from './work.ts'

/** Who answers at a door; what only one of them needs is loaded there alone. */
export async function handlerOf(
  door: FunctionDoor,
): Promise<(provisioning: Provisioning) => Handle> {
  if (door !== 'identity')
    return (provisioning) => (asked) => provisionCredential(asked, provisioning)
  const { exchangeToken } = await import('../exchange-token.ts')
  return (provisioning) => (asked) => exchangeToken(asked, provisioning)
}
