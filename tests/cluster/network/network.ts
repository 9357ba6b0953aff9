// Three clusters and their operator, as the scenes of tests/cluster/supercluster.test.ts find them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { serveRepository, type Repository } from '../addons/repository.ts'
import type { Cluster } from '../lab/cluster.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { worldLines } from '../lab/wan.ts'
import { makeProjectImages } from '../project-images.ts'
import { joinAsMember, type Member } from './member.ts'
import { openOperator, type Operator } from './operator.ts'
import { awaitHealthy, installPlatform, refresh } from './region.ts'

/** What a scene asks of its test. */
export type Assertions = Pick<
  ExecutionContext,
  'deepEqual' | 'is' | 'pass' | 'regex' | 'throwsAsync' | 'true'
>

export interface Network {
  readonly lab: Lab
  readonly operator: Operator
  readonly authorities: Repository['authorities']
  /** A line of progress. */
  say(line: string): void
  stop(): Promise<void>
}

export const regions = ['ams3', 'sfo2', 'sgp1'] as const
export type Region = (typeof regions)[number]

/** The lines between the regions are as long as those of the world. */
export async function openNetwork(say: (line: string) => void): Promise<Network> {
  const archives = mkdtempSync(join(tmpdir(), 'archipelago-images-'))
  const images = await makeProjectImages(archives, say)
  const lab = await startLab({ regions, nodes: 2, images, report: say })
  await lab.wan.delay(worldLines)
  const { authorities, ...repository } = await serveRepository(lab, 'archipelago')
  const operator = await openOperator(lab, { authorities, ...repository }, images)
  await commit(operator, 'as an operator begins')
  await operator.git('push', '--quiet', 'origin', 'main')
  await Promise.all(
    lab.clusters.map((cluster) => installPlatform(lab, cluster, { authorities, report: say })),
  )
  say('Argo CD, cert-manager and sealed-secrets are there')
  const stop = async (): Promise<void> => {
    await lab.stop()
    rmSync(archives, { recursive: true })
  }
  return { lab, operator, authorities, say, stop }
}

/** Commits what stands in the clone, if anything does, and announces it; the commit. */
export async function push(network: Network, message: string): Promise<string> {
  await commit(network.operator, message)
  return await announce(network)
}

/** Brings what is committed to the regions, as a push with a webhook does; the commit. */
export async function announce({ lab, operator }: Network): Promise<string> {
  // What promote has pushed meanwhile.
  await operator.git('pull', '--quiet', '--rebase', 'origin', 'main')
  await operator.git('push', '--quiet', 'origin', 'main')
  await Promise.all(lab.clusters.map((cluster) => refresh(cluster)))
  return (await operator.git('rev-parse', 'HEAD')).trim()
}

async function commit({ git }: Operator, message: string): Promise<void> {
  await git('add', '--all')
  await git('commit', '--quiet', '--allow-empty', `--message=${message}`)
}

export async function allHealthy({ lab }: Network, commit?: string): Promise<void> {
  const named = commit === undefined ? {} : { commit }
  await Promise.all(lab.clusters.map((cluster: Cluster) => awaitHealthy(cluster, named)))
}

/** Somebody of each region, with a credential of its own function. */
export async function joinEverywhere({
  lab,
  operator,
}: Network): Promise<Readonly<Record<Region, Member>>> {
  const joining = lab.clusters.map(
    async (cluster) => [cluster.region, await joinAsMember(lab, operator, cluster)] as const,
  )
  return Object.fromEntries(await Promise.all(joining)) as Record<Region, Member>
}

/** Seconds, for a line of progress. */
export const since = (start: number): string => ((performance.now() - start) / 1000).toFixed(1)
