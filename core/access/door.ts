/** How one may come to a role; a role without doors is closed. */
export const doors = ['lobby', 'invite', 'identity', 'legacy'] as const
export type Door = (typeof doors)[number]
