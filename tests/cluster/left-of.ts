import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** Names of a lab wherever it could have left something. */
export function leftOf(id: string): string[] {
  const hierarchies = list('/sys/fs/cgroup')
  const places = ['/run/netns', '/run/archipelago-lab', tmpdir(), ...hierarchies]
  const files = places.flatMap(list).filter((name) => name.includes(id))
  return [...files, ...processesOf(id)]
}

/** What a node sets on a machine of its own, and here must leave alone. */
export function machineSettings(): Readonly<Record<string, string>> {
  const settings = [
    ...['vm/overcommit_memory', 'vm/panic_on_oom', 'kernel/panic', 'kernel/panic_on_oops'],
    ...['net/ipv4/ip_forward', 'net/netfilter/nf_conntrack_max'],
  ]
  const values = settings.map((name) => [name, read(`/proc/sys/${name}`).trim()])
  const folders = ['/sys/class/net', '/etc/cni', '/var/lib', '/var/log']
  return Object.fromEntries([...values, ...folders.map((each) => [each, list(each).join(' ')])])
}

function processesOf(id: string): string[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return processes.flatMap((pid) => {
    const command = read(`/proc/${pid}/cmdline`)
    return command.includes(id) ? [`process ${pid}: ${command.replaceAll('\0', ' ')}`] : []
  })
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => `${folder}/${name}`)
  } catch {
    return []
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
