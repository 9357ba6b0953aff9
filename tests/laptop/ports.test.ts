import { createServer } from 'node:net'
import test from 'ava'
import { refuseTakenPorts } from '../../laptop/ports.ts'

const at = (port: number, listen = '127.0.0.1') => ({ host: listen, listen, port })

test('a port that somebody holds is named, with what it is for and what to do', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  await using server = createServer().listen(0, '127.0.0.1', resolve)
  await promise
  const { port } = server.address() as { port: number }
  const listeners = [
    { endpoint: at(0), purpose: 'clients of ams3-0' },
    { endpoint: at(port), purpose: 'gateways of ams3-0' },
  ]
  await t.throwsAsync(refuseTakenPorts(listeners), {
    code: 'ERR_PORT_TAKEN',
    message: `port taken: 127.0.0.1:${port} (gateways of ams3-0)`,
  })
})

test('an address that this machine does not have is named', async (t) => {
  const listeners = [{ endpoint: at(4222, '192.0.2.1'), purpose: 'clients of ams3-0' }]
  await t.throwsAsync(refuseTakenPorts(listeners), {
    code: 'ERR_ADDRESS_UNUSABLE',
    message: 'cannot listen: 192.0.2.1:4222 (EADDRNOTAVAIL)',
  })
})

test('free ports are still free afterwards', async (t) => {
  const probe = createServer()
  const { promise, resolve } = Promise.withResolvers<void>()
  probe.listen(0, '127.0.0.1', resolve)
  await promise
  const { port } = probe.address() as { port: number }
  await probe[Symbol.asyncDispose]()
  const listeners = [{ endpoint: at(port), purpose: 'test' }]
  await refuseTakenPorts(listeners)
  await t.notThrowsAsync(refuseTakenPorts(listeners))
})
