import { keyFiles, withTokens } from '../core/access/token-example.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'

/** A network whose functions exchange tokens. */
export function startTokenNetwork(): Promise<TestNetwork> {
  return startTestNetwork(withTokens, keyFiles)
}
