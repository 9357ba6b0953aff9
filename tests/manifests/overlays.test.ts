import { fileURLToPath } from 'node:url'
import test from 'ava'
import { readArchipelago } from '../../store/archipelago.ts'
import { compareGenerated } from '../../gitops/generated-files.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import type { Manifest } from '../../gitops/manifest.ts'
import { renderManifests } from '../../gitops/render.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const archipelago = readArchipelago(`${root}archipelago.yaml`)

const regions = await Promise.all(
  archipelago.regions.map(async ({ name }) => {
    const manifests = await buildKustomization(`${root}manifests/overlays/${name}`)
    return leavesOf(manifests, name)
  }),
)

test('generated files are as archipelago.yaml would render them, and none is left over', (t) => {
  t.deepEqual(compareGenerated(root, renderManifests(archipelago)), [])
})

test('the base builds alone', async (t) => {
  t.not((await buildKustomization(`${root}manifests/base`)).length, 0)
})

/** Lists in which a region has another place than its neighbour, and addresses of others. */
const mayDiffer = [
  /^ConfigMap nats-config-HASH data\.REGION-\d\.conf$/,
  /^ConfigMap archipelago-HASH data\.archipelago\.json$/,
  /^StatefulSet REGION spec\.template\.spec\.hostAliases\./,
]

test('regions get the same, but for their names and what is on a short list', (t) => {
  const [first = new Map<string, unknown>(), ...others] = regions
  t.true(first.size > 500)
  for (const other of others) {
    const paths = [...new Set([...first.keys(), ...other.keys()])]
    const different = paths.filter((path) => first.get(path) !== other.get(path))
    t.deepEqual(
      different.filter((path) => !mayDiffer.some((shape) => shape.test(path))),
      [],
    )
  }
})

test('what may differ does, or the list is longer than it has to be', (t) => {
  const [first = new Map<string, unknown>(), second] = regions
  const different = [...first.keys()].filter((path) => first.get(path) !== second?.get(path))
  // As cloned no region has addresses of nodes.
  for (const shape of mayDiffer.slice(0, 2)) t.true(different.some((path) => shape.test(path)))
})

/** Every plain value by object and path, with one name for the region, and one for every hash. */
function leavesOf(manifests: readonly Manifest[], region: string): Map<string, unknown> {
  const text = JSON.stringify(manifests)
    .replaceAll(region, 'REGION')
    .replaceAll(region.toUpperCase(), 'REGION')
    .replaceAll(/"([a-z-]+)-[0-9a-z]{10}"/g, '"$1-HASH"')
  const alike = JSON.parse(text) as Manifest[]
  return new Map(
    alike.flatMap((manifest) =>
      leaves(manifest, []).map(([path, value]): [string, unknown] => [
        `${manifest.kind} ${manifest.metadata.name} ${path}`,
        value,
      ]),
    ),
  )
}

function leaves(value: unknown, path: readonly string[]): [path: string, value: unknown][] {
  if (typeof value !== 'object' || value === null) return [[path.join('.'), value]]
  return Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]))
}
