// Somebody who says a number every few milliseconds, and somebody elsewhere who misses none.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { until } from '../../until.ts'
import type { Speaker } from './member.ts'

export interface Talk {
  /** The number that was heard last. */
  heard(): number
  /** Ends it; the numbers that were said between the first heard and the last, and not heard. */
  end(): Promise<number[]>
}

const pauseMs = 20
const forEver = 1_000_000

/** Returns when the first number is heard. */
export async function startTalk(
  speaker: Speaker,
  listener: Speaker,
  subject: string,
): Promise<Talk> {
  const numbers: number[] = []
  const ear = start(listener, ['sub', subject, '--raw'])
  createInterface(ear.stdout).on('line', (line) => {
    if (line.trim() !== '') numbers.push(Number(line))
  })
  const count = [`--count=${forEver}`, `--sleep=${pauseMs}ms`]
  const mouth = start(speaker, ['pub', subject, '{{Count}}', ...count])
  mouth.stdout.resume()
  const all = [ear, mouth]
  await until('a first number to be heard', () => {
    for (const { exitCode, spawnargs } of all)
      if (exitCode !== null) throw new Error(`ended: ${spawnargs.slice(-4).join(' ')}`)
    return numbers.length > 0
  })
  return {
    heard: () => numbers.at(-1) ?? 0,
    end: async () => {
      await Promise.all([ear, mouth].map(stop))
      return missingOf(numbers)
    },
  }
}

function start({ nats }: Speaker, args: readonly string[]) {
  const [program = '', ...rest] = [...nats, ...args]
  return spawn(program, rest, { stdio: ['ignore', 'pipe', 'ignore'] })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function missingOf(numbers: readonly number[]): number[] {
  const heard = new Set(numbers)
  const first = Math.min(...numbers)
  const said = Array.from({ length: Math.max(...numbers) - first + 1 }, (_, at) => first + at)
  return said.filter((each) => !heard.has(each))
}
