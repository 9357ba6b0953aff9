import type { Door } from '../access/door.ts'

/** Doors that a function process answers for; each process has keys and subjects of its own. */
export const functionDoors = ['lobby', 'invite', 'legacy'] as const
export type FunctionDoor = (typeof functionDoors)[number]

const doorSubjects: Record<FunctionDoor, string> = {
  lobby: 'chat.req.access',
  invite: 'chat.req.invite',
  legacy: 'chat.req.legacy',
}

/** Where a door is asked: in the region that the request comes from, or in the one that is named. */
export function accessSubject(door: FunctionDoor, region?: string): string {
  return region === undefined ? doorSubjects[door] : `${doorSubjects[door]}.${region}`
}

/** Where a credential that came through this door is renewed, over its own connection. */
export function renewSubject(door: FunctionDoor, region?: string): string {
  return region === undefined ? `chat.req.renew.${door}` : `chat.req.renew.${door}.${region}`
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
