import {
  askedSubjects,
  denyListSubject,
  renewedSubjects,
  serviceSubjects,
  type FunctionDoor,
} from './access-subject.ts'

/** What a function process may do at its leafnode server. */
export function functionPermissions(
  door: FunctionDoor,
  { region, nkey }: { region: string; nkey: string },
): { publish: string[]; subscribe: string[] } {
  const asked = new Set([...askedSubjects(door, region), ...renewedSubjects(door, region)])
  const own = selfSubject(nkey, '*')
  return {
    publish: ['_INBOX.>', '_R_.>', denyListSubject, own],
    subscribe: [...asked, denyListSubject, ...serviceSubjects, own, `_INBOX.${nkey}.>`],
  }
}

/**
 * Where a function asks itself whether it still works, over one of its connections; never leaves its
 * leafnode server.
 */
export function selfSubject(nkey: string, connection: string): string {
  return `access.self.${nkey}.${connection}`
}
