// The accounts that a server includes: as they are mounted from git, but never older than it had them.
import { Refusal } from '../../core/errors.ts'
import { formatConfiguration } from '../../core/network/configuration.ts'
import { configureAccounts } from '../../core/network/pod.ts'
import { newestAccounts } from '../../core/trust/newest-accounts.ts'
import { parseOperator } from '../../core/trust/operator.ts'
import { openFiles, readIfThere } from '../../store/files.ts'

export interface AccountFiles {
  readonly operator: string
  /** As git has them. */
  readonly mounted: string
  /** On the volume of the server, which includes it. */
  readonly kept: string
}

/** Writes what is new, and reports what is refused. Without an operator or accounts it does nothing. */
export function takeAccounts(
  { operator: operatorFile, mounted, kept }: AccountFiles,
  report: (line: string) => void,
): void {
  const [operatorText, text] = [readIfThere(operatorFile), readIfThere(mounted)]
  if (!operatorText || !text) return
  const operator = parseOrReport(operatorText.trim(), operatorFile, report)
  if (operator === undefined) return
  const files = openFiles()
  const held = jwtsIn(files.read(kept) ?? '')
  const { accounts, refused } = newestAccounts(jwtsIn(text), held, operator)
  if (refused.length > 0) report(`not taken from ${mounted}: ${refused.join('; ')}`)
  if (accounts.length === 0) return
  const configuration = configureAccounts({
    operatorJwt: operator.text,
    systemAccount: operator.claims.nats.system_account,
    accounts: accounts.map(({ text: jwt, claims }) => ({ publicKey: claims.sub, jwt })),
  })
  files.write(kept, formatConfiguration(configuration, 'the newest accounts that were mounted'))
}

function parseOrReport(text: string, file: string, report: (line: string) => void) {
  try {
    return parseOperator(text)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    report(`not taken: ${file}: ${error.message}`)
    return undefined
  }
}

const jwtsIn = (text: string): string[] => text.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? []
