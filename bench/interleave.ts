type Takes = Readonly<Record<string, () => unknown>>
type Samples<T extends Takes> = { readonly [Name in keyof T]: Awaited<ReturnType<T[Name]>>[] }

/**
 * Takes samples of several things in turn, A B C A B C …: whatever else the machine does meanwhile
 * falls on all of them, and samples of the same round can be compared.
 */
export async function interleave<T extends Takes>(rounds: number, takes: T): Promise<Samples<T>> {
  const samples = Object.fromEntries(Object.keys(takes).map((name) => [name, [] as unknown[]]))
  for (let round = 0; round < rounds; round++)
    for (const [name, take] of Object.entries(takes)) samples[name]?.push(await take())
  return samples as Samples<T>
}
