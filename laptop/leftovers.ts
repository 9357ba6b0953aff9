// Processes that outlived the supervisor that started them: how they are written down, known again and ended.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../core/errors.ts'
import { readIfThere, writePrivate } from '../store/files.ts'

interface ProcessMark {
  readonly pid: number
  readonly startedAt: string
}

interface ProcessRecord extends ProcessMark {
  readonly mark: string
  readonly supervisor: ProcessMark
}

export function recordProcess(directory: string, name: string, pid: number, mark: string): void {
  const [startedAt, supervisor] = [identify(pid)?.startedAt, identify(process.pid)?.startedAt]
  if (startedAt === undefined || supervisor === undefined) return
  const record: ProcessRecord = {
    ...{ pid, startedAt, mark },
    supervisor: { pid: process.pid, startedAt: supervisor },
  }
  writePrivate(recordPath(directory, name), `${JSON.stringify(record)}\n`)
}

export function forgetProcess(directory: string, name: string): void {
  rmSync(recordPath(directory, name), { force: true })
}

/** Ends what a killed supervisor left behind; refuses while that supervisor is alive. */
export async function endLeftovers(directory: string, deadlineMs: number): Promise<string[]> {
  const records = readRecords(directory).filter(
    ({ record }) => record.supervisor.pid !== process.pid,
  )
  const running = records.find(({ record }) => isAlive(record.supervisor))
  if (running !== undefined) {
    const { pid } = running.record.supervisor
    throw new Refusal(
      'ERR_ALREADY_RUNNING',
      `already running from this data directory: process ${pid}`,
    )
  }
  const left = records.filter(({ record }) => isAlive(record, record.mark))
  await Promise.all(left.map(({ record }) => endProcess(record, deadlineMs)))
  for (const { name } of records) forgetProcess(directory, name)
  return left.map(({ name }) => name)
}

async function endProcess(record: ProcessRecord, deadlineMs: number): Promise<void> {
  const deadline = Date.now() + deadlineMs
  process.kill(record.pid, 'SIGTERM')
  while (isAlive(record, record.mark)) {
    if (Date.now() > deadline) process.kill(record.pid, 'SIGKILL')
    await delay(10)
  }
}

const suffix = '.process.json'

const recordPath = (directory: string, name: string) => join(directory, `${name}${suffix}`)

function readRecords(directory: string): { name: string; record: ProcessRecord }[] {
  if (!existsSync(directory)) return []
  const files = readdirSync(directory).filter((file) => file.endsWith(suffix))
  return files.flatMap((file) => {
    const record = parseRecord(readIfThere(join(directory, file)) ?? '')
    return record === undefined ? [] : [{ name: file.slice(0, -suffix.length), record }]
  })
}

/** Undefined for a file that was cut off while it was written. */
function parseRecord(text: string): ProcessRecord | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A pid may be another process by now; its start and its command line tell. */
function isAlive({ pid, startedAt }: ProcessMark, mark = ''): boolean {
  const found = identify(pid)
  return found?.startedAt === startedAt && found.commandLine.includes(mark)
}

function identify(pid: number): { startedAt: string; commandLine: string } | undefined {
  return existsSync('/proc/self/stat') ? identifyByProc(pid) : identifyByPs(pid)
}

function identifyByProc(pid: number) {
  try {
    // proc(5): the second field may hold spaces and parentheses; the state is the third, the start the 22nd.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, startedAt] = [fields[0], fields[19]]
    if (state === 'Z' || startedAt === undefined) return undefined
    return { startedAt, commandLine: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }
  } catch {
    return undefined
  }
}

function identifyByPs(pid: number) {
  const columns = ['-ww', '-o', 'lstart=,command=', '-p', String(pid)]
  const line = spawnSync('ps', columns, {
    encoding: 'utf8',
    env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' },
  })
  const [, startedAt, commandLine] = /^(.{24}) +(.*)$/.exec(line.stdout.trim()) ?? []
  return startedAt && commandLine ? { startedAt, commandLine } : undefined
}
