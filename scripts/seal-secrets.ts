// The few secrets that must travel: sealed to one cluster's key, so that git may carry them.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { Command } from '@commander-js/extra-typings'
import { parse, stringify } from 'yaml'
import { Refusal } from '../core/errors.ts'
import { requireRegion } from '../core/known-region.ts'
import { purposeAnnotation, sealingKey, sealSecret, type SealedSecret } from '../gitops/seal.ts'
import { readArchipelago } from '../store/archipelago.ts'
import { readOrRefuse } from '../store/files.ts'
import { collect, runCommand } from './command.ts'

const command = new Command('seal-secrets')
  .description(
    'Seal files to a region’s sealing certificate, as a SealedSecret of its overlay; without a region, list what is sealed.',
  )
  .argument('[region]', 'whose cluster can open it, and no other')
  .argument('[name]', 'of the Secret')
  .option('--archipelago <file>', 'the description of the network', 'archipelago.yaml')
  .option('--from-file <key=file>', 'a value; can be given more than once', collect)
  .option('--purpose <text>', 'why it cannot be made in the cluster')
  .option('--certificate <file>', 'default: sealing-certificate.pem of the region’s overlay')
  .option('--dry-run', 'write nothing, say what would be sealed')
  .option('--json', 'print everything that is sealed as JSON')

type Options = ReturnType<typeof command.opts>

async function main(): Promise<void> {
  const options = command.parse().opts()
  const [region, name] = command.processedArgs
  const file = resolve(options.archipelago)
  const { regions, kubernetes } = readArchipelago(file, options.archipelago)
  const overlays = join(dirname(file), 'manifests/overlays')
  const names = regions.map((one) => one.name)
  if (region !== undefined) {
    requireRegion(regions, region)
    seal(join(overlays, region), { ...kubernetes, ...requireAll(name, options) }, options)
  }
  const all = names.flatMap((name) => listSealed(join(overlays, name), name))
  if (options.json) return console.log(JSON.stringify(all, undefined, 2))
  for (const line of format(all)) console.log(line)
}

function requireAll(name: string | undefined, { fromFile = [], purpose }: Options) {
  if (name === undefined || !/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name))
    throw new Refusal('ERR_OPTION_ILLEGAL', `not the name of a Secret: '${name ?? ''}'`)
  if (purpose === undefined || purpose.trim() === '')
    throw new Refusal('ERR_OPTION_ILLEGAL', 'say with --purpose why it has to travel')
  if (fromFile.length === 0)
    throw new Refusal('ERR_OPTION_ILLEGAL', 'nothing to seal: name values with --from-file')
  return { name, purpose, values: new Map(fromFile.map(readValue)) }
}

function readValue(text: string): [key: string, value: Buffer] {
  const [, key = '', file = ''] = /^([\w.-]+)=(.+)$/.exec(text) ?? []
  if (key === '') throw new Refusal('ERR_OPTION_ILLEGAL', `not key=file: '${text}'`)
  if (!existsSync(file)) throw new Refusal('ERR_STORE_UNREADABLE', `no such file: ${file}`)
  return [key, readFileSync(file)]
}

function seal(
  overlay: string,
  sealing: Parameters<typeof sealSecret>[1],
  { certificate = join(overlay, 'sealing-certificate.pem'), dryRun }: Options,
): void {
  const key = sealingKey(readOrRefuse(certificate, 'sealing certificate'), Date.now())
  const file = join(overlay, 'sealed', `${sealing.name}.yaml`)
  const shown = relative(process.cwd(), file)
  if (dryRun)
    return console.error(`would seal ${[...sealing.values.keys()].join(', ')} in ${shown}`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, stringify(sealSecret(key, sealing), { lineWidth: 0 }))
  console.error(`sealed ${[...sealing.values.keys()].join(', ')} in ${shown}`)
  console.error(
    'next: name it in the resources of the overlay’s kustomization.yaml, and commit both',
  )
}

interface Listed {
  readonly region: string
  readonly name: string
  readonly keys: readonly string[]
  readonly purpose: string
}

function listSealed(overlay: string, region: string): Listed[] {
  const folder = join(overlay, 'sealed')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .toSorted()
    .map((file) => {
      const { metadata, spec } = parse(readFileSync(join(folder, file), 'utf8')) as SealedSecret
      const purpose = metadata.annotations?.[purposeAnnotation] ?? 'not said'
      return { region, name: metadata.name, keys: Object.keys(spec.encryptedData), purpose }
    })
}

function format(all: readonly Listed[]): string[] {
  const count = all.reduce((sum, { keys }) => sum + keys.length, 0)
  const lines = all.map(
    ({ region, name, keys, purpose }) => `${region}/${name} (${keys.join(', ')}): ${purpose}`,
  )
  return [...lines, `${count} ciphertexts in git`]
}

runCommand(command.name(), main, {
  ERR_SEALING_CERTIFICATE:
    'fetch the cluster’s present one: kubeseal --fetch-cert > sealing-certificate.pem',
  ERR_STORE_UNREADABLE:
    'commit the cluster’s certificate into its overlay, or name the files that are there',
})
