/** Earlier servers have faults that this network's safety rests on the absence of (2026-08). */
export const serverVersionMin = '2.14.5'

/** Compares `major.minor.patch`; a pre-release or an unreadable version is below every release. */
export function isVersionAtLeast(version: string, least: string): boolean {
  const [have, want] = [numbersOf(version), numbersOf(least)]
  if (have === undefined || want === undefined) return false
  const at = want.findIndex((number, index) => number !== have[index])
  return at === -1 || (have[at] ?? 0) > (want[at] ?? 0)
}

function numbersOf(version: string): number[] | undefined {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)$/.exec(version)?.slice(1)
  return parts?.map(Number)
}
