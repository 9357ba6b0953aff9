import { fileURLToPath } from 'node:url'
import test from 'ava'
import { readArchipelago } from '../../store/archipelago.ts'
import { compareGenerated } from '../../gitops/generated-files.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import { describeManifest } from '../../gitops/manifest.ts'
import { renderManifests } from '../../gitops/render.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const archipelago = readArchipelago(`${root}archipelago.yaml`)

test('generated files are as archipelago.yaml would render them, and none is left over', (t) => {
  t.deepEqual(compareGenerated(root, renderManifests(archipelago)), [])
})

test('the base builds alone', async (t) => {
  t.not((await buildKustomization(`${root}manifests/base`)).length, 0)
})

test('every region gets the same resources, but for its name and the hashes of its texts', async (t) => {
  const [first = [], ...others] = await Promise.all(
    archipelago.regions.map(async ({ name }) => {
      const manifests = await buildKustomization(`${root}manifests/overlays/${name}`)
      return manifests
        .map((manifest) => describeManifest(manifest).replaceAll(name, 'REGION'))
        .map((name) => name.replace(/-[0-9a-z]{10}$/, '-HASH'))
        .toSorted()
    }),
  )
  t.not(first.length, 0)
  for (const other of others) t.deepEqual(other, first)
})
