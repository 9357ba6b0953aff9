// A region's second step: from the ConfigMap that its cluster published to a commit for all regions.
import { execFileSync } from 'node:child_process'
import type { KeyObject } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parse } from 'yaml'
import type { NetworkFile } from '../../core/access/network-file.ts'
import { parseCertificates } from '../../core/identity/certificate.ts'
import type { Issuer } from '../../core/archipelago.ts'
import { requestCertificate } from '../../core/identity/csr.ts'
import { makeAuthorityKey } from '../../store/authority-keys.ts'
import { makeTokenIssuer } from '../core/access/token-issuer.ts'
import { edited, good } from '../core/archipelago/example.ts'
import { runScript } from '../run-script.ts'
import { regionPublic } from '../store/region-public.ts'
import { temporaryFolder } from '../temporary-folder.ts'

function makeClone(t: ExecutionContext) {
  const folder = temporaryFolder(t)
  const [clone, data, stick] = ['clone', 'data', 'stick'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  execFileSync('git', ['init', '--quiet', clone])
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', clone, ...args], { encoding: 'utf8' }).trim()
  git('config', 'user.name', 'operator')
  git('config', 'user.email', 'operator@archipelago.example')
  writeFileSync(join(clone, 'archipelago.yaml'), good)
  const run = (name: string, ...args: string[]) =>
    runScript(name, [...args, '--data-dir', data], { cwd: clone })
  const paste = (text: string) => {
    const file = join(folder, 'region-public.json')
    writeFileSync(file, text)
    return file
  }
  const adopt = (region: string, text: string, ...args: string[]) =>
    run('adopt-region', region, '--file', paste(text), '--root-key-dir', stick, ...args)
  const manifest = (region: string, name: string): Record<string, string> =>
    parse(readFileSync(join(clone, `manifests/trust/${region}/${name}.yaml`), 'utf8')).data
  return { clone, data, stick, git, run, paste, adopt, manifest }
}

type Clone = ReturnType<typeof makeClone>

async function withOperator(t: ExecutionContext): Promise<Clone> {
  const clone = makeClone(t)
  const made = await clone.run('bootstrap-trust', '--home', 'operator')
  t.is(made.code, 0, made.stderr)
  const roots = await clone.run('make-root', '--key-dir', clone.stick)
  t.is(roots.code, 0, roots.stderr)
  return clone
}

test('what a cluster published is signed, and committed for every region', async (t) => {
  const { adopt, manifest, git } = await withOperator(t)
  const text = regionPublic('ams3')
  const dry = await adopt('ams3', text, '--dry-run')
  t.is(dry.code, 0, dry.stderr)
  t.regex(dry.stdout, /^resign +account ACCESS: keys added: leafnode\.ams3$/m)
  t.regex(dry.stdout, /^ams3 asks for its identity authority: key sha256 [0-9a-f]{64}$/m)
  t.is(git('status', '--porcelain'), '?? archipelago.yaml')

  const adopted = await adopt('ams3', text)
  t.is(adopted.code, 0, adopted.stderr)
  t.is(git('log', '--format=%s'), 'trust: adopt ams3')
  // Only what it wrote itself is committed.
  t.is(git('status', '--porcelain'), '?? archipelago.yaml')
  for (const region of ['ams3', 'sfo2', 'sgp1']) {
    t.deepEqual(manifest(region, 'trust'), manifest('ams3', 'trust'))
    t.regex(manifest(region, 'accounts')['accounts.conf'] ?? '', /^resolver_preload: \{$/m)
  }
  const own = manifest('ams3', 'region-authority')
  const [identity] = parseCertificates(own['region.pem'] ?? '')
  t.deepEqual(identity?.names.uris, ['spiffe://ams3.archipelago.example'])
  t.deepEqual(identity?.nameConstraints?.permitted.dns, [
    'ams3.archipelago.example',
    'nats.svc.cluster.local',
  ])
  const other = manifest('sfo2', 'region-authority')
  t.is(other['network.pem'], own['region.pem'])
  t.is(other['region.pem'], undefined)

  const again = await adopt('ams3', text)
  t.regex(again.stdout, /was signed before: .+\nnothing to write\n/)
  t.is(git('rev-list', '--count', 'HEAD'), '1')
})

test('people are told the way in that archipelago.yaml has, also after an edit of it', async (t) => {
  const { clone, adopt, run, manifest } = await withOperator(t)
  const told = () =>
    (JSON.parse(manifest('sfo2', 'trust')['archipelago.lobby.json'] ?? '{}') as NetworkFile)
      .regions[0]
  await adopt('ams3', regionPublic('ams3'))
  t.deepEqual(told()?.servers, ['tls://ams3.nats.archipelago.example:30422'])
  const passage = 'addresses: [ams3.nats.archipelago.example]'
  const balanced = edited(passage, `${passage}\n    clients: load-balancer`)
  writeFileSync(join(clone, 'archipelago.yaml'), balanced)
  const dry = await run('publish-trust', '--dry-run')
  t.regex(dry.stdout, /^would be changed: trust\/sfo2\/trust\.yaml$/m)
  t.deepEqual(told()?.servers, ['tls://ams3.nats.archipelago.example:30422'])
  const published = await run('publish-trust')
  t.is(published.code, 0, published.stderr)
  t.deepEqual(told()?.servers, ['tls://ams3.nats.archipelago.example:4222'])
  t.is(told()?.https.lobby, 'https://ams3-lobby.ams3.archipelago.example:8443/')
})

test('a cluster made anew is adopted when somebody agrees, and the old one is trusted no more', async (t) => {
  const { adopt, manifest, git } = await withOperator(t)
  await adopt('ams3', regionPublic('ams3'))
  const before = manifest('ams3', 'region-authority')['region.pem'] ?? ''
  const anew = regionPublic('ams3')
  const early = await adopt('ams3', regionPublic('ams3', { asks: false }), '--yes')
  t.regex(early.stderr, /^adopt-region: region ams3 was made anew and does not ask .+ yet: ident/)
  const silent = await adopt('ams3', anew)
  t.is(silent.code, 1)
  t.regex(silent.stderr, /^adopt-region: nobody agreed to .+\ndo: .+ --yes$/m)
  t.is(manifest('ams3', 'region-authority')['region.pem'], before)

  const adopted = await adopt('ams3', anew, '--yes', '--no-commit')
  t.is(adopted.code, 0, adopted.stderr)
  t.regex(adopted.stdout, /^ams3, identity: withdrawn: sha256 [0-9a-f]{64}$/m)
  const after = manifest('sgp1', 'region-authority')['network.pem'] ?? ''
  t.is(parseCertificates(after).length, 1)
  t.not(after, before)
  t.is(git('rev-list', '--count', 'HEAD'), '1', 'it was told not to commit')
})

test('the authority of a mesh is signed by a root of its own, and is nothing that servers trust', async (t) => {
  const { clone, adopt, run, stick, manifest } = await withOperator(t)
  const istio = requestCertificate(makeAuthorityKey().privateKey)
  const text = regionPublic('ams3', { more: { 'istio.csr': istio } })
  await adopt('ams3', text)
  t.is(manifest('ams3', 'region-authority')['istio.pem'], undefined, 'no mesh in archipelago.yaml')

  writeFileSync(join(clone, 'archipelago.yaml'), `${good}kubernetes: { meshes: [istio] }\n`)
  const early = await adopt('ams3', text)
  t.is(early.code, 1)
  t.regex(early.stderr, /^adopt-region: no istio root is published\ndo: .+make-root --kind/)
  const made = await run('make-root', '--kind', 'istio', '--key-dir', stick)
  t.is(made.code, 0, made.stderr)
  const adopted = await adopt('ams3', text)
  t.is(adopted.code, 0, adopted.stderr)
  t.regex(adopted.stdout, /^ams3, istio: signed: sha256 [0-9a-f]{64}/m)

  const own = manifest('ams3', 'region-authority')
  const [authority] = parseCertificates(own['istio.pem'] ?? '')
  const [root] = parseCertificates(own['istio-roots.pem'] ?? '')
  t.deepEqual(authority?.nameConstraints?.permitted, {
    uris: ['ams3.archipelago.example'],
    dns: ['istio-system.svc'],
    ips: [],
  })
  t.true(authority?.openssl.verify(root?.openssl.publicKey as KeyObject))
  const servers = ['region.pem', 'network.pem', 'roots.pem'].map((name) => own[name] ?? '')
  for (const each of servers) t.false(each.includes((own['istio.pem'] ?? '').slice(100, 200)))
  t.notRegex(JSON.stringify(manifest('ams3', 'trust')), /istio/)
  t.is(manifest('sfo2', 'region-authority')['istio.pem'], undefined)
})

const ownIssuer = 'https://kubernetes.default.svc.cluster.local'

test('the keys of its cluster’s tokens come with a region, and count when archipelago.yaml names them', async (t) => {
  const { clone, adopt, manifest, git } = await withOperator(t)
  const cluster = regionPublic('ams3')
  const signs = (kid: string, issuer = ownIssuer) => {
    const map = JSON.parse(cluster) as { data: Record<string, string> }
    const tokens = JSON.stringify({ issuer, keys: [makeTokenIssuer(kid).jwk] })
    return JSON.stringify({ ...map, data: { ...map.data, 'token-issuer.json': tokens } })
  }
  const believed = (region: string) => {
    const jwt = manifest(region, 'trust')['configuration.jwt'] ?? ''
    const { nats } = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
    return nats.archipelago.issuers.flatMap(({ keys }: Issuer) => keys?.map(({ kid }) => kid))
  }
  const first = signs('one')
  const adopted = await adopt('ams3', first)
  t.is(adopted.code, 0, adopted.stderr)
  t.true(adopted.stdout.includes(`ams3 signs tokens as ${ownIssuer}: new keys one in issuers/`))
  t.regex(
    adopted.stdout,
    /^nobody believes them before issuers of archipelago\.yaml name issuers\//m,
  )
  t.regex(git('show', '--stat', 'HEAD'), /issuers\/ams3-cluster\.json/)
  t.deepEqual(believed('ams3'), [])

  const entry = `{ kind: kubernetes, issuer: '${ownIssuer}', jwks: issuers/ams3-cluster.json, regions: [ams3] }`
  writeFileSync(join(clone, 'archipelago.yaml'), `${good}issuers: { ams3-cluster: ${entry} }\n`)
  t.is((await adopt('ams3', first)).code, 0)
  t.deepEqual(believed('ams3'), ['one'])

  const other = signs('two')
  const silent = await adopt('ams3', other)
  t.regex(silent.stderr, /nobody agreed to other keys for the tokens of ams3\ndo: .+--yes$/m)
  t.deepEqual(believed('ams3'), ['one'])
  t.is((await adopt('ams3', other, '--yes')).code, 0)
  t.deepEqual(believed('sgp1'), ['two'])

  const foreign = await adopt('ams3', signs('two', 'https://elsewhere.example'), '--yes')
  t.regex(
    foreign.stderr,
    /issuer ams3-cluster is 'https:\/\/kubernetes.+', and the cluster of ams3 signs as 'https:\/\/elsewhere\.example'\ndo: /,
  )
})

test('what is not the region of this operator is refused', async (t) => {
  const { clone, adopt, run } = makeClone(t)
  const text = regionPublic('ams3')
  const unmade = await adopt('ams3', text)
  t.regex(unmade.stderr, /^adopt-region: no operator in .+\ndo: make the operator once/)
  await run('bootstrap-trust', '--home', 'operator')
  const other = await adopt('sfo2', text)
  t.regex(other.stderr, /^adopt-region: ConfigMap region-public is of region 'ams3', not sfo2$/m)
  const unknown = await adopt('fra1', text)
  t.regex(unknown.stderr, /^adopt-region: unknown region: 'fra1' \(ams3, sfo2, sgp1\)$/m)
  const secret = text.replace('ConfigMap', 'Secret')
  t.regex(
    (await adopt('ams3', secret)).stderr,
    /^adopt-region: not a ConfigMap region-public: kind/,
  )
  const pin = `operator: ${'O'.padEnd(56, 'A')}`
  const yaml = edited('trustDomain:', `${pin}\ntrustDomain:`)
  writeFileSync(join(clone, 'archipelago.yaml'), yaml)
  const pinned = await adopt('ams3', text)
  t.regex(
    pinned.stderr,
    /^adopt-region: trust of operator O[A-Z2-7]{55}, not OAAAA.+\ndo: name the/,
  )
})
