import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const example = fileURLToPath(new URL('../../archipelago.yaml', import.meta.url))

test('writes the external addresses of the nodes, sorted by their names', async (t) => {
  const { discover, archipelago } = start(t, [
    node('b', { ExternalIP: '203.0.113.2', InternalIP: '10.0.0.2' }),
    node('a', { InternalIP: '10.0.0.1', ExternalIP: '203.0.113.1', Hostname: 'a' }),
  ])
  const dry = await discover('ams3', '--dry-run', '--json')
  t.like(JSON.parse(dry.stdout), { isChanged: true, isDryRun: true })
  t.false(archipelago().includes('nodes:'))
  const { code, stdout } = await discover('ams3')
  t.is(code, 0)
  t.is(
    stdout,
    'wrote regions.ams3.nodes: 203.0.113.1, 203.0.113.2\nnext: npx node scripts/render-manifests.ts\n',
  )
  t.true(archipelago().includes('  ams3:\n    nodes: [203.0.113.1, 203.0.113.2]\n    addresses:'))
  t.regex((await discover('ams3')).stdout, /^already there: /)
})

test('says where no node has such an address', async (t) => {
  const { discover, archipelago } = start(t, [node('a', { InternalIP: '10.0.0.1' })])
  const before = archipelago()
  const { code, stderr } = await discover('ams3')
  t.is(code, 1)
  t.regex(stderr, /^discover-gateways: ams3: no node with an ExternalIP\ndo: /)
  t.is(archipelago(), before)
  t.is((await discover('ams3', '--address-type', 'InternalIP')).code, 0)
})

test('an address that archipelago.yaml would refuse is not written', async (t) => {
  const { discover, archipelago } = start(t, [node('a', { ExternalIP: 'not an address' })])
  const before = archipelago()
  const { code, stderr } = await discover('ams3')
  t.is(code, 1)
  t.regex(stderr, /regions\.ams3\.nodes/)
  t.is(archipelago(), before)
})

test('refuses a region that is none, and a file that is no list', async (t) => {
  const { discover, folder } = start(t, [])
  t.regex((await discover('ams')).stderr, /unknown region: 'ams' \(ams3, sfo2, sgp1\)/)
  writeFileSync(join(folder, 'objects.json'), '{}')
  t.regex((await discover('ams3')).stderr, /--file: not a list of objects/)
})

function start(t: ExecutionContext, items: readonly object[]) {
  const folder = temporaryFolder(t)
  const file = join(folder, 'archipelago.yaml')
  copyFileSync(example, file)
  writeFileSync(join(folder, 'objects.json'), JSON.stringify({ kind: 'List', items }))
  const discover = (...args: string[]) =>
    runScript('discover-gateways', ['--file', 'objects.json', ...args], { cwd: folder })
  return { folder, discover, archipelago: () => readFileSync(file, 'utf8') }
}

const node = (name: string, addresses: Record<string, string>) => ({
  kind: 'Node',
  metadata: { name },
  status: {
    addresses: Object.entries(addresses).map(([type, address]) => ({ type, address })),
  },
})
