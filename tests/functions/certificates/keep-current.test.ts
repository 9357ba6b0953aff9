import { rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { formatCertificates } from '../../../core/identity/certificate.ts'
import { holdCertificate, type CertificatePems } from '../../../functions/certificates/held.ts'
import { keepCurrent, type Keeping } from '../../../functions/certificates/keep-current.ts'
import { formatPrivateKey } from '../../../store/authority-keys.ts'
import { openFiles } from '../../../store/files.ts'
import {
  laptopConstraints,
  makeAuthority,
  makeLeaf,
  makeRoot,
  type Held,
  type HeldLeaf,
} from '../../core/identity/example.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { until } from '../../until.ts'

const nowMs = Date.now()
const id = 'spiffe://ams3.example/function/lobby'
const root = await makeRoot(nowMs, 'example')
const ams3 = await makeAuthority(root, 'ams3', nowMs, laptopConstraints('ams3'))
const sfo2 = await makeAuthority(root, 'sfo2', nowMs, laptopConstraints('sfo2'))
const first = await makeLeaf(ams3, { id }, nowMs)

const good = async (): Promise<CertificatePems> => pemsOf(await makeLeaf(ams3, { id }, nowMs), ams3)

test('a renewed certificate is shown, with its new key, and reported by its serial', async (t) => {
  const kept = keep(t)
  const next = await good()
  kept.write(next)
  await until('it is shown', () => kept.shown.length === 1)
  t.deepEqual(kept.shown, [next])
  t.is(kept.held.current.certificate, next.certificate)
  t.regex(kept.reported[0] ?? '', /^the listener shows serial [0-9a-f]+, 5\d m left$/)
})

test('a mounted Secret that changes by its link is seen', async (t) => {
  const kept = keep(t)
  const next = await good()
  kept.relink(next)
  await until('it is shown', () => kept.shown.length === 1)
  t.deepEqual(kept.shown, [next])
})

const refused: [what: string, make: () => Promise<Partial<CertificatePems>>, why: RegExp][] = [
  ['what is no PEM', async () => ({ certificate: 'half of it' }), /illegal PEM/],
  ['an empty file', async () => ({ certificate: '' }), /illegal PEM, not CERTIFICATE: empty/],
  [
    'what another region signed',
    async () => pemsOf(await makeLeaf(sfo2, { id }, nowMs), sfo2, ams3),
    /no trusted issuer/,
  ],
  [
    "another process's",
    async () => pemsOf(await makeLeaf(ams3, { id: `${id}-2` }, nowMs), ams3),
    /^the listener .* is refused: certificate is of spiffe:\/\/ams3\.example\/function\/lobby-2, not /,
  ],
  [
    'what is of another key',
    async () => ({ ...(await good()), key: (await good()).key }),
    /of another key/,
  ],
  ['a key that is none', async () => ({ ...(await good()), key: 'none' }), /illegal private key/],
  [
    'what is over',
    async () => pemsOf(await makeLeaf(ams3, { id }, nowMs - 3_600_000, 3599), ams3),
    /ended .*, this clock says/,
  ],
  [
    'what begins tomorrow',
    async () => pemsOf(await makeLeaf(ams3, { id }, nowMs + 86_400_000), ams3),
    /its issuer's clock said .* or later, this clock says/,
  ],
]

for (const [what, make, why] of refused)
  test(`${what} is refused and named, an alarm follows, and the one before stays`, async (t) => {
    const kept = keep(t)
    const bad = await make()
    kept.write(bad)
    await until('the alarm', () => kept.reported.length >= 2)
    const [line, alarm] = kept.reported
    t.regex(line ?? '', why)
    t.regex(
      alarm ?? '',
      /^alarm: .*certificate\.crt is newer than what the listener shows \(5\d m left\)/,
    )
    t.deepEqual(kept.shown, [])
    t.is(kept.held.current.certificate, formatCertificates([first.certificate, ams3.certificate]))
    if (bad.key !== undefined)
      t.false(kept.reported.join().includes(bad.key.split('\n')[1] ?? 'none'))

    const next = await good()
    kept.write(next)
    await until('the good one is shown', () => kept.shown.length === 1)
  })

test('a file that is gone leaves what is shown', async (t) => {
  const kept = keep(t)
  rmSync(kept.held.files.certificate)
  await until('the alarm', () => kept.reported.length >= 2)
  t.regex(kept.reported[0] ?? '', /no certificate at/)
  t.deepEqual(kept.shown, [])
})

test('what could not be shown is tried again', async (t) => {
  let tries = 0
  const kept = keep(t, {}, () => {
    tries += 1
    if (tries < 3) throw new Error('the server is away')
  })
  kept.write(await good())
  await until('it is shown', () => tries === 3)
  await until('it is told', () => kept.reported.some((line) => line.includes('shows serial')))
  t.true(kept.reported.some((line) => line.endsWith('the server is away')))
})

test('what is near its end while none is newer raises an alarm, not at every look', async (t) => {
  let looks = 0
  const kept = keep(t, {
    nowMs: () => {
      looks += 1
      return nowMs + 50 * 60_000
    },
  })
  await until('many looks', () => looks > 50)
  t.deepEqual(kept.reported, [
    'alarm: the certificate of the listener has 9 m left, and none is newer',
  ])
})

function keep(t: ExecutionContext, keeping: Partial<Keeping> = {}, onShow = () => {}) {
  const folder = temporaryFolder(t)
  const files = {
    key: join(folder, 'certificate.key'),
    certificate: join(folder, 'certificate.crt'),
    trusted: join(folder, 'trusted.pem'),
  }
  const store = openFiles()
  const write = (pems: Partial<CertificatePems>): void => {
    for (const [name, path] of Object.entries(files))
      store.write(path, pems[name as keyof typeof files] ?? store.read(path) ?? '')
  }
  write(pemsOf(first, ams3))
  const held = holdCertificate(files)
  const [reported, shown]: [string[], CertificatePems[]] = [[], []]
  const show = (pems: CertificatePems): void => {
    onShow()
    shown.push(pems)
  }
  const options = { report: (line: string) => void reported.push(line), pollMs: 10, alarmMs: 60 }
  const keeper = keepCurrent({ what: 'the listener', held, show }, { ...options, ...keeping })
  t.teardown(() => keeper[Symbol.asyncDispose]())
  const relink = (pems: CertificatePems): void => {
    for (const [name, path] of Object.entries(files)) {
      writeFileSync(`${path}.next`, pems[name as keyof typeof files])
      unlinkSync(path)
      symlinkSync(`${path}.next`, path)
    }
  }
  return { held, reported, shown, write, relink }
}

function pemsOf({ certificate, pair }: HeldLeaf, issuer: Held, trusted = issuer): CertificatePems {
  return {
    certificate: formatCertificates([certificate, issuer.certificate]),
    key: formatPrivateKey(pair.privateKey),
    trusted: formatCertificates([trusted.certificate]),
  }
}
