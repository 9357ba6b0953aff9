import type { AccountPush } from '../nats/push-accounts.ts'
import type { DenyListPush } from '../nats/push-deny-list.ts'

/** One line for the account, and one for each server that does not hold it. */
export function* describePush(push: AccountPush): Generator<string> {
  const { account, servers, resolvers, strangers } = push
  const count = (state: string): number => servers.filter((each) => each.state === state).length
  const held = `${count('updated')} run it, ${count('not-loaded')} hold it`
  yield `${mark(push.isDone)} account ${account}: of ${servers.length} servers ${held}`
  for (const { server, state, reason = '' } of servers)
    if (state !== 'updated' && state !== 'not-loaded')
      yield `  ${server}: ${state} ${reason}`.trimEnd()
  if (resolvers.other > 0) yield `  ${resolvers.other} resolvers hold another one`
  for (const stranger of strangers) yield `  ${stranger}: a server that nobody expects`
}

/** One line for the list, and one for each function that does not show it. */
export function* describeDenyListPush(push: DenyListPush): Generator<string> {
  const { sequence, digest, holders, missing } = push
  const current = holders.filter(({ isCurrent }) => isCurrent).length
  yield `${mark(push.isDone)} deny list ${sequence}, ${digest.slice(0, 16)}: ${current} functions show it`
  for (const { region, door, sequence: held, isCurrent, refusal } of holders)
    if (!isCurrent) yield `  ${region}-${door}: shows ${held}${refusal ? `, for ${refusal}` : ''}`
  for (const name of missing) yield `  ${name}: no answer`
}

const mark = (isDone: boolean): string => (isDone ? '✔' : '✘')
