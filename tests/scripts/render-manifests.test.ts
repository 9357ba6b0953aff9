import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const root = join(import.meta.dirname, '../..')
const rendered = 'manifests/overlays/ams3/generated/limits.conf'

function clone(t: ExecutionContext): string {
  const folder = temporaryFolder(t)
  for (const path of ['manifests', 'archipelago.yaml'])
    cpSync(join(root, path), join(folder, path), { recursive: true })
  return folder
}

test('an edit of archipelago.yaml is found, shown, and rendered', async (t) => {
  const cwd = clone(t)
  t.is((await runScript('render-manifests', ['--check'], { cwd })).code, 0)
  const file = join(cwd, 'archipelago.yaml')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('connectionsMax: 1000', 'connectionsMax: 2000'))
  const checked = await runScript('render-manifests', ['--check'], { cwd })
  t.is(checked.code, 1)
  t.regex(checked.stderr, /^render-manifests: not as rendered: .*limits\.conf/)
  t.regex(checked.stderr, /\ndo: run npx node scripts\/render-manifests\.ts/)
  const shown = await runScript('render-manifests', ['--dry-run'], { cwd })
  t.true(shown.stdout.includes(`change ${rendered}\n`), shown.stdout)
  t.true(readFileSync(join(cwd, rendered), 'utf8').includes('max_connections: 1000'))
  t.is((await runScript('render-manifests', [], { cwd })).code, 0)
  t.true(readFileSync(join(cwd, rendered), 'utf8').includes('max_connections: 2000'))
  t.is((await runScript('render-manifests', ['--check'], { cwd })).code, 0)
})

test('a file that is no longer rendered goes; what somebody wrote by hand stays', async (t) => {
  const cwd = clone(t)
  const folder = join(cwd, 'manifests/overlays/ams3/generated')
  const [stale, own] = [join(folder, 'old.conf'), join(folder, 'own.conf')]
  cpSync(join(cwd, rendered), stale)
  writeFileSync(own, '# mine\n')
  const { code, stdout } = await runScript('render-manifests', ['--json'], { cwd })
  t.is(code, 0)
  t.deepEqual((JSON.parse(stdout) as { changes: unknown }).changes, [
    { path: 'manifests/overlays/ams3/generated/old.conf', effect: 'remove' },
  ])
  t.deepEqual([existsSync(stale), existsSync(own)], [false, true])
})
