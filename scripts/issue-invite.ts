// Makes the file with which one person may come to a role at the invite's door.
import { resolve } from 'node:path'
import { formatInviteFile } from '../core/access/invite-file.ts'
import { parseDuration } from '../core/duration.ts'
import { openFiles, writeNewPrivate } from '../store/files.ts'
import { issueInvite } from '../store/invite.ts'
import { readOperatorHome } from '../store/operator.ts'
import { networkCommand, nowSeconds, openPlace, runCommand } from './command.ts'

const command = networkCommand('issue-invite', 'Invite one person to a role: a file, and a secret.')
  .requiredOption('--role <role>', 'a role with the door invite')
  .requiredOption('--name <name>', 'the name that the invited will have')
  .option('--ttl <duration>', 'how long it is good, as in 48h', '48h')
  .requiredOption('--out <file>', 'where to write it; never overwritten')
  .option('--json', 'print what was made as JSON')

async function main(): Promise<void> {
  const { role, name, ttl, out, json, ...where } = command.parse().opts()
  const { archipelago, homes } = openPlace(where)
  const home = readOperatorHome({ files: openFiles(), homes, archipelago })
  const lifetimeSeconds = parseDuration(ttl)
  const wanted = { role, name, nowSeconds: nowSeconds(), lifetimeSeconds }
  const invite = issueInvite(home, archipelago, wanted)
  const file = resolve(out)
  writeNewPrivate(file, formatInviteFile(archipelago.network, invite))
  const { jti: ticket, sub: key, exp = 0 } = invite.ticket.claims
  const ends = new Date(exp * 1000).toISOString()
  if (json) console.log(JSON.stringify({ file, ticket, key, role, name, ends }))
  else {
    console.log(`${file}: ${name} may come as ${role} until ${ends}`)
    console.log(`ticket ${ticket}: revoke-credentials takes it back`)
  }
}

runCommand(command.name(), main, {
  ERR_ROLE_DOOR: 'take a role whose doors in archipelago.yaml include invite',
})
