// Signs all that a region needs of its operator: both of its authorities, and the accounts with its public
// keys. Each part is done once for each key; run again, what was done is found as it is.
import { Refusal } from '../../core/errors.ts'
import { authorityKinds, isMesh, type AnyKind } from '../../core/identity/authority.ts'
import type { Certificate } from '../../core/identity/certificate.ts'
import { outsideOfClusters } from '../../core/network/outside.ts'
import type { Plan } from '../../core/plan/plan.ts'
import { parseRegionKeys } from '../../core/trust/region-keys.ts'
import type { RegionPublic } from '../../core/trust/region-public.ts'
import { bootstrapHomes, hasHome, operatorHomeName } from '../../store/bootstrap.ts'
import {
  publishIntermediate,
  signIntermediate,
  type SignedIntermediate,
} from '../../store/intermediate.ts'
import { readAuthorities } from '../../store/authorities.ts'
import { readRoots } from '../../store/authority-files.ts'
import { writeNetworkFile } from '../../store/network-file.ts'
import { planTrust, requireTrustAgreed } from '../../store/plan-trust.ts'
import { publicFiles } from '../../store/public.ts'
import { readRoot, type AuthorityStore } from '../../store/root.ts'
import { withTrustLock } from '../../store/trust-lock.ts'
import { planWithdrawal, withdrawAuthorities } from '../../store/withdraw-authority.ts'
import { deleteWithdrawnKeys } from '../../store/withdrawn.ts'

export interface AdoptionPlan {
  readonly plan: Plan
  /** Its cluster was made anew: nothing that the old one held is trusted any more. */
  readonly isRebuilt: boolean
  /** Which authorities a region has: those of the network, and of its meshes. */
  readonly kinds: readonly AnyKind[]
}

/** Changes nothing; refuses where the operator is not here, and a region whose keys are. */
export function planAdoption(
  store: AuthorityStore,
  { keys, requests }: RegionPublic,
): AdoptionPlan {
  const { homes } = store
  const { region } = keys
  if (!hasHome(store, operatorHomeName))
    throw new Refusal('ERR_STORE_UNREADABLE', `no operator in ${homes.data}`)
  if (hasHome(store, region))
    throw new Refusal(
      'ERR_HOME_HERE',
      `region ${region} has its home in ${homes.data}, not in a cluster`,
    )
  const published = store.files.read(publicFiles.region(homes.public, region))
  const isRebuilt =
    published !== undefined && parseRegionKeys(published).leafnodeUser !== keys.leafnodeUser
  const kinds = [...authorityKinds, ...store.archipelago.kubernetes.meshes]
  const missing = kinds
    .filter((kind) => requests[kind] === undefined)
    .filter((kind) => !isMesh(kind) || readAuthorities(store, { kind, region }).length > 0)
  if (isRebuilt && missing.length > 0)
    throw new Refusal(
      'ERR_REGION_PUBLIC_ILLEGAL',
      `region ${region} was made anew and does not ask for its authorities yet: ${missing.join(', ')}`,
    )
  for (const kind of kinds.filter(isMesh))
    if (requests[kind] !== undefined) requireRoots(store, kind)
  const { plan } = planTrust(signingAt(store), wantedOf(keys))
  if (plan === undefined) throw new TypeError('the operator is here, and signs nothing')
  return { plan, isRebuilt, kinds }
}

/** Before anything is signed: a mesh's root is made when there is a mesh. */
function requireRoots({ files, homes }: AuthorityStore, kind: AnyKind): void {
  if (readRoots(files, homes, kind).length === 0)
    throw new Refusal('ERR_STORE_UNREADABLE', `no ${kind} root is published`)
}

const wantedOf = (keys: RegionPublic['keys']) => ({ homes: [operatorHomeName], adopted: [keys] })

const signingAt = ({ archipelago, homes, nowMs }: AuthorityStore) => ({
  archipelago,
  homes,
  nowSeconds: Math.floor(nowMs / 1000),
})

export interface RootKeys {
  readonly keyFile: (kind: AnyKind) => string | undefined
  readonly passphrase: () => Promise<string>
}
export interface SignedKind {
  readonly kind: AnyKind
  /** Absent where the region has not asked yet. */
  readonly signed?: SignedIntermediate
  readonly withdrawn: readonly Certificate[]
}

/** The accounts last: while they hold the keys of before, a run that was ended is known for what it was. */
export async function signAdopted(
  store: AuthorityStore,
  found: RegionPublic,
  { plan, isRebuilt, kinds, ...roots }: AdoptionPlan & RootKeys,
): Promise<SignedKind[]> {
  const signed: SignedKind[] = []
  for (const kind of kinds) signed.push(await signKind(store, found, { ...roots, kind, isRebuilt }))
  signAccounts(store, found, plan)
  return signed
}

function signAccounts(store: AuthorityStore, { keys }: RegionPublic, agreed: Plan): void {
  const { files, homes, archipelago } = store
  const [signing, wanted] = [signingAt(store), wantedOf(keys)]
  withTrustLock(homes, () => {
    // Somebody may have signed something else meanwhile; what withdraws nothing may differ.
    requireTrustAgreed(signing, wanted, agreed.asks ? agreed.digest : undefined)
    const { operator } = bootstrapHomes({ ...signing, files }, wanted)
    if (operator === undefined) throw new TypeError('the home of the operator was not made')
    deleteWithdrawnKeys(homes, archipelago)
    writeNetworkFile({ ...signing, files }, operator, outsideOfClusters(archipelago))
  })
}

async function signKind(
  store: AuthorityStore,
  { keys: { region }, requests }: RegionPublic,
  {
    kind,
    keyFile,
    passphrase,
    isRebuilt,
  }: RootKeys & { readonly kind: AnyKind; readonly isRebuilt: boolean },
): Promise<SignedKind> {
  const request = requests[kind]
  if (request === undefined) return { kind, withdrawn: [] }
  const place = { region, kind, placement: 'distributed' } as const
  const root = () => readRoot(store, kind, { file: keyFile(kind), passphrase })
  const signed = await signIntermediate(store, place, { request, root })
  withTrustLock(store.homes, () => publishIntermediate(store, place, signed.certificate))
  if (!isRebuilt) return { kind, signed, withdrawn: [] }
  const withdrawal = planWithdrawal(store, place)
  withdrawAuthorities(store, place, withdrawal)
  return { kind, signed, withdrawn: withdrawal.gone }
}
