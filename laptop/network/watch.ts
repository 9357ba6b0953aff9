// The operator's watcher beside a running network. It looks away while an apply is under way: what
// it expects is then neither the old nor the new.
import type { WatchFinding } from '../../core/network/watch-finding.ts'
import { watchNetwork } from '../../nats/watch-network.ts'
import { openDeclaredState } from '../../store/declared-state.ts'
import { clientUrls } from './network-file.ts'
import { nowSeconds } from './now.ts'
import type { NetworkRuntime } from './runtime.ts'

type OnFinding = (finding: WatchFinding) => void

export interface Watcher {
  /** Watches until disposed, always by what was last applied. */
  watch(onFinding: OnFinding): AsyncDisposable
  whileAway<T>(act: () => Promise<T>): Promise<T>
}

export function openWatcher(runtime: NetworkRuntime): Watcher {
  const watches = new Set<{ readonly onFinding: OnFinding; running: AsyncDisposable }>()
  return {
    watch(onFinding) {
      const watch = { onFinding, running: watchAsApplied(runtime, onFinding) }
      watches.add(watch)
      return {
        async [Symbol.asyncDispose]() {
          watches.delete(watch)
          await watch.running[Symbol.asyncDispose]()
        },
      }
    },
    async whileAway(act) {
      await Promise.all([...watches].map(({ running }) => running[Symbol.asyncDispose]()))
      return act().finally(() => {
        for (const watch of watches) watch.running = watchAsApplied(runtime, watch.onFinding)
      })
    },
  }
}

function watchAsApplied(
  { files, homes, trust, supercluster, connectTo }: NetworkRuntime,
  onFinding: OnFinding,
): AsyncDisposable {
  const { archipelago } = trust
  return watchNetwork({
    archipelago,
    state: openDeclaredState({ files, homes, archipelago }, nowSeconds),
    connectAs: (user) => connectTo(user, clientUrls(supercluster.regions)),
    onFinding,
  })
}
