import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { parseCreds } from '../../core/trust/creds.ts'
import { readOrRefuse } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import { leafnodeCredsFile } from '../../store/leafnode.ts'
import { edited } from '../core/archipelago/example.ts'
import { runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { until } from '../until.ts'

const entry = fileURLToPath(new URL('../../functions/renew-leafnode.ts', import.meta.url))

test('the renewer makes a credential, renews it at half of its life, and ends when told', async (t) => {
  const folder = temporaryFolder(t)
  const archipelagoFile = join(folder, 'archipelago.yaml')
  writeFileSync(archipelagoFile, edited('lifetime: 24h', 'lifetime: 20s'))
  const data = join(folder, 'data')
  const args = ['--archipelago', archipelagoFile, '--data-dir', data]
  const { code, stderr } = await runScript('bootstrap-trust', args)
  t.is(code, 0, stderr)
  const homes = homesOf(data)
  const file = leafnodeCredsFile(homes, 'ams3')
  rmSync(file, { force: true })
  const env = {
    ARCHIPELAGO_REGION: 'ams3',
    ARCHIPELAGO_PUBLIC: homes.public,
    ARCHIPELAGO_DATA: data,
  }
  const child = spawn(process.execPath, [entry], { env, stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const end = (): number => {
    try {
      return parseCreds(readOrRefuse(file, 'credential')).user.claims.exp ?? 0
    } catch {
      return 0
    }
  }
  const first = await until('a credential', end)
  const second = await until('the next one', () => (end() > first ? end() : 0), {
    deadlineMs: 20_000,
  })
  t.true(second - first >= 9 && second - first <= 13, `${second - first} s later`)
  child.kill('SIGTERM')
  t.is(await exited, 0)
})
