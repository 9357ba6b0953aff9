import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { missingReason } from '../../../functions/cluster/missing-files.ts'
import { signalOnChange } from '../../../functions/cluster/signal-on-change.ts'
import { parseWatchEnvironment } from '../../../functions/cluster/watch-environment.ts'
import { run } from '../../run-script.ts'
import { startTestServer } from '../../test-server.ts'
import { until } from '../../until.ts'

const watchFiles = join(import.meta.dirname, '../../../functions/cluster/watch-files.ts')

test('files are named by absolute paths, and the region has to be told', (t) => {
  t.deepEqual(parseWatchEnvironment({ ARCHIPELAGO_REGION: 'ams3', OTHER_FILES: '/a\n  /b ' }), {
    region: 'ams3',
    adoptionFiles: [],
    certificateFiles: [],
    otherFiles: ['/a', '/b'],
  })
  const code = 'ERR_ENVIRONMENT'
  t.throws(() => parseWatchEnvironment({}), { code, message: 'ARCHIPELAGO_REGION is not set' })
  t.throws(() => parseWatchEnvironment({ ARCHIPELAGO_REGION: 'ams3', ADOPTION_FILES: 'a' }), {
    code,
    message: "ADOPTION_FILES has to name absolute paths: 'a'",
  })
})

test('a pod waits for its adoption first, then for its certificates', (t) => {
  const { folder, environment, mount } = makeVolume(t)
  const [operator, certificate] = [join(folder, 'operator.jwt'), join(folder, 'tls.crt')]
  const reason = () =>
    missingReason({ ...environment, adoptionFiles: [operator], certificateFiles: [certificate] })
  t.is(
    reason(),
    `region ams3 is not adopted: run npx node scripts/adopt-region.ts ams3 and push (missing: ${operator})`,
  )
  mount({ 'operator.jwt': '' })
  t.regex(reason() ?? '', /is not adopted/)
  mount({ 'operator.jwt': 'a JWT' })
  t.regex(reason() ?? '', /^cert-manager of region ams3 has not issued yet: .*tls\.crt\)$/)
  mount({ 'operator.jwt': 'a JWT', 'tls.crt': 'a certificate' })
  t.is(reason(), undefined)
})

test('as a program it stays until it is told to end', async (t) => {
  const { folder, mount } = makeVolume(t)
  mount({ 'limits.conf': 'one' })
  const processFile = join(folder, 'nats.pid')
  await using server = await startTestServer({ pid_file: processFile })
  const env = {
    ARCHIPELAGO_REGION: 'ams3',
    OTHER_FILES: join(folder, 'limits.conf'),
    PROCESS_FILE: processFile,
  }
  const program = spawn(process.execPath, [watchFiles], { env, stdio: 'pipe' })
  t.teardown(() => program.kill('SIGKILL'))
  const exit = once(program, 'exit')
  await until('it tells the server', () => {
    mount({ 'limits.conf': `at ${performance.now()}` })
    return reloadsOf(server) > 0
  })
  program.kill('SIGTERM')
  t.deepEqual(await exit, [0, null])
})

test('as a probe it says the reason and fails', async (t) => {
  const { folder } = makeVolume(t)
  const { code, stdout } = await run(process.execPath, [watchFiles, '--ready'], {
    env: { ARCHIPELAGO_REGION: 'ams3', ADOPTION_FILES: join(folder, 'operator.jwt') },
  })
  t.is(code, 1)
  t.regex(stdout, /^region ams3 is not adopted/)
})

test('a mounted file that changes is told to the server, also one that starts later', async (t) => {
  const { folder, environment, mount } = makeVolume(t)
  mount({ 'limits.conf': 'one' })
  const [processFile, file] = [join(folder, 'nats.pid'), join(folder, 'limits.conf')]
  const lines: string[] = []
  using _watching = signalOnChange(
    { ...environment, otherFiles: [file], processFile },
    { report: (line) => lines.push(line), pollMs: 50 },
  )
  mount({ 'limits.conf': 'two, before there is a server' })
  await using server = await startTestServer({ pid_file: processFile })
  await until('a server that started later is told', () => reloadsOf(server) === 1)
  mount({ 'limits.conf': 'three' })
  await until('it is told again', () => reloadsOf(server) === 2)
  t.deepEqual(new Set(lines), new Set([`told nats-server to read again: ${file}`]))
})

test('whoever has the process id of a server that is gone is left alone', async (t) => {
  const { folder, environment, mount } = makeVolume(t)
  const processFile = join(folder, 'nats.pid')
  const other = spawn('sleep', ['60'], { stdio: 'ignore' })
  t.teardown(() => other.kill('SIGKILL'))
  await once(other, 'spawn')
  writeFileSync(processFile, String(other.pid))
  mount({ 'limits.conf': 'one' })
  const lines: string[] = []
  const file = join(folder, 'limits.conf')
  using _watching = signalOnChange(
    { ...environment, otherFiles: [file], processFile },
    { report: (line) => lines.push(line), pollMs: 20 },
  )
  mount({ 'limits.conf': 'two' })
  await using server = await startTestServer({ pid_file: join(folder, 'own.pid') })
  renameSync(join(folder, 'own.pid'), processFile)
  await until('the real server is told', () => reloadsOf(server) === 1)
  t.is(other.signalCode, null)
  t.is(lines.length, 1)
})

const reloadsOf = ({ folder }: { readonly folder: string }) =>
  readFileSync(join(folder, 'log'), 'utf8').split('Reloaded server configuration').length - 1

/** A folder as the kubelet mounts it: what it holds is replaced by one symbolic link. */
function makeVolume(t: ExecutionContext) {
  const folder = mkdtempSync(join(tmpdir(), 'archipelago-volume-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  let version = 0
  const mount = (texts: Record<string, string>): void => {
    version += 1
    const name = `..${version}`
    mkdirSync(join(folder, name))
    for (const [file, text] of Object.entries(texts)) writeFileSync(join(folder, name, file), text)
    symlinkSync(name, join(folder, '..next'))
    renameSync(join(folder, '..next'), join(folder, '..data'))
    for (const file of Object.keys(texts)) {
      if (!existsSync(join(folder, file))) symlinkSync(join('..data', file), join(folder, file))
    }
  }
  const environment = parseWatchEnvironment({ ARCHIPELAGO_REGION: 'ams3' })
  return { folder, environment, mount }
}
