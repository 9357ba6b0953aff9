// How long the lines between regions are. The router hands every packet from one region to another to
// a program that lets it go later.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { namespaceFile } from './clean.ts'
import { names } from './network.ts'
import type { LabPlace } from './place.ts'
import { identify } from './process-id.ts'
import { run } from './run.ts'
import type { Toolbox } from './toolbox.ts'

export interface LineLength {
  readonly between: readonly [string, string]
  readonly roundTripMs: number
  readonly jitterMs?: number
  /** Of each packet, each way. */
  readonly lossPercent?: number
}

export interface Wan {
  /** Sets lines; what is not named stays as it is. May be said again while traffic runs. */
  delay(lines: readonly LineLength[]): Promise<void>
}

/** As measured between Amsterdam, San Francisco and Singapore. */
export const worldLines: readonly LineLength[] = [
  { between: ['ams3', 'sfo2'], roundTripMs: 145, jitterMs: 1 },
  { between: ['ams3', 'sgp1'], roundTripMs: 161, jitterMs: 1 },
  { between: ['sfo2', 'sgp1'], roundTripMs: 175, jitterMs: 1 },
]

/** Lines have no length until one is set. */
export function openWan(place: LabPlace, toolbox: Toolbox): Wan {
  const queues = new Map<string, number>()
  let speaker: Promise<Speaker> | undefined
  return {
    delay: async (lines) => {
      speaker ??= startSpeaker(place, toolbox)
      const { say } = await speaker
      for (const line of lines) {
        const key = line.between.toSorted().join(' ')
        const known = queues.get(key)
        const queue = known ?? queues.size + 1
        queues.set(key, queue)
        const { jitterMs = 0, lossPercent = 0 } = line
        // The queue has its program before it has packets.
        await say(`${queue} ${line.roundTripMs / 2} ${jitterMs} ${lossPercent}`)
        if (known === undefined) await diverted(place, toolbox, { line, queue })
      }
    },
  }
}

interface Speaker {
  say(line: string): Promise<void>
}

/** It ends with its input, that is with this process. */
async function startSpeaker(place: LabPlace, toolbox: Toolbox): Promise<Speaker> {
  const program = join(await toolbox.peer('wan-delay'), 'bin/wan-delay')
  const namespace = `--net=${namespaceFile(names.router(place.id))}`
  const child = spawn('nsenter', [namespace, program], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child, 'spawn')
  place.keep({ processes: [identify(child.pid ?? 0)] })
  child.unref()
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]()
  return { say: (line) => ask(child, answers, line) }
}

async function ask(
  child: ChildProcess,
  answers: AsyncIterator<string>,
  line: string,
): Promise<void> {
  child.stdin?.write(`${line}\n`)
  const { value } = (await answers.next()) as { value?: string }
  if (value !== 'ok') throw new Error(`wan-delay has ended at '${line}'`)
}

/** Both ways; a queue without a program lets everything pass. */
async function diverted(
  place: LabPlace,
  { bin }: Toolbox,
  { line, queue }: { readonly line: LineLength; readonly queue: number },
): Promise<void> {
  const namespace = `--net=${namespaceFile(names.router(place.id))}`
  const [one, other] = line.between
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    const match = ['-t', 'mangle', '-A', 'FORWARD', '-i', from, '-o', to]
    const target = ['-j', 'NFQUEUE', '--queue-num', String(queue), '--queue-bypass']
    await run('nsenter', [namespace, join(bin, 'iptables'), ...match, ...target])
  }
}
