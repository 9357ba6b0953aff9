// What one would have to tell nsc.
import type { AccountJwt, ScopedKey } from '../core/trust/account.ts'

type Command = readonly string[]

/** The tutorial's operator, system account, account with a signing key and two users. */
export const tutorialCommands: readonly Command[] = [
  ['add', 'operator', '--name', 'KO', '--sys'],
  ['add', 'account', '--name', 'KUBECON'],
  ['edit', 'account', '--name', 'KUBECON', '--sk', 'generate'],
  ['add', 'user', '--account', 'KUBECON', '--name', 'chat-access'],
  ['add', 'user', '--account', 'KUBECON', '--name', 'chat-creds-request'],
]

/** The same operator, accounts, ceilings and service users; without what nsc has no word for. */
export function nscCommands(accounts: readonly AccountJwt[]): Command[] {
  return [
    ['add', 'operator', '--name', 'archipelago', '--sys', '--generate-signing-key'],
    ['edit', 'operator', '--sk', 'generate', '--require-signing-keys'],
    ...accounts.flatMap(({ claims: { name = '', nats } }) => [
      ...(name === 'SYS' ? [] : [['add', 'account', '--name', name]]),
      ...nats.signing_keys.map((scope) => scopeCommand(name, scope)),
      ...nats.signing_keys.filter(hasUser).map((scope) => userCommand(name, scope)),
    ]),
  ]
}

function scopeCommand(account: string, { role, template }: ScopedKey): Command {
  const { pub, sub } = template
  return [
    ...['edit', 'signing-key', '--account', account, '--sk', 'generate', '--role', nscRole(role)],
    ...['--allow-pub', (pub.allow ?? []).join(), '--allow-sub', (sub.allow ?? []).join()],
  ]
}

/** Of the roles' keys the users come later, from the functions; all others are made now. */
function hasUser({ role }: ScopedKey): boolean {
  return role.split('.').length < 3
}

function userCommand(account: string, { role }: ScopedKey): Command {
  const name = nscRole(role)
  return ['add', 'user', '--account', account, '--name', name, '--private-key', name]
}

/** nsc takes no dots in the name of a role. */
function nscRole(role: string): string {
  return role.replaceAll('.', '-')
}
