import type { Archipelago } from '../core/archipelago.ts'
import type { Manifest } from './manifest.ts'

/** What one folder builds. */
export interface Built {
  /** From the clone's root. */
  readonly folder: string
  /** Whose overlay it is. */
  readonly region?: string
  readonly archipelago: Archipelago
  readonly manifests: readonly Manifest[]
}

/** Says what is wrong, each fault with the object it is about; nothing where all is right. */
export interface ManifestRule {
  readonly name: string
  /** Of everything that is built, or of the overlays only, which hold all that runs. */
  readonly scope: 'all' | 'overlays'
  readonly find: (built: Built) => readonly string[]
}
