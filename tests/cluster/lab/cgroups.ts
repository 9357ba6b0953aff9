// A folder for each node in every hierarchy of cgroups version 1, by which the node's processes are
// found, counted and limited.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = '/sys/fs/cgroup'
const hierarchies = [
  'blkio',
  'cpu',
  'cpuacct',
  'cpuset',
  'devices',
  'freezer',
  'memory',
  'pids',
  'systemd',
  'unified',
]

/** True on a machine that has version 2 alone. */
export function isUnifiedOnly(): boolean {
  return existsSync(join(root, 'cgroup.controllers'))
}

/** The node's daemons live in the folder `sys`; its pods' folders are kubelet's. */
export function makeCgroups(name: string): void {
  for (const folder of foldersOf(name)) {
    mkdirSync(join(folder, 'sys'), { recursive: true })
    if (folder.startsWith(join(root, 'cpuset'))) {
      for (const each of [folder, join(folder, 'sys')]) fillCpuset(each)
    }
  }
}

/** Files to which a process writes itself in order to join. */
export function joinFiles(name: string): string[] {
  return foldersOf(name).map((folder) => join(folder, 'sys', 'cgroup.procs'))
}

/** Processes that are still in one of the node's groups. */
export function membersOf(name: string): number[] {
  const groups = foldersOf(name).flatMap(tree)
  return [...new Set(groups.flatMap(processesIn))]
}

/** False while something in it is in use. */
export function removeCgroups(name: string): boolean {
  for (const folder of foldersOf(name)) {
    for (const each of tree(folder).toReversed()) {
      try {
        rmdirSync(each)
      } catch {
        // In use: it is tried again.
      }
    }
  }
  return foldersOf(name).every((folder) => !existsSync(folder))
}

function foldersOf(name: string): string[] {
  return hierarchies
    .map((each) => join(root, each))
    .filter((each) => existsSync(each))
    .map((each) => join(each, name))
}

/** A cpuset without processors and memory takes no process. */
function fillCpuset(folder: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    writeFileSync(join(folder, file), readFileSync(join(root, 'cpuset', file), 'utf8'))
  }
}

/** Parents before children. */
function tree(folder: string): string[] {
  try {
    const below = readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory())
    return [folder, ...below.flatMap((each) => tree(join(folder, each.name)))]
  } catch {
    return []
  }
}

function processesIn(group: string): number[] {
  try {
    return readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
  } catch {
    return []
  }
}
