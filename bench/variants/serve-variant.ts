import { parseFunctionEnvironment } from '../../functions/provisioning/environment.ts'
import { provisionCredential, type Provisioning } from '../../functions/provision-credentials.ts'
import { startFunction } from '../../functions/provisioning/start-function.ts'
import type { Handle } from '../../functions/provisioning/work.ts'

/** The function's process with another handler; what it asks itself is answered by the real one. */
export async function serveVariant(handle: (provisioning: Provisioning) => Handle): Promise<void> {
  const start = (provisioning: Provisioning): Handle => {
    const variant = handle(provisioning)
    return (request) =>
      request.caller.trigger === 'self'
        ? provisionCredential(request, provisioning)
        : variant(request)
  }
  await startFunction(parseFunctionEnvironment(process.env), { handle: start })
}
