/** Runs one act after the other, in the order in which they were given. */
export function openTurn(): <T>(act: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (act) => {
    const turn = last.then(act)
    last = turn.catch(() => {})
    return turn
  }
}
