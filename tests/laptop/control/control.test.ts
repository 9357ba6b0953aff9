import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { Refusal } from '../../../core/errors.ts'
import { askControl } from '../../../laptop/control/ask-control.ts'
import {
  controlSocket,
  isHeld,
  openControl,
  requireFree,
} from '../../../laptop/control/open-control.ts'
import { requestBytesMax } from '../../../laptop/control/protocol.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const plan = { do: 'plan', archipelagoFile: 'archipelago.yaml' } as const

const makeRunDirectory = (t: ExecutionContext) => join(temporaryFolder(t), 'run')

/** Sends bytes as they are; the answer as it comes. */
async function send(run: string, bytes: string): Promise<string> {
  const socket = connect(controlSocket(run))
  socket.end(bytes)
  return text(socket)
}

test('a request is answered, its progress before its result', async (t) => {
  const run = makeRunDirectory(t)
  await using control = await openControl(run)
  control.handle((request, report) => {
    report('one')
    report('two')
    return Promise.resolve({ asked: request })
  })
  const lines: string[] = []
  t.deepEqual(await askControl(run, plan, (line) => lines.push(line)), { asked: plan })
  t.deepEqual(lines, ['one', 'two'])
})

test('a refusal comes back as it was', async (t) => {
  const run = makeRunDirectory(t)
  await using control = await openControl(run)
  control.handle(() => Promise.reject(new Refusal('ERR_PLAN_ASKS', 'nobody agreed')))
  await t.throwsAsync(
    askControl(run, plan, () => {}),
    { code: 'ERR_PLAN_ASKS', message: 'nobody agreed' },
  )
})

test('only its owner may speak to it', async (t) => {
  const run = makeRunDirectory(t)
  await using _control = await openControl(run)
  t.is(statSync(run).mode & 0o777, 0o700)
  t.is(statSync(controlSocket(run)).mode & 0o777, 0o600)
})

test('before there is a handler every request is refused', async (t) => {
  const run = makeRunDirectory(t)
  await using _control = await openControl(run)
  await t.throwsAsync(
    askControl(run, plan, () => {}),
    { code: 'ERR_BUSY', message: 'the network is being started or changed right now' },
  )
})

const illegal = (message: string) => ({ code: 'ERR_CONTROL_ILLEGAL', message })

for (const { title, bytes, refusal } of [
  { title: 'nothing', bytes: '', refusal: illegal('no control request: 0 characters') },
  {
    title: 'no line',
    bytes: '{"do":"plan"',
    refusal: illegal('no control request: 12 characters'),
  },
  {
    title: 'no JSON',
    bytes: 'plan\n',
    refusal: illegal('illegal control request: not JSON'),
  },
  {
    title: 'something else to do',
    bytes: '{"do":"stop","archipelagoFile":"a"}\n',
    refusal: illegal('illegal control request: do: '),
  },
  {
    title: 'no file',
    bytes: '{"do":"plan"}\n',
    refusal: illegal('illegal control request: archipelagoFile: '),
  },
  {
    title: 'more than it knows',
    bytes: '{"do":"plan","archipelagoFile":"a","agreed":"b"}\n',
    refusal: illegal('illegal control request: Unrecognized key: "agreed'),
  },
  {
    title: 'a digest that is none',
    bytes: '{"do":"apply","archipelagoFile":"a","agreed":"b"}\n',
    refusal: illegal('illegal control request: agreed: '),
  },
])
  test(`a request with ${title} is refused`, async (t) => {
    const run = makeRunDirectory(t)
    await using control = await openControl(run)
    control.handle(() => Promise.reject(new Error('handled')))
    const answer = JSON.parse(await send(run, bytes))
    t.is(answer.refusal.code, refusal.code)
    t.true(answer.refusal.message.startsWith(refusal.message), answer.refusal.message)
  })

test('a request is read up to its limit, and no further', async (t) => {
  const run = makeRunDirectory(t)
  await using control = await openControl(run)
  control.handle(() => Promise.reject(new Error('handled')))
  const answer = await send(run, 'a'.repeat(requestBytesMax + 1))
  t.regex(answer, /ERR_CONTROL_ILLEGAL.*no control request: 4097 characters/)
})

test('one holds it at a time; when it is let go, the next may', async (t) => {
  const run = makeRunDirectory(t)
  t.false(await isHeld(run))
  const control = await openControl(run)
  const refusal = {
    code: 'ERR_ALREADY_RUNNING',
    message: `already running from this data directory: ${run}`,
  }
  t.true(await isHeld(run))
  await t.throwsAsync(openControl(run), refusal)
  await t.throwsAsync(requireFree(run), refusal)
  await control[Symbol.asyncDispose]()
  await using _next = await openControl(run)
  t.true(await isHeld(run))
})

test('what a killed process left is taken over', async (t) => {
  const run = makeRunDirectory(t)
  mkdirSync(run)
  const path = JSON.stringify(controlSocket(run))
  const program = `net.createServer().listen(${path}, () => process.kill(process.pid, 'SIGKILL'))`
  t.is(spawnSync(process.execPath, ['-e', program]).signal, 'SIGKILL')
  t.true(existsSync(controlSocket(run)))
  t.false(await isHeld(run))
  await using _next = await openControl(run)
  t.true(await isHeld(run))
})

test('nobody there is no answer', async (t) => {
  const run = makeRunDirectory(t)
  t.is(await askControl(run, plan, () => {}), undefined)
})

test('a network that ends before it answered is told apart from none', async (t) => {
  const run = makeRunDirectory(t)
  const control = await openControl(run)
  control.handle(() => {
    void control[Symbol.asyncDispose]()
    return new Promise(() => {})
  })
  await t.throwsAsync(
    askControl(run, plan, () => {}),
    { code: 'ERR_CONTROL_LOST', message: 'the network ended before it answered' },
  )
})

test('a path that no socket can have is refused', async (t) => {
  const run = join(makeRunDirectory(t), 'a'.repeat(100))
  const error = await t.throwsAsync<Refusal>(openControl(run))
  t.is(error.code, 'ERR_CONTROL_PATH')
  t.regex(error.message, /^path of a socket is over 103 bytes: \d+: .*a{100}\/control\.sock$/)
})
