import type { Door } from '../access/door.ts'

/** Doors that a function process answers for; each process has keys and subjects of its own. */
export const functionDoors = ['lobby', 'invite', 'identity', 'legacy'] as const
export type FunctionDoor = (typeof functionDoors)[number]

/** Doors at which a request for a name or an invite comes in, for whichever region is near. */
export type AccessDoor = Exclude<FunctionDoor, 'identity'>

const doorSubjects: Record<AccessDoor, string> = {
  lobby: 'chat.req.access',
  invite: 'chat.req.invite',
  legacy: 'chat.req.legacy',
}

/** Where a door is asked: in the region that the request comes from, or in the one that is named. */
export function accessSubject(door: AccessDoor, region?: string): string {
  return region === undefined ? doorSubjects[door] : `${doorSubjects[door]}.${region}`
}

/** Where a credential that came through this door is renewed, over its own connection. */
export function renewSubject(door: AccessDoor, region?: string): string {
  return region === undefined ? `chat.req.renew.${door}` : `chat.req.renew.${door}.${region}`
}

/** Where a region exchanges tokens. There is none for whichever is near: a token is sealed to one. */
export function exchangeSubject(region: string): string {
  return `token.exchange.${region}`
}

/** All that is asked at a door of a region; with `*` in any. */
export function askedSubjects(door: FunctionDoor, region: string): string[] {
  if (door === 'identity') return [exchangeSubject(region)]
  return [accessSubject(door), accessSubject(door, region)]
}

/**
 * Where whoever came by a door gets the next credential. A token gives no right to a second one: the
 * next token is exchanged where the first one was.
 */
export function renewedSubjects(door: FunctionDoor, region: string): string[] {
  if (door === 'identity') return [exchangeSubject(region)]
  return [renewSubject(door), renewSubject(door, region)]
}

/** Where a door's HTTPS listener is asked. */
export function doorPath(door: FunctionDoor): string {
  return door === 'identity' ? '/token' : '/'
}

/** Doors that can be reached at all: those that some role has. */
export function openDoors(roles: readonly { readonly doors: readonly Door[] }[]): FunctionDoor[] {
  return functionDoors.filter((door) => roles.some((role) => role.doors.includes(door)))
}

/** The deny list on its way to every function, and the question which one each of them holds. */
export const denyListSubject = 'access.deny-list'

export const serviceName = 'provision-credentials'

/** What `nats micro` asks (ADR-32 of nats-architecture-and-design). */
export const serviceSubjects = ['PING', 'INFO', 'STATS'].flatMap((verb) => [
  `$SRV.${verb}`,
  `$SRV.${verb}.${serviceName}`,
  `$SRV.${verb}.${serviceName}.*`,
])
