// Permission ceilings: what stands in an account JWT for every user of one signing key. The only
// template operation is {{subject()}}: a thief of the key chooses names and tags, and wildcards pass.
import type { Archipelago, Role } from '../archipelago.ts'
import {
  accessSubject,
  askedSubjects,
  denyListSubject,
  openDoors,
  renewedSubjects,
  type FunctionDoor,
  serviceSubjects,
} from '../network/access-subject.ts'
import type { ConnectionType, PermissionTemplate, SubjectLists } from './account.ts'

const unlimited = -1
const ownInbox = '_INBOX.{{subject()}}.>'

/** A member of a role: its subjects, an inbox that is its own, and renewal at the door it came by. */
export function roleCeiling(role: Role, door: FunctionDoor): PermissionTemplate {
  const renewed = door === 'legacy' ? [] : renewedSubjects(door, '*')
  return {
    pub: allowOnly([...role.publish, ...renewed]),
    sub: { allow: [...role.subscribe, ownInbox] },
    subs: role.subscriptionsMax,
    data: unlimited,
    payload: role.payloadBytesMax,
    allowed_connection_types: connectionTypes(role, door),
  }
}

/**
 * Workloads connect where a certificate is asked for, and nowhere else, unless their role says that they
 * have none; nobody else comes in there.
 */
function connectionTypes({ outside }: Role, door: FunctionDoor): readonly ConnectionType[] {
  return door === 'identity' && !outside ? ['WEBSOCKET'] : ['STANDARD']
}

/** An empty allow list would mean everything to nats-server. */
function allowOnly(subjects: readonly string[]): SubjectLists {
  return subjects.length > 0 ? { allow: subjects } : { deny: ['>'] }
}

/** Anybody: may ask at the doors, and hear every answer there is in the lobby. */
export function lobbyCeiling({ lobby, roles }: Archipelago): PermissionTemplate {
  const asked = openDoors(roles).filter((door) => door !== 'legacy')
  return requestorCeiling(
    lobby,
    asked.flatMap((door) => askedSubjects(door, '*')),
  )
}

/** The tutorial's requestor, in an account of its own: it knows one subject. */
export function legacyRequestorCeiling({ lobby }: Archipelago): PermissionTemplate {
  return requestorCeiling(lobby, [accessSubject('lobby')])
}

function requestorCeiling(
  { subscriptionsMax, payloadBytesMax }: Archipelago['lobby'],
  subjects: readonly string[],
): PermissionTemplate {
  return {
    pub: allowOnly(subjects),
    sub: { allow: ['_INBOX.>'] },
    subs: subscriptionsMax,
    data: unlimited,
    payload: payloadBytesMax,
    allowed_connection_types: ['STANDARD'],
  }
}

/**
 * One region's leafnode: receives that region's requests, answers. It needs publish on the inboxes
 * and on `_R_.>`, since allow_responses does not reach requestors of the same hub.
 */
export function leafnodeCeiling(
  doors: readonly FunctionDoor[],
  region: string,
): PermissionTemplate {
  const asked = new Set(
    doors.flatMap((door) => [...askedSubjects(door, region), ...renewedSubjects(door, region)]),
  )
  return {
    pub: { allow: ['_INBOX.>', '_R_.>', denyListSubject] },
    sub: { allow: [...asked, denyListSubject, ...serviceSubjects, '_INBOX.>'] },
    subs: unlimited,
    data: unlimited,
    payload: unlimited,
    allowed_connection_types: ['LEAFNODE'],
  }
}

/** The operator among the functions: lists them, hands them the deny list. */
export const accessOperatorCeiling: PermissionTemplate = {
  pub: { allow: [denyListSubject, ...serviceSubjects] },
  sub: { allow: ['_INBOX.{{subject()}}.>'] },
  subs: unlimited,
  data: unlimited,
  payload: unlimited,
  allowed_connection_types: ['STANDARD'],
}

const observed = ['IDZ', 'VARZ', 'CONNZ', 'ROUTEZ', 'GATEWAYZ', 'LEAFZ', 'ACCOUNTZ', 'HEALTHZ']

/** Sees every server; a list of endpoints, for `PING.*` would include profiles. */
export const observerCeiling: PermissionTemplate = {
  ...accessOperatorCeiling,
  pub: {
    allow: observed.flatMap((endpoint) => [
      `$SYS.REQ.SERVER.PING.${endpoint}`,
      `$SYS.REQ.SERVER.*.${endpoint}`,
    ]),
  },
}

/** Reads the figures of servers: not who is connected, whence, and to what. Its home is a region. */
export const monitorCeiling: PermissionTemplate = {
  ...accessOperatorCeiling,
  pub: { allow: ['$SYS.REQ.SERVER.PING.VARZ', '$SYS.REQ.SERVER.PING.STATSZ'] },
  subs: 4,
  payload: 1024,
}

/** Changes what servers run; its home is the operator's machine. */
export const pusherCeiling: PermissionTemplate = {
  ...accessOperatorCeiling,
  pub: {
    allow: [
      ...(observerCeiling.pub.allow ?? []),
      '$SYS.REQ.CLAIMS.UPDATE',
      '$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP',
      '$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE',
      '$SYS.REQ.SERVER.*.RELOAD',
      '$SYS.REQ.SERVER.*.KICK',
    ],
  },
}
