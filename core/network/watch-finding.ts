/** What the watcher saw that should not be. */
export type WatchCode =
  | 'server-missing'
  | 'server-unknown'
  | 'account-missing'
  | 'account-older'
  | 'account-foreign'
  | 'account-newer'
  | 'connection-cut'
  | 'function-missing'
  | 'function-behind'
  | 'function-ahead'
  | 'watch-failed'

export interface WatchFinding {
  readonly code: WatchCode
  /** The server, account, connection or function that it is about. */
  readonly subject: string
  readonly message: string
  /** What the watcher did about it; nothing where a person has to decide. */
  readonly measure: 'none' | 'pushed' | 'signed anew and pushed' | 'kicked' | 'kicked and revoked'
}
