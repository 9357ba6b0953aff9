import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const root = join(import.meta.dirname, '../..')

function clone(t: ExecutionContext): string {
  const folder = temporaryFolder(t)
  for (const path of ['manifests', 'archipelago.yaml'])
    cpSync(join(root, path), join(folder, path), { recursive: true })
  return folder
}

test('faults of every gate are named together, each with its folder, and so is what did not run', async (t) => {
  const cwd = clone(t)
  const edit = (path: string, from: string, to: string): void => {
    const file = join(cwd, 'manifests', path)
    const text = readFileSync(file, 'utf8')
    t.true(text.includes(from), path)
    writeFileSync(file, text.replace(from, to))
  }
  edit('base/server/service-client.yaml', 'targetPort: client', 'targetport: client')
  edit('base/server/service.yaml', 'targetPort: route', 'targetPort: routes')
  edit('overlays/sgp1/kustomization.yaml', '- ../../base', '- ../../bass')
  const { code, stdout, stderr } = await runScript('validate-manifests', [], { cwd })
  t.is(code, 1)
  t.regex(
    stdout,
    /^✘ kustomize build.*\n {2}kustomize does not build \/?manifests\/overlays\/sgp1: /m,
  )
  t.true(
    stdout.includes(
      'manifests/overlays/ams3: Service nats/nats-client: .spec.ports[0].targetport: unknown field',
    ),
    stdout,
  )
  t.true(
    stdout.includes(
      'manifests/overlays/sfo2: services lead to pods: Service nats/nats: no pod has the port routes',
    ),
    stdout,
  )
  t.regex(stdout, /^– server-side dry run +not run: no cluster/m)
  t.regex(stdout, /^– trust goes forward +not run: no such revision here: HEAD$/m)
  t.regex(stderr, /^validate-manifests: \d+ faults\ndo: mend what is named above/)
})
