import type { ProcessChange } from '../../core/network/change.ts'
import type { ProcessSpec } from '../process.ts'

/** What happens to the function processes; one whose environment or command differs starts anew. */
export function compareFunctions(
  before: readonly ProcessSpec[],
  after: readonly ProcessSpec[],
): ProcessChange[] {
  const names = new Set(after.map(({ name }) => name))
  const gone = before.filter(({ name }) => !names.has(name))
  return [
    ...gone.map(({ name }): ProcessChange => ({ name, effect: 'stop', settings: [] })),
    ...after.map((spec): ProcessChange => {
      const old = before.find(({ name }) => name === spec.name)
      if (old === undefined) return { name: spec.name, effect: 'start', settings: [] }
      const settings = differences(old, spec)
      return { name: spec.name, effect: settings.length === 0 ? 'none' : 'restart', settings }
    }),
  ]
}

function differences(old: ProcessSpec, now: ProcessSpec): string[] {
  const [before, after] = [old.env ?? {}, now.env ?? {}]
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  const settings = [...names].filter((name) => before[name] !== after[name])
  const isSameCommand =
    JSON.stringify([old.command, old.args]) === JSON.stringify([now.command, now.args])
  return isSameCommand ? settings : ['command', ...settings]
}
