// Everything under manifests/ through one gate after the other, each saying whether it ran.
import { readdirSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import type { Archipelago } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import type { DryRun } from '../kube/dry-run.ts'
import { findSchemaFaults } from '../kube/schema.ts'
import { buildKustomization } from './kustomize.ts'
import { describeManifest } from './manifest.ts'
import type { Built } from './rule.ts'
import { breachesOf, manifestRules } from './rules.ts'

export interface Gate {
  readonly name: string
  readonly isRun: boolean
  /** How much was looked at, or why nothing was. */
  readonly note: string
  /** Each with the folder that builds it. */
  readonly faults: readonly string[]
}

/** Builds every kustomization of the clone and looks at what comes out. */
export async function validateManifests(
  root: string,
  archipelago: Archipelago,
  server?: DryRun,
): Promise<Gate[]> {
  const { built, faults } = await buildAll(root, archipelago)
  const build = {
    name: 'kustomize build',
    isRun: true,
    note: `${built.length + faults.length} folders`,
    faults,
  }
  return [build, schemaGate(built), rulesGate(built), await serverGate(built, archipelago, server)]
}

async function buildAll(root: string, archipelago: Archipelago) {
  const built: Built[] = []
  const faults: string[] = []
  for (const folder of listKustomizations(root)) {
    try {
      const manifests = await buildKustomization(join(root, folder))
      const isOverlay = dirname(folder) === 'manifests/overlays'
      built.push({ folder, archipelago, manifests, ...(isOverlay && { region: basename(folder) }) })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      faults.push(error.message.replaceAll(root, ''))
    }
  }
  return { built, faults }
}

/** Components build as a part of others only. */
function listKustomizations(root: string): string[] {
  return readdirSync(join(root, 'manifests'), { recursive: true, withFileTypes: true })
    .filter(({ name }) => name === 'kustomization.yaml')
    .map(({ parentPath }) => relative(root, parentPath))
    .filter((folder) => !/^manifests\/components\/|\/generated(\/|$)/.test(folder))
    .toSorted()
}

function schemaGate(built: readonly Built[]): Gate {
  const foreign = new Set<string>()
  const faults = inFolders(built, ({ manifests }) =>
    manifests.flatMap((manifest) => {
      const found = findSchemaFaults(manifest)
      if (found === undefined) foreign.add(`${manifest.kind} (${manifest.apiVersion})`)
      return (found ?? []).map((fault) => `${describeManifest(manifest)}: ${fault}`)
    }),
  )
  const left = foreign.size === 0 ? '' : `; left to a server: ${[...foreign].toSorted().join(', ')}`
  const note = `${countOf(built)} objects against Kubernetes 1.36${left}`
  return { name: 'schema, unknown fields', isRun: true, note, faults }
}

function rulesGate(built: readonly Built[]): Gate {
  const note = `${manifestRules.length} rules on ${countOf(built)} objects`
  return { name: 'rules of our own', isRun: true, note, faults: inFolders(built, breachesOf) }
}

async function serverGate(
  built: readonly Built[],
  archipelago: Archipelago,
  server: DryRun | undefined,
): Promise<Gate> {
  const name = 'server-side dry run'
  const skip = (note: string): Gate => ({ name, isRun: false, note, faults: [] })
  if (server === undefined) return skip('no cluster: name one with --context or --kubeconfig')
  const { namespace } = archipelago.kubernetes
  if (!(await server.hasNamespace(namespace)))
    return skip(`the cluster has no namespace ${namespace}, or does not answer`)
  const overlays = built.filter(({ region }) => region !== undefined)
  const faults: string[] = []
  for (const { folder, manifests } of overlays) {
    const reasons = await Promise.all(manifests.map((manifest) => server.tryApply(manifest)))
    for (const [index, manifest] of manifests.entries())
      if (reasons[index] !== undefined)
        faults.push(`${folder}: ${describeManifest(manifest)}: ${reasons[index]}`)
  }
  return { name, isRun: true, note: `${countOf(overlays)} objects`, faults }
}

const inFolders = (built: readonly Built[], find: (one: Built) => readonly string[]) =>
  built.flatMap((one) => find(one).map((fault) => `${one.folder}: ${fault}`))

const countOf = (built: readonly Built[]) =>
  built.reduce((sum, { manifests }) => sum + manifests.length, 0)
