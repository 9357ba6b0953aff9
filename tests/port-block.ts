// Ports for one network, which no other test takes meanwhile, in whatever process or thread it runs.
import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

export interface PortBlock extends AsyncDisposable {
  readonly firstPort: number
}

// All below 32768, from where the kernel gives ports to dialling programs.
const lowest = 10_000
const blocks = 45
const portsPerBlock = 500
// Four regions of a hundred ports, and half a region to move all of them by.
const usedPorts = 450

/** A block of which nobody listens on any port; it is the caller's until it is disposed, or dies. */
export async function claimPorts(): Promise<PortBlock> {
  const start = randomInt(blocks)
  for (let tried = 0; tried < blocks; tried += 1) {
    const firstPort = lowest + portsPerBlock * ((start + tried) % blocks)
    const claim = await claimBlock(firstPort)
    if (claim !== undefined) return { firstPort, [Symbol.asyncDispose]: () => close(claim) }
  }
  throw new Error(`none of ${blocks} blocks of ports is free`)
}

/** Whoever listens on the last port of a block, which no network uses, has all of it. */
async function claimBlock(firstPort: number): Promise<Server | undefined> {
  const claim = await listen(firstPort + portsPerBlock - 1)
  if (claim === undefined) return undefined
  const ports = Array.from({ length: usedPorts }, (_, offset) => firstPort + offset)
  const probes = (await Promise.all(ports.map(listen))).filter((probe) => probe !== undefined)
  await Promise.all(probes.map(close))
  if (probes.length === usedPorts) return claim.unref()
  await close(claim)
  return undefined
}

function listen(port: number): Promise<Server | undefined> {
  const { promise, resolve } = Promise.withResolvers<Server | undefined>()
  const server = createServer()
  server.once('error', () => resolve(undefined))
  server.listen({ host: '127.0.0.1', port, exclusive: true }, () => resolve(server))
  return promise
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
