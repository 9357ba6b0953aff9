// One line for many of the same: what costs whoever asks nothing must not fill a disk or keep others waiting.

export interface Sums<One> extends Disposable {
  /** `who` and `what` tell which are the same. */
  add(one: One, same: { readonly who: string; readonly what: string }): void
}
export interface SumsOptions<One> {
  /** `times` is how many of them this stands for. */
  readonly put: (one: One, times: number) => void
  /** The same of nobody in particular: where too many ask at once. */
  readonly ofOthers: (one: One) => One
  readonly pauseMs?: number
  readonly whoMax?: number
}

/**
 * The first is put at once. Those like it in the next 10 seconds are counted and put together at their end,
 * or when it is disposed. From so many askers on, those who are new are one.
 */
export function openSums<One>({
  put,
  ofOthers,
  pauseMs = 10_000,
  whoMax = 64,
}: SumsOptions<One>): Sums<One> {
  const sums = new Map<string, { readonly one: One; times: number }>()
  let timer: NodeJS.Timeout | undefined
  const end = (): void => {
    clearTimeout(timer)
    timer = undefined
    for (const { one, times } of sums.values()) if (times > 0) put(one, times)
    sums.clear()
  }
  const count = (key: string, one: () => One): void => {
    const known = sums.get(key)
    if (known !== undefined) return void (known.times += 1)
    const first = one()
    sums.set(key, { one: first, times: 0 })
    timer ??= setTimeout(end, pauseMs).unref()
    put(first, 1)
  }
  return {
    add(one, { who, what }) {
      const key = `${what} ${who}`
      if (sums.has(key) || sums.size < whoMax) count(key, () => one)
      else count(what, () => ofOthers(one))
    },
    [Symbol.dispose]: end,
  }
}
