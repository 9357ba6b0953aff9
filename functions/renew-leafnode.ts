// The renewer of a region's leafnode: holds the region's own signing key, which the provisioning function
// does not, and needs nobody else: it goes on with the region cut off and after days without power.
import type { Nkey } from '../core/trust/nkey.ts'
import { openFiles } from '../store/files.ts'
import { keepRenewed } from '../store/keep-renewed.ts'
import { renewLeafnodeCredential } from '../store/leafnode.ts'
import { readConfiguration, readOperator, readPublicTrust } from '../store/public.ts'
import { parseRenewerEnvironment } from './provisioning/renewer-environment.ts'
import { toldToStop } from './provisioning/told-to-stop.ts'

async function main(): Promise<void> {
  const { region, publicFolder, place } = parseRenewerEnvironment(process.env)
  const life = (): number =>
    readConfiguration(publicFolder, readOperator(publicFolder)).claims.nats.archipelago.leafnode
      .lifetimeSeconds
  const renew = (): void => {
    const [access] = readPublicTrust(publicFolder, ['ACCESS']).accounts
    const account = access?.claims.sub as Nkey<'account'>
    const nowSeconds = Math.floor(Date.now() / 1000)
    const renewal = { region, account, lifetimeSeconds: life() }
    const { isRenewed, expiresAtSeconds } = renewLeafnodeCredential(
      { files: openFiles(), ...place },
      renewal,
      nowSeconds,
    )
    if (isRenewed)
      report(`${region}: good until ${new Date(expiresAtSeconds * 1000).toISOString()}`)
  }
  renew()
  using _renewing = keepRenewed(renew, {
    what: `${region}'s credential`,
    lifetimeSeconds: life,
    report,
  })
  await toldToStop()
}

function report(line: string): void {
  console.error(`renew-leafnode: ${line}`)
}

main().catch((error: unknown) => {
  report(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
})
