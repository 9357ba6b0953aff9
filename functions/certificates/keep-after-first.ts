import type { Renewed } from './keep-current.ts'

/** Certificates are watched when there is time for it: the first answer comes before. */
export function keepAfterFirst(
  ready: Promise<void>,
  renewed: readonly Renewed[],
  report: (line: string) => void,
): AsyncDisposable {
  const kept = new AsyncDisposableStack()
  const keep = async (): Promise<void> => {
    await ready
    const { keepCurrent } = await import('./keep-current.ts')
    if (kept.disposed) return
    for (const each of renewed) kept.use(keepCurrent(each, { report }))
  }
  keep().catch((error: unknown) => report(`alarm: certificates are not watched: ${String(error)}`))
  return kept
}
