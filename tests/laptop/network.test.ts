import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { startNetwork } from '../../laptop/network.ts'
import { readArchipelago } from '../../store/archipelago.ts'
import { makePrivateFolder } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const leftovers = import.meta.resolve('../../laptop/leftovers.ts')

test('a start that fails ends when nothing of it writes any more', async (t) => {
  const data = join(temporaryFolder(t), 'data')
  const { run } = homesOf(data)
  makePrivateFolder(run)
  const source = `
    import { recordProcess } from ${JSON.stringify(leftovers)}
    recordProcess(${JSON.stringify(run)}, 'other', process.pid, 'other')
    console.log('running')
    setInterval(() => {}, 1000)`
  const other = spawn(process.execPath, ['--input-type=module', '-e', source])
  t.teardown(() => other.kill('SIGKILL'))
  await once(other.stdout, 'data')
  const archipelago = readArchipelago(join(import.meta.dirname, '../../archipelago.yaml'))
  await t.throwsAsync(startNetwork({ archipelago, data, natsServer: 'nats-server' }), {
    code: 'ERR_ALREADY_RUNNING',
    message: `already running from this data directory: process ${other.pid}`,
  })
  t.true(existsSync(join(run, 'provision-credentials.cjs')))
})
