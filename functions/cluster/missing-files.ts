import { statSync } from 'node:fs'
import type { WatchEnvironment } from './watch-environment.ts'

/** Why a pod has to wait, with the next step; nothing when it has all that it starts with. */
export function missingReason(environment: WatchEnvironment): string | undefined {
  const { region, adoptionFiles, certificateFiles } = environment
  const unadopted = adoptionFiles.filter(isMissing)
  if (unadopted.length > 0) {
    const step = `run npx node scripts/adopt-region.ts ${region} and push`
    return `region ${region} is not adopted: ${step} (missing: ${unadopted.join(', ')})`
  }
  const unissued = certificateFiles.filter(isMissing)
  if (unissued.length === 0) return missingAccounts(environment)
  const step = `look at its Certificates with kubectl get certificates`
  return `cert-manager of region ${region} has not issued yet: ${step} (missing: ${unissued.join(', ')})`
}

function missingAccounts({ region, accountFiles }: WatchEnvironment): string | undefined {
  if (accountFiles === undefined || !isMissing(accountFiles.kept)) return undefined
  const step = 'look at the log of watch-files for what it refuses'
  return `region ${region} has no accounts of its operator: ${step} (missing: ${accountFiles.kept})`
}

/** Kubernetes mounts an optional Secret or ConfigMap that is not there as an empty folder. */
function isMissing(file: string): boolean {
  try {
    return statSync(file).size === 0
  } catch {
    return true
  }
}
