/** '2.15.2' out of 'nats-server: v2.15.2'; nothing out of a development or pre-release version. */
export function findVersion(text: string): string | undefined {
  return /(?<![\w.])v?(\d+\.\d+\.\d+)(?![\w.-])/.exec(text)?.[1]
}

export function isAtLeast(version: string, floor: string): boolean {
  const have = version.split('.').map(Number)
  for (const [place, least] of floor.split('.').map(Number).entries()) {
    const number = have[place] ?? 0
    if (number !== least) return number > least
  }
  return true
}
