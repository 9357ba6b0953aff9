// What the function spends on one request, without network and server: on one core, so a second of
// it is what that core can do.
import { createAccount, createUser, encodeUser, fmtCreds } from '@nats-io/jwt'
import { decideAccess } from '../../core/access/decision.ts'
import { issueCredential, sealCredential, type RoleSigner } from '../../core/access/issue.ts'
import { requireScope } from '../../core/trust/chain.ts'
import { parseUser } from '../../core/trust/user.ts'
import { readFunctionTrust } from '../../store/function-trust.ts'
import { functionHome } from '../../store/homes.ts'
import { interleave } from '../interleave.ts'
import { makeFolder } from '../place.ts'
import { makePlainTrust } from '../plain-network.ts'
import { prepareRequests } from '../prepare.ts'
import type { Bench, Figure, Row } from '../row.ts'
import { ratios } from '../statistics.ts'

export const issuance: Row = {
  name: 'issuance',
  what: 'credentials inside the function, on one core',
  measure,
}

const door = 'lobby'
const requestors = 256

async function measure(bench: Bench): Promise<Figure[]> {
  using folder = makeFolder()
  const { homes, operator, region } = await makePlainTrust(folder.path, door)
  const keysFolder = functionHome(homes, region.name, door)
  const trust = readFunctionTrust({ publicFolder: homes.public, keysFolder }, door)
  const signer = trust.signers.get('member') as RoleSigner
  const requests = prepareRequests(operator, requestors)
  const nowMs = Date.now()
  const decide = (turn: number) =>
    decideAccess(requests[turn % requestors]?.bytes as Uint8Array, { ...trust, door, nowMs })
  const granted = requests.map((_, turn) => decide(turn))
  const issue = (turn: number) => issueCredential(granted[turn % requestors] as never, signer)
  requireScope(parseUser(issue(0).text), signer.account)
  const peer = await peerIssue()
  const durationMs = bench.duration(300)
  const sealed = (turn: number) => {
    const grant = decide(turn)
    const user = issueCredential(grant, signer)
    return sealCredential(grant, { user, account: signer.account, region: region.name })
  }
  const samples = await interleave(bench.rounds(15), {
    signed: () => perSecond(issue, durationMs),
    proved: () => perSecond((turn) => issueCredential(decide(turn), signer), durationMs),
    sealed: () => perSecond(sealed, durationMs),
    peer: () => perSecond(peer, durationMs),
  })
  return [
    { what: 'no proof, no seal', unit: '/s', samples: samples.signed, target: { atLeast: 10_000 } },
    { what: 'with proof', unit: '/s', samples: samples.proved },
    { what: 'with proof and seal', unit: '/s', samples: samples.sealed },
    { what: '@nats-io/jwt, in the same rounds', unit: '/s', samples: samples.peer },
    {
      what: 'no proof, no seal: times the peer',
      unit: '×',
      samples: ratios(samples.signed, samples.peer),
    },
  ]
}

/** As its documentation shows it; the key pair is made before. */
async function peerIssue(): Promise<() => Promise<unknown>> {
  const [account, user] = [createAccount(), createUser()]
  return async () => {
    return fmtCreds(await encodeUser('alice', user, account), user)
  }
}

/** By the time on the processor: what else runs on the machine changes it least. */
async function perSecond(run: (turn: number) => unknown, durationMs: number): Promise<number> {
  const before = process.cpuUsage()
  let turn = 0
  let spentMs = 0
  while (spentMs < durationMs) {
    await run(turn++)
    spentMs = millisecondsOf(process.cpuUsage(before))
  }
  return (turn * 1_000) / spentMs
}

function millisecondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1_000
}
