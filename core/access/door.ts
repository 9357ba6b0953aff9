/** How one may come to a role; a role without doors is closed. */
export const doors = ['lobby', 'invite', 'identity', 'legacy'] as const
export type Door = (typeof doors)[number]

/** Whether callers come to it by their certificate, too: to a listener of its own. */
export const hasMtls = (door: Door): boolean => door === 'identity'
