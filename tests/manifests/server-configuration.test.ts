// What pods really mount, given to a real nats-server: files of the overlays, and a trust made by hand.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'ava'
import { digestConfiguration, parseConfiguration } from '../../core/network/configuration.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import { findTool } from '../../laptop/tools.ts'
import { readArchipelago } from '../../store/archipelago.ts'
import { makeTrust } from '../cluster/hand-made-trust.ts'
import { run } from '../run-script.ts'

const root = join(import.meta.dirname, '../..')
const archipelago = readArchipelago(join(root, 'archipelago.yaml'))
const natsServer = await findTool('nats-server', { report: () => {} })

type Texts = Readonly<Record<string, string>>
interface Mounted {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Texts
  readonly stringData?: Texts
}

/** Where manifests/base/server mounts each; the accounts where watch-files brings them. */
const mounts: readonly (readonly [name: RegExp, path: string])[] = [
  [/^nats-config-/, 'etc/nats/config'],
  [/^nats-reload$/, 'etc/nats/reload'],
  [/^trust$/, 'etc/nats/trust'],
  [/^accounts$/, 'data/trust'],
  [/^region-authority$/, 'etc/nats/authorities'],
  [/^svid-nats-server$/, 'etc/nats/tls/server'],
  [/^public-nats-server$/, 'etc/nats/tls/public'],
]

for (const { name: region } of archipelago.regions) {
  test(`nats-server takes the configuration of every server of ${region}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'archipelago-pod-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const { maps, secrets } = await makeTrust(archipelago, region)
    const built = await buildKustomization(join(root, 'manifests/overlays', region))
    const texts = mount([...built, ...maps, ...secrets] as Mounted[], folder)
    const configurations = [...texts.keys()].filter((path) => path.startsWith('etc/nats/config/'))
    t.is(configurations.length, 3)
    for (const path of configurations) {
      const { code, stderr } = await run(natsServer, ['-t', '-c', join(folder, path)])
      t.is(code, 0, stderr)
      const parts = [path, 'etc/nats/reload/limits.conf', 'data/trust/accounts.conf']
      const whole = parts.map((part) => texts.get(part)?.replace(/^include .*$/gm, '')).join('\n')
      t.true(stderr.includes(digestConfiguration(parseConfiguration(whole))), stderr)
    }
  })
}

/** With paths that lead into the folder; by path from there. */
function mount(objects: readonly Mounted[], folder: string): Map<string, string> {
  const texts = new Map<string, string>()
  for (const { metadata, data, stringData } of objects) {
    const [, path] = mounts.find(([name]) => name.test(metadata.name)) ?? []
    if (path === undefined) continue
    for (const [name, text] of Object.entries({ ...data, ...stringData })) {
      const moved = text.replaceAll(/"\/(etc|data|run)\//g, `"${folder}/$1/`)
      texts.set(join(path, name), moved)
    }
  }
  for (const [path, text] of texts) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return texts
}
